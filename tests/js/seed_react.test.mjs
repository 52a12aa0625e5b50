// The React example of the seed document, as published, in a document of its own.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { answers, runExample, SKY, standsStill, students, transport, until } from "./harness.mjs";

test("the published React example plays, pauses and resumes an explanation", async (context) => {
  const { window } = new JSDOM("<main></main>", { url: "http://localhost:3000" });
  Object.assign(globalThis, { window, document: window.document });
  globalThis.navigator ??= window.navigator; // newer versions of Node have one
  const { localStorage, document } = window;
  localStorage.setItem("jwt_token", students[1]);
  const require = createRequire(import.meta.url);
  const { createElement } = require("react");
  const { createRoot } = require("react-dom/client"); // looks at the window when it is loaded
  const { QuestionInterface, sockets } = await runExample("seed_example.jsx", { localStorage }, "QuestionInterface");
  const root = createRoot(document.querySelector("main"));
  context.after(() => root.unmount());
  root.render(createElement(QuestionInterface));
  const button = () => document.querySelector("button");
  const contents = () => [...document.querySelectorAll("p")].map((p) => p.textContent);

  await until(() => sockets[0]?.connected, "the connection");
  const input = document.querySelector("input");
  input.value = SKY;
  input.dispatchEvent(new window.KeyboardEvent("keypress", { key: "Enter", charCode: 13, bubbles: true }));
  await until(() => contents().length === 2 && contents()[1], "the second step");
  assert.equal(button().textContent, "Pausar");
  button().click();
  await until(() => button().textContent === "Reanudar", "the pause");
  await standsStill(contents);
  button().click();
  await until(() => button().textContent === "Pausar", "the resume");
  await until(() => !button(), "the end");

  assert.deepEqual(contents(), answers[SKY].map(({ content }) => content));
  assert.equal(sockets[0].io.engine.transport.name, transport); // it began with polling, as stock clients do
  const titles = [...document.querySelectorAll("h3")].map((h3) => h3.textContent);
  assert.deepEqual(titles, answers[SKY].map(({ title }) => title));
});
