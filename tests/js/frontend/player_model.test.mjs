// Random orders of events against a small model of the server: two tabs of one student, connections that die with all
// that is on its way, and whatever students do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Player } from "../../../streaming/frontend/src/player.js";
import { isBefore } from "../../../streaming/frontend/src/recording.js";

const PACE = 1000;
const GOING = ["waiting", "playing"];
const FORMULA = "$x^2$";

/** One step of an answer, every character of which tells where it stands. */
function written(question, step) {
  const content = `${question}${step}:` + "abcdefghij".repeat(12 + 4 * step) + FORMULA + "👩‍👩‍👧é";
  const ats = [0, 40, 40, [...content].length];
  return { title: `${question} ${step}`, type: "text", content, canvas_commands: ats.map((at, n) => ({ op: "text", text: `${step}.${n}`, at })) };
}

const answers = new Map();
function answerOf(question) {
  if (!answers.has(question)) answers.set(question, [1, 2, 3].map((step) => written(question, step)));
  return answers.get(question);
}

const place = ({ step, position }) => ({ step, position });
const REFUSED = (code) => ({ ok: false, error: { code, message: code } });

class Server {
  sessions = new Map();
  requests = new Map();

  take(conn, event, payload, reply) {
    if (event === "ask_question") return this.ask(conn, payload, reply);
    const session = this.sessions.get(payload.session_id) ??
      (payload.session_id ? null : [...this.sessions.values()].findLast(({ state }) => !["complete", "stopped"].includes(state)));
    if (event === "get_session") return reply({ ok: true, session: session ? this.snapshot(session, conn) : null });
    if (!session) return reply(REFUSED("no_active_session"));
    const at = payload.step === undefined ? null : place(payload);
    const answer = answerOf(session.question);
    if (at && (!session.written || at.step < 1 || at.step > 3 || at.position > [...answer[at.step - 1].content].length)) {
      if (session.written || at.step !== 1 || at.position !== 0) return reply(REFUSED("invalid_position"));
    }
    const finished = ["complete", "stopped"].includes(session.state);
    const ok = () => reply({ ok: true, ...place(session) });
    switch (event) {
      case "set_speed":
        session.speed = payload.speed;
        return ok();
      case "stop_explanation":
        if (!finished) this.end(session, "stopped", "explanation_stopped");
        return ok();
      case "pause_explanation":
        if (finished) return reply(REFUSED("no_active_session"));
        if (session.state !== "paused") {
          if (at) this.stand(session, at);
          session.state = "paused";
          this.say(session, "streaming_paused", { ...place(session), message: "", reason: "user" });
        }
        return ok();
      case "seek_explanation": {
        if (!session.written) return reply(REFUSED("invalid_position"));
        this.begin(session);
        if (session.state !== "paused") session.state = "playing";
        this.say(session, "explanation_seeked", at);
        const onward = isBefore(session, at);
        if (onward) this.sendTo(session, at);
        else {
          this.stand(session, at);
          this.arrive(session, false);
        }
        ok();
        if (!session.conn) session.state = finished ? "paused" : session.state;
        return;
      }
      case "resume_explanation": {
        if (payload.speed) session.speed = payload.speed;
        const elsewhere = session.conn !== conn;
        if (elsewhere && session.conn) {
          if (!finished) this.say(session, "streaming_paused", { ...place(session), message: "", reason: "moved" });
        }
        if (elsewhere) {
          if (conn.session && conn.session !== session) this.leave(conn);
          if (session.conn) session.conn.session = null;
          [session.conn, conn.session] = [conn, session];
        }
        if (!at && !elsewhere && GOING.includes(session.state)) return ok();
        if (!session.written) {
          session.state = "waiting";
          ok();
          return this.say(session, "streaming_resumed", place(session));
        }
        this.begin(session);
        const reached = finished ? { step: 1, position: 0 } : place(session);
        if (at) this.stand(session, at);
        session.state = "playing";
        ok();
        this.say(session, "streaming_resumed", place(session));
        this.arrive(session, at !== null || elsewhere);
        return this.sendTo(session, reached);
      }
    }
  }

  ask(conn, { question, request_id, about }, reply) {
    const known = this.requests.get(request_id);
    const ack = (session) => ({ ok: true, session_id: session.id, question_hash: "h", cached: false });
    if (known) return this.take(conn, "resume_explanation", { session_id: known.id }, () => reply(ack(known)));
    if (question === "refused") return reply(REFUSED("insufficient_credits"));
    if (about) {
      const parent = this.sessions.get(about.session_id);
      if (!parent?.written) return reply(REFUSED("invalid_position"));
      if (!["complete", "stopped"].includes(parent.state)) {
        this.stand(parent, place(about));
        parent.state = "paused";
        this.say(parent, "streaming_paused", { ...place(parent), message: "", reason: "user" });
      }
      if (parent.conn === conn) this.leave(conn);
    }
    if (conn.session) {
      if (!["complete", "stopped"].includes(conn.session.state)) this.end(conn.session, "stopped", "explanation_stopped");
      conn.session.conn = null;
    }
    const session = { id: `s${this.sessions.size + 1}`, question, step: 1, position: 0, state: "waiting", speed: 1, written: false,
      begun: false, opened: false, done: false, said: 0, conn };
    this.sessions.set(session.id, session);
    this.requests.set(request_id, session);
    conn.session = session;
    reply(ack(session));
  }

  say({ conn }, event, payload) {
    conn?.tell(event, payload);
  }

  end(session, state, event) {
    session.state = state;
    this.say(session, event, state === "stopped" ? place(session) : { total_duration: 1, steps_completed: 3 });
  }

  leave(conn) {
    const { session } = conn;
    if (!session) return;
    if (GOING.includes(session.state)) {
      session.state = "paused";
      this.say(session, "streaming_paused", { ...place(session), message: "", reason: "user" });
    }
    conn.session = session.conn = null;
  }

  /** The connection is found to be dead. */
  bury(conn) {
    const { session } = conn;
    if (!session) return;
    if (GOING.includes(session.state)) session.state = "paused";
    conn.session = session.conn = null;
  }

  begin(session) {
    if (session.begun) return;
    session.begun = true;
    this.say(session, "explanation_start", { total_steps: 3, estimated_duration: 1, question_hash: "h", session_id: session.id, answer_id: null, cached: false });
  }

  stand(session, { step, position }) {
    const { content, canvas_commands: commands } = answerOf(session.question)[step - 1];
    Object.assign(session, { step, position, opened: position > 0 });
    session.done = session.opened && position === [...content].length;
    session.said = position > 0 ? commands.filter(({ at }) => at <= position).length : 0;
  }

  arrive(session, board) {
    if (session.position === 0 && (board || session.done)) session.opened = session.done = false;
    if (board) session.said = 0;
    this.open(session);
    this.draw(session);
    if (session.done) this.endStep(session);
  }

  open(session) {
    if (session.opened) return;
    Object.assign(session, { opened: true, said: 0 });
    const { title, type } = answerOf(session.question)[session.step - 1];
    this.say(session, "step_start", { step: session.step, title, type });
  }

  draw(session) {
    const commands = answerOf(session.question)[session.step - 1].canvas_commands;
    for (; session.said < commands.length && commands[session.said].at <= session.position; session.said += 1) {
      this.say(session, "canvas_command", { step: session.step, command: commands[session.said], n: session.said, at: commands[session.said].at });
    }
  }

  endStep(session) {
    session.done = true;
    this.say(session, "step_complete", { step: session.step });
    if (session.step === 3 && session.state === "playing") this.end(session, "complete", "explanation_complete");
  }

  chunk(session, size, stop = null) {
    if (session.done) {
      if (session.step === 3) return this.end(session, "complete", "explanation_complete");
      this.stand(session, { step: session.step + 1, position: 0 });
    }
    this.open(session);
    this.draw(session);
    const characters = [...answerOf(session.question)[session.step - 1].content];
    let end = Math.min(session.position + size, characters.length);
    if (stop?.step === session.step) end = Math.min(end, stop.position);
    else if (end > characters.length - 12) end = characters.length; // no cut in a formula or cluster
    if (end === session.position && !(end === characters.length)) return;
    const final = end === characters.length;
    this.say(session, "content_chunk", { step: session.step, chunk: characters.slice(session.position, end).join(""), position: session.position, is_final: final });
    session.position = end;
    this.draw(session);
    if (final) this.endStep(session);
  }

  sendTo(session, to) {
    while (isBefore(session, to)) this.chunk(session, 4000, to);
  }

  /** Time passes: text is written and sent. */
  stream(session, size) {
    if (session.state === "waiting") {
      session.written = true;
      session.state = "playing";
      this.begin(session);
    }
    if (!session.written) {
      session.written = true; // of one that rests
      return this.begin(session);
    }
    if (session.state === "playing" && session.conn) this.chunk(session, size);
  }

  snapshot(session, conn) {
    const whole = session.begun ? answerOf(session.question).slice(0, session.step) : [];
    const steps = whole.map((step, index) => {
      if (index + 1 < session.step) return { step: index + 1, ...step };
      const content = [...step.content].slice(0, session.position).join("");
      return { step: index + 1, ...step, content, canvas_commands: step.canvas_commands.slice(0, session.said) };
    });
    return {
      session_id: session.id, question: session.question, question_hash: "h", answer_id: null, cached: false, state: session.state,
      ...place(session), speed: session.speed, total_steps: 3, estimated_duration: 1, playing_here: session.conn === conn, steps,
    };
  }
}

/** A connection with what is on its way in both directions. */
class Connection {
  up = [];
  down = [];
  session = null;

  constructor(ears) {
    this.ears = ears;
  }

  tell(event, payload) {
    this.down.push(() => this.ears.heard(event, structuredClone(payload)));
  }
}

/** A tab: its wire, its player, what it keeps. */
class Tab {
  conn = null;
  lost = [];
  kept = new Map();
  dead = []; // connections of which the server does not know yet that they are

  constructor(world) {
    this.world = world;
    this.load();
  }

  load() {
    const shelf = { getItem: (key) => this.kept.get(key) ?? null, setItem: (key, value) => this.kept.set(key, value) };
    const wire = {
      open: (ears) => { this.ears = ears; },
      renew: () => {
        this.drop();
      },
      send: (event, payload, then = () => {}) => {
        const answered = (ack) => then(ack);
        const conn = this.conn;
        if (!conn) return answered(REFUSED("connection_lost"));
        const reply = (ack) => conn.down.push(() => {
          conn.calls.delete(answered);
          answered(ack);
        });
        conn.up.push({ event, payload: structuredClone(payload), reply });
        conn.calls.add(answered);
      },
    };
    this.player = new Player({ wire, clock: () => this.world.now, pace: PACE, storage: shelf, settings: { getItem: () => null, setItem() {} } });
  }

  connect() {
    if (this.conn) return;
    this.conn = new Connection(this.ears);
    this.conn.calls = new Set();
    this.ears.changed("online");
  }

  drop(changed = true) {
    const { conn } = this;
    if (!conn) return;
    this.conn = null;
    this.dead.push(conn);
    while (conn.up.length && this.world.random() < 0.5) this.world.up(conn); // some of what is on its way still arrives
    conn.down = [];
    if (changed) this.ears.changed("lost");
    if (changed) for (const answered of [...conn.calls]) answered(REFUSED("connection_lost"));
  }

  reload() {
    this.player.keep();
    this.drop(false);
    this.load();
  }
}

class World {
  now = 0;
  server = new Server();
  log = [];

  constructor(seed) {
    let state = seed * 2654435761 % 4294967296;
    this.random = () => (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296;
    this.tabs = [new Tab(this)];
  }

  pick(items) {
    return items[Math.floor(this.random() * items.length)];
  }

  act(tab) {
    const { player } = tab;
    const steps = player.recording?.steps ?? [];
    const known = () => {
      const step = 1 + Math.floor(this.random() * Math.max(steps.length, 1));
      return { step, position: Math.floor(this.random() * ((steps[step - 1]?.length ?? 0) + 1)) };
    };
    const doings = {
      ask: () => player.ask(this.pick(["P", "Q", "R", "refused"])),
      followUp: () => player.followUp(this.pick(["F", "G", "refused"])),
      back: () => player.back(),
      play: () => player.play(), pause: () => player.pause(), toggle: () => player.toggle(), toggle2: () => player.toggle(),
      stop: () => player.stop(), seek: () => player.seek(known()), seek2: () => player.seek(known()),
      stepBy: () => player.stepBy(this.pick([1, -1])), showAll: () => player.showAll(), recover: () => player.recover(),
      setSpeed: () => player.setSpeed(this.pick([0.5, 1, 4])), continueHere: () => player.continueHere(), reload: () => tab.reload(),
    };
    const doing = this.pick(Object.keys(doings));
    this.note(`tab ${this.tabs.indexOf(tab)} ${doing}`);
    doings[doing]();
  }

  note(line) {
    this.log.push(line);
  }

  up(conn) {
    const { event, payload, reply } = conn.up.shift();
    this.note(`  > ${event} ${JSON.stringify(payload)}`);
    this.server.take(conn, event, payload, (ack) => {
      this.note(`  < ${JSON.stringify(ack).slice(0, 150)}`);
      reply(ack);
    });
  }

  step() {
    const tab = this.pick(this.tabs), { conn } = tab;
    const roll = this.random();
    if (roll < 0.3) conn?.up.length && this.up(conn);
    else if (roll < 0.6) conn?.down.shift()?.();
    else if (roll < 0.7) this.stream(40);
    else if (roll < 0.9) this.pass(50 + this.random() * 400);
    else if (roll < 0.93) conn ? this.random() < 0.4 && (this.note("lost"), tab.drop()) : (this.note("online"), tab.connect());
    else if (roll < 0.95) {
      const dead = tab.dead.shift();
      if (dead) this.server.bury(dead);
    } else this.act(tab);
    for (const one of this.tabs) this.check(one);
  }

  stream(size) {
    for (const session of this.server.sessions.values()) this.server.stream(session, 5 + Math.floor(this.random() * size));
  }

  pass(ms) {
    this.now += ms;
    for (const { player } of this.tabs) player.tick();
  }

  /** What is shown is the answer up to the playhead, text and board. */
  check({ player: { recording, place, state, elsewhere } }) {
    if (!recording?.question || !recording.steps.length) return;
    const answer = answerOf(recording.question);
    recording.steps.forEach(({ title, content, length, commands, complete }, index) => {
      assert.equal(title, answer[index].title);
      assert.ok(answer[index].content.startsWith(content), `step ${index + 1}: ${content}`);
      assert.equal([...content].length, length);
      if (complete) assert.equal(content, answer[index].content);
      assert.deepEqual(commands.map(({ text }) => text), answer[index].canvas_commands.slice(0, commands.length).map(({ text }) => text));
    });
    assert.ok(place.position <= [...(answer[place.step - 1]?.content ?? "")].length);
    if (state === "complete" && !elsewhere) assert.deepEqual([place.step, recording.steps.length], [3, 3]);
  }

  /** Everything arrives, nobody does anything. */
  settle(seconds = 60) {
    this.note("settle");
    for (const tab of this.tabs) for (const dead of tab.dead.splice(0)) this.server.bury(dead);
    for (let round = 0; round < seconds * 5; round += 1) {
      for (const tab of this.tabs) {
        tab.connect();
        while (tab.conn?.up.length || tab.conn?.down.length) {
          if (tab.conn.up.length) this.up(tab.conn);
          else tab.conn.down.shift()();
        }
        for (const dead of tab.dead.splice(0)) this.server.bury(dead);
      }
      this.stream(60);
      this.pass(200);
      for (const tab of this.tabs) this.check(tab);
    }
  }
}

const ROUNDS = Number(process.env.ROUNDS ?? 150), FIRST = Number(process.env.SEED ?? 1);

function play(title, setUp, judge) {
  test(title, () => {
    const failures = [];
    for (let seed = FIRST; seed < FIRST + ROUNDS; seed += 1) {
      const world = new World(seed);
      try {
        setUp(world);
        for (let turn = 0; turn < 250; turn += 1) world.step();
        world.settle();
        judge(world);
      } catch (error) {
        failures.push(seed);
        if (failures.length === 1) var first = new Error(`seed ${seed}: ${error.message}\n${world.log.slice(-60).join("\n")}`, { cause: error });
      }
    }
    if (first) {
      first.message = `failing seeds: ${failures.join(" ")}\n${first.message}`;
      throw first;
    }
  });
}

/** A tab and the server agree in the end on what happens. */
function agrees({ player }, server) {
  const { recording, state, place: shown } = player;
  if (!recording?.sessionId) return;
  const session = server.sessions.get(recording.sessionId);
  const there = JSON.stringify({ state: session.state, ...place(session), here: session.conn !== null });
  assert.notEqual(state, "waiting", there);
  assert.notEqual(state, "playing", `still going at ${JSON.stringify(shown)}: ${there}`);
  if (player.elsewhere) return;
  const drawn = answerOf(recording.question).slice(0, shown.step).flatMap(({ canvas_commands: all }, index) =>
    index + 1 < shown.step ? all : all.filter(({ at }) => at <= shown.position));
  if (shown.position > 0) assert.deepEqual(recording.commandsBefore(shown).map(({ text }) => text), drawn.map(({ text }) => text));
  if (state === "complete") assert.deepEqual(shown, { step: 3, position: [...answerOf(recording.question)[2].content].length });
  if (state === "paused") {
    const asked = { ...shown, position: shown.position - 1 }; // a follow-up that came to nothing was about this
    const rests = [shown, asked].some((one) => isDeepStrictEqual(one, place(session)));
    assert.ok(rests && session.state === "paused", `rests at ${JSON.stringify(shown)}: ${there}`);
  }
  if (state === "stopped") assert.equal(session.state, "stopped");
}

play("one tab, whatever order things happen in", (world) => {
  world.tabs[0].connect();
  world.settle(1);
  world.tabs[0].player.ask("P");
}, (world) => agrees(world.tabs[0], world.server));

play("two tabs, whatever order things happen in", (world) => {
  world.tabs[0].connect();
  world.settle(1);
  world.tabs[0].player.ask("P");
  world.settle(2);
  world.tabs.push(new Tab(world));
}, () => {});
