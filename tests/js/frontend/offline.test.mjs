// What is kept for when the network is away: by which rule, for whom, and until when.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeeper, decide, DOCUMENTS, keepable, PAGES, sessionOf, STATIC } from "../../../streaming/frontend/src/offline.js";

const ORIGIN = "https://school.example";
const ID = "7f1c2c1e-4a0f-4d6e-9c0b-0a5f3f2f0001";
const LIST = `${ORIGIN}/api/explanations/`;
const DOCUMENT = `${LIST}${ID}/`;

/** Cache storage as browsers have it, as far as it is used. */
class Caches {
  stores = new Map();
  async open(name) {
    const entries = this.stores.get(name) ?? new Map();
    this.stores.set(name, entries);
    const key = (request) => new URL(request.url ?? request).href;
    const varies = (request, options) => typeof request === "string" && !options?.ignoreVary; // "Vary: Accept"
    return {
      match: async (request, options) => (varies(request, options) ? undefined : entries.get(key(request))?.clone()),
      put: async (request, response) => {
        const body = await response.text();
        entries.delete(key(request));
        entries.set(key(request), new Response(body, { status: response.status }));
      },
      delete: async (request, options) => !varies(request, options) && entries.delete(key(request)),
      keys: async () => [...entries.keys()].map((url) => ({ url })),
    };
  }
  async delete(name) { return this.stores.delete(name); }
  urls(name) { return [...(this.stores.get(name)?.keys() ?? [])]; }
}

/** A response as the network gives it. */
function answer(body, { status = 200, cacheControl = "private, no-cache", type = "basic" } = {}) {
  const response = new Response(body, { status, headers: { "Cache-Control": cacheControl } });
  return Object.defineProperty(response, "type", { value: type });
}

function world(network = {}) {
  const caches = new Caches();
  const asked = [];
  const fetch = async (request) => {
    const url = request.url ?? request;
    asked.push(url);
    if (!(url in network)) throw new TypeError("Failed to fetch");
    return network[url]();
  };
  const keeper = createKeeper({ caches, fetch, origin: ORIGIN });
  /** Ask as a page does, and let what goes on afterwards end. */
  async function get(url, mode = "cors") {
    const works = [];
    const response = await keeper.answer({ url, method: "GET", mode }, decide({ url, method: "GET", mode }, ORIGIN), (work) => works.push(work));
    await Promise.all(works);
    return response.text();
  }
  return { caches, asked, network, keeper, get };
}

test("each request has its rule, and tokens and what others serve pass by", () => {
  const rule = (url, method = "GET", mode = "cors") => decide({ url: new URL(url, ORIGIN).href, method, mode }, ORIGIN);
  const cacheFirst = { store: STATIC, first: "cache" };
  assert.deepEqual(rule("/static/page/page.0123456789ab.js"), cacheFirst);
  assert.deepEqual(rule("/static/page/typeset-ABCDEF12.js"), cacheFirst);
  assert.deepEqual(rule("/static/page/page.js"), { store: STATIC, first: "network" });
  for (const url of [LIST, `${LIST}?before=x`, DOCUMENT]) assert.deepEqual(rule(url), { store: DOCUMENTS, first: "network" });
  for (const url of ["/", `/explanations/${ID}/`, `/answers/${ID}/`]) {
    assert.deepEqual(rule(url, "GET", "navigate"), { store: PAGES, first: "network" });
    assert.equal(rule(url), null);
  }
  for (const url of ["/login/", "/logout/", "/admin/login/"]) assert.equal(rule(url, "POST", "navigate"), "forget");
  assert.equal(rule(DOCUMENT, "DELETE"), "drop");
  for (const url of ["/api/token/", "/api/token/refresh/", "/api/me/", "/socket.io/?EIO=4", "/sw.js", "/admin/", "/login/", `${DOCUMENT}remarks/`,
    "https://elsewhere.example/static/x.js", "https://elsewhere.example/"]) {
    assert.equal(rule(url, "GET", "navigate"), null, url);
  }
  for (const url of ["/api/token/", `${DOCUMENT}remarks/`, "/static/page/page.js"]) assert.equal(rule(url, "POST"), null, url);
  assert.equal(rule("/", "HEAD", "navigate"), null);
});

test("only whole answers of our own are kept, and none that says it is not to be", () => {
  assert(keepable(answer("x")));
  for (const response of [answer("", { status: 503 }), answer("", { status: 206 }), answer("x", { cacheControl: "no-store" }), answer("x", { type: "opaque" })]) {
    assert(!keepable(response));
  }
  assert(!keepable({ status: 200, type: "basic", redirected: true, headers: new Headers() }));
});

test("a document tells its session", () => {
  assert.equal(sessionOf(DOCUMENT), ID);
  assert.equal(sessionOf(LIST), null);
});

test("what the network has comes first, and what is kept when it is away", async () => {
  const { network, get } = world({ [DOCUMENT]: () => answer("new") });
  assert.equal(await get(DOCUMENT), "new");
  network[DOCUMENT] = () => answer("newer");
  assert.equal(await get(DOCUMENT), "newer");
  network[DOCUMENT] = () => answer("busy", { status: 503 });
  assert.equal(await get(DOCUMENT), "busy");
  delete network[DOCUMENT];
  assert.equal(await get(DOCUMENT), "newer");
  await assert.rejects(get(LIST), TypeError);
});

test("files named by their content are asked for once", async () => {
  const url = `${ORIGIN}/static/page/page.0123456789ab.js`;
  const { asked, get } = world({ [url]: () => answer("script", { cacheControl: "max-age=315360000" }) });
  for (let n = 0; n < 3; n += 1) assert.equal(await get(url), "script");
  assert.equal(asked.length, 1);
});

test("an address that was never opened is the page when the network is away", async () => {
  const { get } = world({ [`${ORIGIN}/`]: () => answer("page") });
  await get(`${ORIGIN}/`, "navigate");
  assert.equal(await get(`${ORIGIN}/explanations/${ID}/`, "navigate"), "page");
});

test("when the student signs out, or is found signed out, nothing of them stays", async () => {
  const script = `${ORIGIN}/static/page/typeset-ABCDEF12.js`;
  const { caches, keeper, network, get } = world({ [DOCUMENT]: () => answer("mine"), [`${ORIGIN}/`]: () => answer("page"), [script]: () => answer("script") });
  const fill = async () => { await get(DOCUMENT); await get(`${ORIGIN}/`, "navigate"); await get(script); };
  await fill();
  await keeper.forget();
  assert.deepEqual([...caches.stores.keys()], [STATIC]);
  await fill();
  network[LIST] = () => answer("", { status: 401 });
  await get(LIST);
  assert.deepEqual([...caches.stores.keys()], [STATIC]);
});

test("what was asked for before signing out and comes after it is not kept", async () => {
  let give;
  const { caches, keeper, get } = world({ [DOCUMENT]: () => new Promise((resolve) => { give = () => resolve(answer("mine")); }) });
  const coming = get(DOCUMENT);
  await new Promise(setImmediate);
  await keeper.forget();
  give();
  assert.equal(await coming, "mine");
  assert.deepEqual(caches.urls(DOCUMENTS), []);
});

test("another student finds nothing of the one before, the same one everything", async () => {
  const script = `${ORIGIN}/static/page/page.0123456789ab.js`;
  const { caches, keeper, get, asked } = world({ [DOCUMENT]: () => answer("Ana's"), [`${ORIGIN}/`]: () => answer("page"), [script]: () => answer("script") });
  const resources = [script, `${ORIGIN}/api/token/`, "https://elsewhere.example/x.js"];
  await keeper.greet({ student: "ana", resources });
  assert.deepEqual(caches.urls(STATIC), [script]);
  assert.deepEqual(caches.urls(PAGES), [`${ORIGIN}/`]);
  await get(DOCUMENT);
  asked.length = 0;
  await keeper.greet({ student: "ana", resources });
  assert.deepEqual(asked, []);
  assert.deepEqual(caches.urls(DOCUMENTS), [DOCUMENT]);
  await keeper.greet({ student: "bob", resources });
  assert.deepEqual(caches.urls(DOCUMENTS), []);
  assert.deepEqual(asked, [`${ORIGIN}/`]);
});

test("a document goes with its explanation, once the server has removed it, and so do the lists that name it", async () => {
  const other = DOCUMENT.replace("1/", "2/"), older = `${LIST}?before=x`;
  const { caches, keeper, network, get } = world(Object.fromEntries([other, LIST, older, DOCUMENT].map((url) => [url, () => answer("mine")])));
  for (const url of [other, LIST, older, DOCUMENT]) await get(url);
  network[DOCUMENT] = () => answer("", { status: 503 });
  await keeper.drop({ url: DOCUMENT });
  assert.deepEqual(caches.urls(DOCUMENTS), [other, LIST, older, DOCUMENT]);
  network[DOCUMENT] = () => Object.defineProperty(new Response(null, { status: 204 }), "type", { value: "basic" });
  await keeper.drop({ url: DOCUMENT });
  assert.deepEqual(caches.urls(DOCUMENTS), [other]);
});

test("the oldest make room", async () => {
  const urls = Array.from({ length: 63 }, (_, n) => `${LIST}${ID.slice(0, -2)}${String(n).padStart(2, "0")}/`);
  const { caches, get } = world(Object.fromEntries(urls.map((url) => [url, () => answer("x")])));
  for (const url of urls) await get(url);
  assert.deepEqual(caches.urls(DOCUMENTS), urls.slice(3));
});
