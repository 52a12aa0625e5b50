// The connection with the official client on one side, and on the other a server that speaks the protocol's bare frames.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createWire } from "../../../streaming/frontend/src/wire.js";

const { WebSocketServer } = createRequire(new URL("../../../streaming/frontend/src/wire.js", import.meta.url))("ws");
const OPEN = JSON.stringify({ sid: "e", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 65_536 });

class World {
  tokens = []; // those that were given
  connections = [];
  log = []; // of what the player hears
  status = 200;
  welcome = () => '40{"sid":"s"}';

  static async make(context) {
    const world = new World();
    world.server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(world.server, "listening");
    world.server.on("connection", (socket) => {
      const connection = { socket, said: [] };
      socket.send(`0${OPEN}`);
      socket.on("message", (data) => {
        const [, kind, id, body] = /^4(\d)(\d*)(.*)$/s.exec(String(data)) ?? [];
        if (kind === "0") {
          connection.auth = JSON.parse(body);
          world.connections.push(connection);
          socket.send(world.welcome(connection.auth));
        } else if (kind === "2") connection.said.push({ id, event: JSON.parse(body) });
      });
    });
    world.wire = createWire({
      tokenUrl: "/token",
      url: `http://127.0.0.1:${world.server.address().port}`,
      fetch: async (url, { method, headers }) => {
        assert.deepEqual([url, method, headers], ["/token", "POST", { "X-CSRFToken": "c" }]);
        if (world.status === 0) throw new TypeError("no network");
        world.tokens.push(`t${world.tokens.length + 1}`);
        return new Response(JSON.stringify({ access: world.tokens.at(-1) }), { status: world.status });
      },
      cookies: () => "a=b; csrftoken=c; d=e",
    });
    context.after(() => {
      world.wire.close();
      for (const client of world.server.clients) client.terminate();
      world.server.close();
    });
    return world;
  }

  open() {
    this.wire.open({ heard: (...event) => this.log.push(event), changed: (state) => this.log.push(state) });
  }

  async until(condition, what) {
    for (const began = Date.now(); !condition(); await turn()) assert(Date.now() - began < 5000, `${what}: ${JSON.stringify(this.log)}`);
  }

  async online(times = 1) {
    await this.until(() => this.log.filter((entry) => entry === "online").length >= times, "online");
    return this.connections.at(-1);
  }
}

const say = ({ socket }, event, payload) => socket.send(`42${JSON.stringify([event, payload])}`);
const lost = { ok: false, error: { code: "connection_lost", message: "" } };

test("each connection has a token of its own", async (context) => {
  const world = await World.make(context);
  world.open();
  const first = await world.online();
  assert.deepEqual([first.auth, world.log], [{ token: "t1" }, ["online"]]);
  first.socket.send("41"); // the server lets go of it
  const second = await world.online(2);
  assert.deepEqual([second.auth, world.log.slice(1)], [{ token: "t2" }, ["lost", "connecting", "online"]]);
  second.socket.terminate();
  assert.deepEqual((await world.online(3)).auth, { token: "t3" });
});

test("answers and events are heard in the order in which they come", async (context) => {
  const world = await World.make(context);
  world.open();
  const connection = await world.online();
  world.wire.send("ask_question", { question: "?" }, (ack) => world.log.push(ack));
  await world.until(() => connection.said.length, "said");
  assert.deepEqual(connection.said[0].event, ["ask_question", { question: "?" }]);
  say(connection, "explanation_stopped", { step: 1 });
  connection.socket.send(`43${connection.said[0].id}${JSON.stringify([{ ok: true }])}`);
  say(connection, "waiting_phrase", { message: "…" });
  await world.until(() => world.log.length === 4, "heard");
  assert.deepEqual(world.log.slice(1), [["explanation_stopped", { step: 1 }], { ok: true }, ["waiting_phrase", { message: "…" }]]);
});

test("what can get no answer any more is told so, once", async (context) => {
  const world = await World.make(context);
  const acks = [];
  world.open();
  world.wire.send("get_session", {}, (ack) => acks.push(ack));
  assert.deepEqual(acks, [lost]);
  const connection = await world.online();
  world.wire.send("get_session", {}, (ack) => acks.push(ack));
  await world.until(() => connection.said.length, "said");
  connection.socket.terminate();
  await world.until(() => acks.length === 2, "answered");
  const next = await world.online(2);
  assert.deepEqual([acks[1], next.said], [lost, []]); // it is not said again behind the player's back
});

test("a connection that does not answer is given up for a new one", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const world = await World.make(context);
  world.open();
  await world.online();
  const acks = [];
  world.wire.send("get_session", {}, (ack) => acks.push(ack));
  mock.timers.tick(12_000);
  assert.deepEqual([acks, world.log.includes("lost")], [[lost], true]);
  await world.online(2);
});

test("who is signed out is told so, and comes in as soon as they are signed in", async (context) => {
  const world = await World.make(context);
  world.status = 403;
  world.open();
  await world.until(() => world.log.includes("signed-out"), "signed out");
  assert.deepEqual(world.connections, []);
  world.status = 200;
  world.wire.renew();
  await world.online();
});

test("an expired token is renewed with the connection, and the student hears of it", async (context) => {
  const world = await World.make(context);
  world.open();
  say(await world.online(), "error", { code: "token_expired", message: "" });
  assert.deepEqual((await world.online(2)).auth, { token: "t2" });
  assert.deepEqual(world.log[1], ["error", { code: "token_expired", message: "" }]);
});

test("a refused connection says why, and is tried again", async (context) => {
  const world = await World.make(context);
  const refusals = [{ code: "too_many_connections", message: "Too many" }, { code: "token_expired", message: "" }];
  world.welcome = () => (refusals.length ? `44${JSON.stringify({ message: "refused", data: refusals.shift() })}` : '40{"sid":"s"}');
  world.open();
  await world.online();
  assert.deepEqual(world.log.filter(Array.isArray), [["error", { code: "too_many_connections", message: "Too many" }]]);
  assert.equal(world.connections.length, 3);
});

test("as long as there is no network for a token, it is tried again, and at once when there is", async (context) => {
  const world = await World.make(context);
  world.status = 0;
  world.open();
  await world.until(() => world.log.includes("lost"), "lost");
  world.status = 200;
  world.wire.renew();
  await world.online();
});
