// The student's page: its own script in a document of its own, signed in as in a browser, with tokens of two seconds.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { CookieJar, JSDOM } from "jsdom";
import { answers, ASTRAL, SKY, standsStill, Student, students, until, url } from "./harness.mjs";

const { EMAIL, PASSWORD } = process.env;
const root = new URL("../../streaming/", import.meta.url);
const scripts = await Promise.all(
  ["frontend/node_modules/socket.io-client/dist/socket.io.min.js", "static/streaming/page.js"]
    .map((path) => readFile(new URL(path, root), "utf8")));

/** What a browser does of itself for `fetch`: addresses relative to the page, its cookies, its origin. */
function browserFetch(cookies) {
  return async (path, { headers = {}, ...options } = {}) => {
    const known = { Cookie: cookies.getCookieStringSync(url), Origin: url, ...headers };
    const response = await fetch(new URL(path, url), { ...options, headers: known, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) cookies.setCookieSync(cookie, url);
    return response;
  };
}

async function signIn(cookies) {
  const request = browserFetch(cookies);
  const form = new JSDOM(await (await request("/login/")).text()).window.document.querySelector("form");
  const csrfmiddlewaretoken = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ csrfmiddlewaretoken, username: EMAIL, password: PASSWORD });
  assert.equal((await request("/login/", { method: "POST", body })).status, 302);
}

class Page {
  static async open(context, cookies, storage = {}) {
    const html = await (await browserFetch(cookies)("/")).text();
    return new Page(context, cookies, html, storage);
  }

  constructor(context, cookies, html, storage) {
    const { window } = new JSDOM(html, { url, cookieJar: cookies, runScripts: "outside-only", pretendToBeVisual: true });
    context.after(() => window.close());
    Object.assign(window.sessionStorage, storage);
    window.fetch = (...request) => ((this.tokens += 1), browserFetch(cookies)(...request));
    Object.assign(this, { context, cookies, window, tokens: 0 });
    this.$ = (id) => window.document.getElementById(id);
    window.eval(scripts.join("\n"));
  }

  reload() {
    const storage = { ...this.window.sessionStorage };
    this.window.close();
    return Page.open(this.context, this.cookies, storage);
  }

  ask(question) {
    this.$("question").value = question;
    this.$("ask").requestSubmit();
  }

  toString() {
    const { state, contents, tokens } = this;
    const storage = JSON.stringify({ ...this.window.sessionStorage });
    const said = [this.$("status").textContent, this.$("error").textContent];
    return JSON.stringify({ state, tokens, said, storage, shown: contents.call(this).map((text) => text.length) });
  }

  get state() {
    return this.window.document.querySelector("main").dataset.state;
  }

  contents() {
    return [...this.window.document.querySelectorAll("#steps p")].map((p) => p.textContent);
  }

  boards() {
    return [...this.window.document.querySelectorAll("#steps ul")].map((board) => board.children.length);
  }

  enters(state) {
    return until(() => this.state === state, () => `${state}: ${this}`);
  }
}

const cookies = new CookieJar();
const whole = answers[SKY].map(({ content }) => content);

test("the page plays on through expired tokens, and holds the whole explanation", async (context) => {
  await signIn(cookies);
  const page = await Page.open(context, cookies);
  const { document } = page.window;
  const example = [...document.querySelectorAll("#examples button")].at(-1);
  page.$("question").value = "?"; // jsdom does not know `formnovalidate`
  example.click();
  await page.enters("complete");
  const steps = answers[example.value];
  assert.equal(page.$("asked").textContent, example.value);
  assert.deepEqual(page.contents(), steps.map(({ content }) => content));
  assert(page.boards().some((drawn) => drawn > 0));
  assert.equal(page.$("error").textContent, "");
  assert.deepEqual(Object.keys(page.window.localStorage), []);
  assert(!JSON.stringify(page.window.sessionStorage).includes("eyJ"), "a token is stored");

  page.$("toggle").click(); // once more
  await until(() => page.contents().length === 1, "the first step again");
  await page.enters("complete");
  assert.deepEqual(page.contents(), steps.map(({ content }) => content));
  assert(page.tokens > 1, "no token expired on the way");
});

test("after a reload the page goes on as it was: paused, or playing", async (context) => {
  const page = await Page.open(context, cookies);
  page.ask(SKY);
  await until(() => page.contents()[1], "the second step");
  page.$("toggle").click();
  await page.enters("paused");
  await standsStill(() => page.contents());
  const [held, drawn] = [page.contents(), page.boards()];

  const again = await page.reload();
  await again.enters("paused");
  assert.deepEqual([again.contents(), again.boards()], [held, drawn]);
  again.$("toggle").click();
  await until(() => again.contents().join().length > held.join().length, "more text");

  const third = await again.reload();
  await third.enters("complete");
  assert.deepEqual(third.contents(), whole);
});

test("another device seeks and takes the session: the page cuts at the code point, rests, and takes it back", async (context) => {
  const page = await Page.open(context, cookies);
  page.ask(ASTRAL);
  await until(() => [...(page.contents()[0] ?? "")].length > 60, "some text");
  page.$("toggle").click();
  await page.enters("paused");
  const other = new Student({ auth: { token: students[0] } });
  context.after(() => other.socket.close());
  const { position } = await other.send("seek_explanation", { step: 1, position: 40 });
  const [whole] = answers[ASTRAL].map(({ content }) => [...content]);
  assert(whole.slice(0, position).includes("𝑥"));
  await until(() => page.contents()[0].length < 60, "the cut");
  assert.deepEqual(page.contents(), [whole.slice(0, position).join("")]);

  await other.send("resume_explanation", { step: 1, position: 0 });
  await until(() => page.$("status").textContent === "Sigue en otra ventana.", "word of the other window");
  page.$("toggle").click();
  await page.enters("complete");
  assert.deepEqual(page.contents(), answers[ASTRAL].map(({ content }) => content));
});

test("what the server refuses is said in words, and what plays goes on", async (context) => {
  const page = await Page.open(context, cookies);
  page.ask(SKY);
  await page.enters("playing");
  page.ask("¿?");
  await until(() => page.$("error").textContent, "the error");
  assert.equal(page.$("error").textContent, "Escribe primero una pregunta.");
  await page.enters("complete");
  assert.deepEqual(page.contents(), whole);
});

test("a signed-out student gets a link to sign in", async (context) => {
  const page = await Page.open(context, cookies);
  await until(() => page.tokens, "the first token");
  const body = new URLSearchParams({ csrfmiddlewaretoken: page.window.document.querySelector("[name=csrfmiddlewaretoken]").value });
  assert.equal((await browserFetch(cookies)("/logout/", { method: "POST", body })).status, 302);
  page.ask(SKY);
  await until(() => !page.$("login").hidden, "the link", 20);
  assert.equal(page.$("login").querySelector("a").getAttribute("href"), "/login/");
});
