// "My explanations": the list as the student sees it, and what each button does.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { JSDOM } from "jsdom";

const URLS = { explanations: "/api/explanations/" };
const WORDS = Object.fromEntries(
  ["title", "close", "empty", "continue", "replay", "whole", "begun", "offline", "needs_connection", "no_connection", "copy", "copied",
    "remove", "really", "removed", "clear", "yes", "no", "noted", "older", "failed"].map((name) => [name, name]));
WORDS.heard = "{percent} %";

const { window } = new JSDOM('<main id="host"></main>', { url: "https://school.example/", pretendToBeVisual: true });
window.HTMLDialogElement.prototype.showModal = function () { this.open = true; };
window.HTMLDialogElement.prototype.close = function () { this.open = false; };
for (const name of ["document", "location", "HTMLElement"]) globalThis[name] = window[name];
globalThis.matchMedia = () => ({ matches: false });
globalThis.scrollTo = () => {};
window.document.cookie = "csrftoken=forged-not";
const { createLibrary } = await import("../../../streaming/frontend/src/page/library.js");

const entry = (n, changes = {}) => ({
  session_id: `session-${n}`, question: `Question ${n}`, answer_id: `answer-${n}`, state: "paused", step: 1, position: 5, heard: 0.25,
  created_at: `2026-11-22T10:00:${String(59 - n).padStart(2, "0")}.000001Z`, clear: null, link: `/answers/answer-${n}/`, ...changes,
});

let server, asked, clipboard, keptUrls, greeted;
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  [server, asked, clipboard, keptUrls, greeted] = [{}, [], [], [], []];
  globalThis.fetch = async (url, { method, headers, body }) => {
    asked.push({ method, url, csrf: headers["X-CSRFToken"], body: body && JSON.parse(body) });
    const answer = server[`${method} ${url}`];
    if (answer === undefined) throw new TypeError("Failed to fetch");
    const { status = 200, json } = answer;
    return { ok: status < 300, status, json: async () => json };
  };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: {
    clipboard: { writeText: async (text) => void clipboard.push(text) },
    serviceWorker: { controller: {}, ready: Promise.resolve({ active: { postMessage: (message) => greeted.push(message) } }) },
  } });
  globalThis.caches = { open: async () => ({ keys: async () => keptUrls.map((url) => ({ url })) }) };
});

function player(changes = {}) {
  const calls = [], listeners = [];
  const call = (name) => (...args) => void calls.push([name, ...args]);
  return {
    connection: "online", state: "idle", recording: null, calls, open: call("open"), playDocument: call("playDocument"), stop: call("stop"),
    subscribe: (listener) => listeners.push(listener),
    now(values) { Object.assign(this, values); for (const listener of listeners) listener(this); }, ...changes,
  };
}

async function opened(entries, { of = player(), wire } = {}) {
  server["GET /api/explanations/"] = { json: entries };
  const host = window.document.createElement("div");
  window.document.body.replaceChildren(host);
  const library = createLibrary(host, { words: WORDS, urls: URLS, player: of, language: "en", student: "ana", wire });
  await library.open();
  await settle();
  const press = async (label, n = 0) => {
    const buttons = [...host.querySelectorAll("button")].filter((button) => button.textContent === label);
    assert(buttons[n], `no button “${label}”`);
    assert(!buttons[n].disabled, `“${label}” is disabled`);
    buttons[n].focus();
    buttons[n].click();
    await settle();
  };
  return { host, player: of, press, library, items: () => [...host.querySelectorAll("li")], status: () => host.querySelector("[role=status]").textContent };
}

test("each explanation tells its question, how far it was heard, and how to go on", async () => {
  const { host, items } = await opened([entry(0), entry(1, { state: "complete", heard: 1 }), entry(2, { heard: null, answer_id: null })]);
  assert.deepEqual(items().map((item) => item.querySelector("h3").textContent), ["Question 0", "Question 1", "Question 2"]);
  assert.deepEqual(items().map((item) => item.querySelector(".facts").textContent.split(" · ")[1]), ["25 %", "whole", "begun"]);
  assert.deepEqual(items().map((item) => item.querySelector(".primary").getAttribute("aria-label")),
    ["continue: Question 0", "replay: Question 1", "continue: Question 2"]);
  assert.deepEqual(items().map((item) => item.querySelector("progress").value), [0.25, 1, 0]);
  assert.deepEqual(items().map((item) => Boolean(item.querySelector(".verdict"))), [true, true, false]);
  assert.equal(host.querySelector("dialog").getAttribute("aria-labelledby"), host.querySelector("h2").id);
});

test("what students write stays text", async () => {
  const question = '<img src=x onerror="alert(1)"><b>bold</b>';
  const { host, items } = await opened([entry(0, { question })]);
  assert.equal(items()[0].querySelector("h3").textContent, question);
  assert.equal(host.querySelector("img, b"), null);
});

test("an empty list says so, a refusal is said in the server's words, and anything else in ours", async () => {
  assert.equal((await opened([])).status(), "empty");
  const { library, status } = await opened([entry(0)]);
  server["GET /api/explanations/"] = { status: 503, json: { code: "server_busy", message: "Very busy." } };
  await library.open();
  assert.equal(status(), "Very busy.");
  delete server["GET /api/explanations/"];
  await library.open();
  assert.equal(status(), "failed");
});

test("going on and replaying open the session", async () => {
  const { host, player: { calls }, press } = await opened([entry(0), entry(1, { state: "complete" })]);
  await press("continue");
  assert.equal(host.querySelector("dialog").open, false);
  await press("replay");
  assert.deepEqual(calls, [["open", "session-0"], ["open", "session-1"]]);
});

const ID = "7f1c2c1e-4a0f-4d6e-9c0b-0a5f3f2f0001";

test("without a connection what is kept is played from its document, and the rest can't be", async () => {
  keptUrls = [`https://school.example/api/explanations/${ID}/`, "https://school.example/api/explanations/"];
  server[`GET /api/explanations/${ID}/`] = { json: { session_id: ID, steps: [] } };
  const { items, player: { calls }, press, status } =
    await opened([entry(0), entry(1, { session_id: ID, state: "complete" })], { of: player({ connection: "lost" }) });
  assert.equal(status(), "no_connection");
  assert.deepEqual(items().map((item) => item.querySelector(".facts").textContent.split(" · ")[2]), ["needs_connection", "offline"]);
  assert.deepEqual(items().map((item) => item.querySelector(".primary").disabled), [true, false]);
  await press("replay");
  assert.deepEqual(calls, [["playDocument", { session_id: ID, steps: [] }]]);
});

test("when the connection comes back the list follows, once", async () => {
  const { items, player: of } = await opened([entry(0)], { of: player({ connection: "lost" }) });
  asked.length = 0;
  of.now({ connection: "online" });
  of.now({});
  await settle();
  assert.equal(asked.length, 1);
  assert.equal(items()[0].querySelector(".primary").disabled, false);
});

test("what has been heard to the end is asked for once, to be kept with the list and what shows it", async () => {
  const { player: of } = await opened([]);
  server["GET /api/explanations/s/"] = { json: {} };
  [asked.length, greeted.length] = [0, 0];
  of.now({ state: "playing", recording: { sessionId: "s" } });
  of.now({ state: "complete" });
  of.now({});
  await settle();
  assert.deepEqual(asked.map(({ url }) => url), ["/api/explanations/s/", "/api/explanations/"]);
  assert.deepEqual(greeted.map(({ student }) => student), ["ana"]);
});

test("whether it was clear is said with the CSRF token, and shown", async () => {
  server["POST /api/explanations/session-0/remarks/"] = { status: 204 };
  const { items, press, status } = await opened([entry(0, { clear: true })]);
  const pressed = () => [...items()[0].querySelectorAll(".verdict button")].map((button) => button.getAttribute("aria-pressed"));
  assert.deepEqual(pressed(), ["true", "false"]);
  await press("no");
  assert.deepEqual(asked.at(-1), { method: "POST", url: "/api/explanations/session-0/remarks/", csrf: "forged-not", body: { kind: "unclear" } });
  assert.deepEqual(pressed(), ["false", "true"]);
  assert.equal(status(), "noted");
});

test("a link is copied whole, or shown where copying is not allowed", async () => {
  const { press, status } = await opened([entry(0)]);
  await press("copy");
  assert.deepEqual(clipboard, ["https://school.example/answers/answer-0/"]);
  assert.equal(status(), "copied");
  navigator.clipboard.writeText = async () => { throw new Error("not allowed"); };
  await press("copy");
  assert.equal(status(), "https://school.example/answers/answer-0/");
});

test("removing takes two presses, stops what plays, and leaves the focus where the next one is", async () => {
  server["DELETE /api/explanations/session-0/"] = { status: 204 };
  const sent = [];
  const of = player({ recording: { sessionId: "session-0" } });
  const { items, player: { calls }, press, status } = await opened([entry(0), entry(1)], { of, wire: { send: (...args) => sent.push(args) } });
  await press("remove");
  assert.equal(items().length, 2);
  await press("really");
  assert.deepEqual(calls, [["stop"]]);
  assert.deepEqual(items().map((item) => item.dataset.session), ["session-1"]);
  assert.equal(window.document.activeElement, items()[0].querySelector("button"));
  assert.equal(status(), "removed");
  assert.equal(asked.at(-1).url, "/api/explanations/", "the list without it is to be kept");
  await press("remove");
  server["DELETE /api/explanations/session-1/"] = { status: 404, json: { message: "Gone." } };
  await press("really");
  assert.deepEqual(sent, ["session-0", "session-1"].map((session_id) => ["stop_explanation", { session_id }]));
  assert.equal(items().length, 1);
  assert.equal(status(), "Gone.");
});

test("a press on remove that was not meant is taken back by going elsewhere", async () => {
  const { press } = await opened([entry(0)]);
  await press("remove");
  await press("copy");
  await press("remove");
  assert.equal(asked.filter(({ method }) => method === "DELETE").length, 0);
});

test("older ones come after the last that is known", async () => {
  const first = Array.from({ length: 30 }, (_, n) => entry(n));
  server[`GET /api/explanations/?before=${encodeURIComponent(first[29].created_at)}`] = { json: [entry(30)] };
  const { host, items, press } = await opened(first);
  await press("older");
  assert.equal(items().length, 31);
  assert.equal([...host.querySelectorAll("button")].at(-1).hidden, true);
});
