// What the JavaScript tests share. `test_js_clients.py` runs them and says in the environment where the server is,
// who the students are (their tokens) and what the answers say.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { transform } from "sucrase";

export const url = process.env.SERVER_URL;
export const students = JSON.parse(process.env.STUDENTS ?? "[]");
export const transport = process.env.TRANSPORT ?? "websocket"; // what a stock client ends up on
export const answers = JSON.parse(await readFile(process.env.ANSWERS, "utf8")); // steps by question
export const SKY = "¿Por qué el cielo es azul?";
export const ASTRAL = "¿Qué es 𝑥?"; // many of its characters are two of JavaScript's units, or several code points

export async function until(condition, what, seconds = 15) {
  for (const began = Date.now(); !condition(); await sleep(5)) {
    assert(Date.now() - began < seconds * 1000, `still waiting for ${what instanceof Function ? what() : what}`);
  }
}

/** Assert that something stays as it is for several times as long as a chunk takes. */
export async function standsStill(reading) {
  const before = reading();
  await sleep(300);
  assert.deepEqual(reading(), before);
}

/**
 * Run a published example with nothing changed but the server's address; its free names are the host's to define.
 * Return what it defines under the names in `returned`, and the connections that it opens.
 */
export async function runExample(file, host, returned) {
  const source = await readFile(new URL(file, import.meta.url), "utf8");
  assert.equal(source.split("http://localhost:5000").length, 2);
  const options = { transforms: ["jsx", "imports"], jsxRuntime: "automatic", production: true };
  const { code } = transform(source.replace("http://localhost:5000", url), options);
  const sockets = [];
  const noted = (...from) => (sockets.push(io(...from)), sockets.at(-1));
  const resolve = createRequire(import.meta.url);
  const require = (name) => (name === "socket.io-client" ? { __esModule: true, default: noted } : resolve(name));
  const run = new Function("require", "exports", ...Object.keys(host), `${code}\nreturn { ${returned} };`);
  return { sockets, ...run(require, {}, ...Object.values(host)) };
}

/** A student with the official client who notes all that happens and writes each chunk at its position. */
export class Student {
  events = [];
  text = []; // code points by step, from 1

  constructor(options) {
    this.socket = io(url, { forceNew: true, reconnection: false, ...options });
    this.socket.onAny((name, data) => {
      this.events.push({ name, ...data });
      if (name !== "content_chunk") return;
      const held = (this.text[data.step] ??= []);
      assert(data.position <= held.length, `a hole before ${data.position} of step ${data.step}`);
      held.splice(data.position, Infinity, ...data.chunk);
    });
  }

  async send(event, payload) {
    const answer = await this.socket.timeout(5000).emitWithAck(event, payload);
    this.events.push({ name: "ack", of: event, ...answer });
    return answer;
  }

  named(name) {
    return this.events.filter((event) => event.name === name);
  }

  heard(name, count = 1) {
    return until(() => this.named(name).length >= count, name);
  }

  contents() {
    return this.text.slice(1).map((held) => held.join(""));
  }
}
