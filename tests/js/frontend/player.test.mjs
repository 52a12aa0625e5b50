import assert from "node:assert/strict";
import { test } from "node:test";
import { Player } from "../../../streaming/frontend/src/player.js";

const PACE = 1000;
const TEXT = "abcdefghij".repeat(60); // a minute takes 27 s
const at = (step, position) => ({ step, position });

/** A server that says only what the test lets it say. */
class Wire {
  sent = [];
  speeds = []; // what was asked for, apart from all else
  renewed = 0;

  open(ears) {
    this.ears = ears;
  }

  renew() {
    this.renewed += 1;
  }

  send(event, payload, answered = () => {}) {
    if (event === "set_speed") this.speeds.push(payload.speed);
    else this.sent.push({ event, payload, answered });
  }

  connect() {
    this.ears.changed("online");
  }

  lose() {
    for (const { answered } of this.sent.splice(0)) answered({ ok: false, error: { code: "connection_lost", message: "" } });
    this.ears.changed("lost");
  }

  /** Answer the first command, which has to be this one, and return what it said. */
  answer(event, ack = {}) {
    assert.equal(this.sent[0]?.event, event, JSON.stringify(this.sent));
    const { payload, answered } = this.sent.shift();
    answered({ ok: true, ...ack });
    return payload;
  }

  refuse(event, code) {
    return this.answer(event, { ok: false, error: { code, message: `words for ${code}` } });
  }

  hear(event, payload = {}) {
    this.ears.heard(event, payload);
  }

  get names() {
    return this.sent.map(({ event }) => event);
  }
}

class Shelf extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
}

class Stage {
  constructor(storage = new Shelf(), settings = new Shelf()) {
    Object.assign(this, { storage, settings, wire: new Wire(), now: 0 });
    this.player = new Player({ wire: this.wire, clock: () => this.now, pace: PACE, storage, settings });
  }

  /** Connected, with nothing to come back to. */
  static idle() {
    const stage = new Stage();
    stage.wire.connect();
    stage.wire.answer("get_session", { session: null });
    return stage;
  }

  /** One question is asked, and its first step is known up to `known`. */
  static playing(known = 600, session_id = "s1") {
    const stage = Stage.idle();
    stage.player.ask("Why?");
    stage.begin(session_id);
    stage.chunk(0, known);
    return stage;
  }

  begin(session_id) {
    this.wire.answer("ask_question", { session_id, question_hash: "h", cached: false });
    this.wire.hear("explanation_start", { total_steps: 2, estimated_duration: 1.2, question_hash: "h", session_id, answer_id: null, cached: false });
    this.wire.hear("step_start", { step: 1, title: "One", type: "text" });
  }

  chunk(from, to, step = 1) {
    this.wire.hear("content_chunk", { step, chunk: TEXT.slice(from, to), position: from, is_final: to === 600 });
  }

  end() {
    this.wire.hear("step_start", { step: 2, title: "Two", type: "text" });
    this.chunk(0, 600, 2);
    this.wire.hear("explanation_complete", { total_duration: 1, steps_completed: 2 });
  }

  pass(seconds) {
    for (let left = Math.round(seconds * 20); left > 0; left -= 1) {
      this.now += 50;
      this.player.tick();
    }
  }

  reload() {
    return new Stage(this.storage, this.settings);
  }
}

const snapshot = (position, more = {}) => ({
  session: {
    session_id: "s1", question: "Why?", question_hash: "h", answer_id: null, cached: false, state: "paused", step: 1, position,
    speed: 0.022, total_steps: 2, estimated_duration: 40, playing_here: false,
    steps: [{ step: 1, title: "One", type: "text", content: TEXT.slice(0, position), canvas_commands: [] }], ...more,
  },
});

test("what is asked is waited for and played at reading pace", () => {
  const stage = Stage.idle();
  const { player, wire } = stage;
  assert.equal(player.state, "idle");
  player.ask("Why?", { context: { level: "school" } });
  assert.deepEqual([player.state, player.recording.question], ["waiting", "Why?"]);
  const { question, context, speed, request_id } = wire.sent[0].payload;
  assert.deepEqual([question, context, speed, typeof request_id], ["Why?", { level: "school" }, 0.088, "string"]);
  wire.hear("explanation_stopped", at(1, 9)); // the one before, which nobody hears any more
  wire.answer("ask_question", { session_id: "s1", question_hash: "h", cached: false });
  wire.hear("waiting_phrase", { message: "Thinking" });
  assert.deepEqual([player.state, player.waitingPhrase, player.recording.sessionId], ["waiting", "Thinking", "s1"]);
  wire.hear("explanation_start", { total_steps: 2, estimated_duration: 1.2, session_id: "s1", answer_id: null, cached: false });
  wire.hear("step_start", { step: 1, title: "One", type: "text" });
  stage.chunk(0, 220);
  assert.equal(player.state, "playing");
  stage.pass(5);
  assert.deepEqual([player.place, player.starving], [at(1, 110), false]);
  stage.pass(6);
  assert.deepEqual([player.place, player.starving], [at(1, 220), true]);
});

test("it is complete when it has been shown, not when it has been sent", () => {
  const stage = Stage.playing();
  stage.end();
  assert.equal(stage.player.state, "playing");
  stage.pass(54);
  assert.equal(stage.player.state, "playing");
  stage.pass(1);
  assert.deepEqual([stage.player.state, stage.player.place], ["complete", at(2, 600)]);
});

test("the server is kept some seconds ahead", () => {
  const stage = Stage.playing(100);
  stage.pass(1);
  assert.deepEqual(stage.wire.speeds, []);
  stage.chunk(100, 300);
  stage.pass(0.1);
  assert.deepEqual(stage.wire.speeds, [0.022]);
  stage.pass(6);
  assert.deepEqual(stage.wire.speeds, [0.022, 0.088]);
  stage.player.setSpeed(2);
  assert.deepEqual([stage.wire.speeds.at(-1), stage.settings.getItem("speed")], [0.176, "2"]);
  assert.equal(stage.reload().player.speed, 2);
});

test("a pause rests at what is shown, and going on is from what is held", () => {
  const stage = Stage.playing(300);
  stage.pass(2);
  stage.player.toggle();
  assert.deepEqual(stage.wire.answer("pause_explanation"), { session_id: "s1", step: 1, position: 44 });
  stage.wire.hear("streaming_paused", { ...at(1, 44), reason: "user", message: "" });
  stage.pass(5);
  assert.deepEqual([stage.player.state, stage.player.place], ["paused", at(1, 44)]);
  stage.player.toggle();
  const { speed, ...resumed } = stage.wire.answer("resume_explanation", at(1, 300));
  assert.deepEqual([resumed, speed], [{ session_id: "s1", ...at(1, 300) }, 0.022]);
  assert.equal(stage.player.state, "playing");
  stage.pass(1);
  assert.deepEqual(stage.player.place, at(1, 66));
});

test("the echo of an own pause does not end what was begun since", () => {
  const stage = Stage.playing(300);
  stage.pass(2);
  stage.player.pause();
  stage.player.play();
  stage.pass(1);
  stage.wire.hear("streaming_paused", { ...at(1, 44), reason: "user", message: "" });
  assert.deepEqual([stage.player.state, stage.player.place], ["playing", at(1, 66)]);
});

test("after the server's end a pause takes it back to what is shown, for whoever plays it next", () => {
  const stage = Stage.playing();
  stage.end();
  stage.pass(2);
  stage.player.pause();
  assert.deepEqual(stage.wire.sent.map(({ event, payload }) => [event, payload.position]), [["seek_explanation", 44], ["pause_explanation", 44]]);
  stage.wire.answer("seek_explanation");
  stage.wire.hear("explanation_seeked", at(1, 44));
  stage.wire.answer("pause_explanation");
  stage.player.play();
  assert.deepEqual(stage.wire.answer("resume_explanation").position, 44);
});

test("a pause that crosses with the server's end is said again", () => {
  const stage = Stage.playing();
  stage.pass(1);
  stage.player.pause();
  stage.wire.refuse("pause_explanation", "no_active_session");
  assert.deepEqual([stage.wire.names, stage.player.error], [["seek_explanation", "pause_explanation"], null]);
});

test("seeking moves at once where the text is known, and always tells the server", () => {
  const stage = Stage.playing();
  stage.pass(4);
  stage.player.seek(at(1, 30));
  assert.deepEqual([stage.player.place, stage.player.state], [at(1, 30), "playing"]);
  stage.pass(1);
  stage.wire.hear("explanation_seeked", at(1, 30));
  stage.wire.answer("seek_explanation", at(1, 30));
  assert.deepEqual(stage.player.place, at(1, 52));
  assert.deepEqual(stage.player.recording.held, at(1, 30));
});

test("seeking where nothing is known waits for the text, at the step's beginning", () => {
  const stage = Stage.playing(100);
  stage.pass(1);
  stage.player.seek(at(2, 50));
  assert.deepEqual([stage.player.place, stage.wire.sent[0].payload], [at(1, 22), { session_id: "s1", ...at(2, 0) }]);
  stage.wire.hear("explanation_seeked", at(2, 0));
  stage.chunk(100, 600);
  stage.wire.hear("step_start", { step: 2, title: "Two", type: "text" });
  stage.chunk(0, 100, 2);
  stage.wire.answer("seek_explanation");
  stage.pass(1);
  assert.deepEqual(stage.player.place, at(2, 22));
  assert.equal(stage.player.recording.steps[0].content, TEXT);
});

test("of many places the last counts, and one seek is on its way at a time", () => {
  const stage = Stage.playing();
  for (const position of [100, 200, 300]) stage.player.seek(at(1, position));
  assert.deepEqual(stage.wire.names, ["seek_explanation"]);
  stage.wire.hear("explanation_seeked", at(1, 100));
  assert.deepEqual(stage.player.place, at(1, 300));
  stage.wire.answer("seek_explanation");
  assert.deepEqual(stage.wire.answer("seek_explanation").position, 300);
  assert.deepEqual(stage.wire.names, []);
});

test("a place that is not written yet is refused in the student's words", () => {
  const stage = Stage.playing(100);
  stage.player.seek(at(2, 0));
  stage.wire.refuse("seek_explanation", "invalid_position");
  assert.deepEqual([stage.player.error?.message, stage.player.place], ["words for invalid_position", at(1, 0)]);
});

test("steps are gone to and fro", () => {
  const stage = Stage.playing();
  stage.end();
  stage.pass(1);
  const places = [1, -1, 1, 1].map((direction) => (stage.player.stepBy(direction), stage.player.place));
  assert.deepEqual(places, [at(2, 0), at(1, 0), at(2, 0), at(2, 0)]);
  stage.player.moveTo(at(2, 100));
  stage.player.stepBy(-1);
  assert.deepEqual(stage.player.place, at(2, 0));
});

test("show all now shows everything as it comes", () => {
  const stage = Stage.playing(300);
  stage.player.showAll();
  assert.deepEqual([stage.player.place, stage.wire.speeds], [at(1, 300), [8]]);
  stage.chunk(300, 600);
  stage.end();
  stage.pass(0.05);
  assert.equal(stage.player.state, "complete");
  stage.player.replay();
  assert.deepEqual([stage.player.place, stage.player.all, stage.player.state], [at(1, 0), false, "playing"]);
});

test("a voice leads the playhead", () => {
  const stage = Stage.playing();
  stage.player.led = true;
  stage.pass(3);
  assert.deepEqual(stage.player.place, at(1, 0));
  stage.player.moveTo(at(1, 50));
  stage.player.led = false;
  stage.pass(1);
  assert.deepEqual(stage.player.place, at(1, 72));
});

test("stopping ends it, and playing takes it up again", () => {
  const stage = Stage.playing(300);
  stage.pass(1);
  stage.player.stop();
  stage.wire.answer("stop_explanation");
  stage.wire.hear("explanation_stopped", at(1, 300));
  stage.pass(1);
  assert.deepEqual([stage.player.state, stage.player.place], ["stopped", at(1, 22)]);
  stage.player.play();
  assert.equal(stage.wire.answer("resume_explanation").position, 300);
  assert.equal(stage.player.state, "playing");
});

test("an error that ends an explanation is said in words", () => {
  const stage = Stage.playing(100);
  stage.wire.hear("error", { code: "ai_timeout", message: "Too slow" });
  stage.wire.hear("explanation_stopped", at(1, 100));
  assert.deepEqual([stage.player.state, stage.player.error.message], ["stopped", "Too slow"]);
});

test("a refused question leaves what was there", () => {
  const stage = Stage.playing(300);
  stage.pass(1);
  stage.player.ask("?");
  assert.deepEqual(stage.player.place, at(1, 0));
  stage.wire.refuse("ask_question", "question_empty");
  assert.deepEqual([stage.player.error.code, stage.player.recording.question, stage.player.place], ["question_empty", "Why?", at(1, 22)]);
  stage.pass(1);
  assert.deepEqual(stage.player.place, at(1, 44));
});

test("what was asked while there was no connection is asked again, as one question", () => {
  const stage = new Stage();
  stage.player.ask("Why?");
  assert.deepEqual([stage.wire.sent, stage.wire.renewed, stage.player.state], [[], 1, "waiting"]);
  stage.wire.connect();
  const { request_id } = stage.wire.sent[0].payload;
  stage.wire.lose();
  const again = stage.reload(); // even then
  assert.deepEqual([again.player.state, again.player.recording.question], ["waiting", "Why?"]);
  for (const each of [stage, again]) {
    each.wire.connect();
    assert.equal(each.wire.answer("ask_question", { session_id: "s1" }).request_id, request_id);
    each.wire.answer("get_session", snapshot(100, { state: "playing", playing_here: true }));
    each.pass(1);
    assert.deepEqual([each.player.state, each.player.place, each.wire.names], ["playing", at(1, 22), []]);
  }
});

test("a lost connection is not noticed while there is text in hand, and nothing is missed", () => {
  const stage = Stage.playing(300);
  stage.pass(1);
  stage.wire.lose();
  stage.pass(5);
  assert.deepEqual([stage.player.state, stage.player.connection, stage.player.place], ["playing", "lost", at(1, 132)]);
  stage.wire.connect();
  const speeds = stage.wire.speeds.length;
  stage.pass(1);
  for (const speed of [2, 1]) stage.player.setSpeed(speed); // with what it is taken up again
  assert.equal(stage.wire.speeds.length, speeds);
  stage.wire.answer("get_session", snapshot(320)); // twenty characters have been sent in vain
  assert.deepEqual(stage.wire.answer("resume_explanation").position, 320);
  stage.wire.hear("streaming_resumed", at(1, 320));
  stage.chunk(320, 600);
  stage.pass(19);
  assert.deepEqual([stage.player.place, stage.player.recording.steps[0].content], [at(1, 572), TEXT]);
});

test("what another device has taken while there was no connection is left to it", () => {
  for (const [seconds, elsewhere] of [[20, false], [31, true]]) { // before that, the server may take our own connection for alive
    const stage = Stage.playing(300);
    stage.pass(2);
    stage.wire.lose();
    stage.pass(seconds);
    stage.wire.connect();
    stage.wire.answer("get_session", snapshot(500, { state: "playing" }));
    assert.deepEqual([stage.player.elsewhere, stage.wire.names], [elsewhere, elsewhere ? [] : ["resume_explanation"]]);
  }
});

test("a pause without a connection is told with the next one", () => {
  const stage = Stage.playing(300);
  stage.wire.lose();
  stage.pass(1);
  stage.player.pause();
  stage.wire.lose();
  stage.wire.connect();
  stage.wire.answer("get_session", snapshot(300));
  assert.deepEqual([stage.player.state, stage.player.place], ["paused", at(1, 22)]);
  assert.deepEqual(stage.wire.answer("seek_explanation").position, 22);
  stage.wire.answer("pause_explanation"); // should it play by now
  assert.deepEqual(stage.wire.names, []);
});

test("a server that restarts and a token that ends pause nothing for the student", () => {
  for (const reason of ["restart", "token_expired"]) {
    const stage = Stage.playing(300);
    stage.wire.hear("streaming_paused", { ...at(1, 300), reason, message: "" });
    stage.wire.lose();
    stage.wire.connect();
    stage.wire.answer("get_session", snapshot(300));
    assert.equal(stage.wire.answer("resume_explanation").position, 300);
    assert.equal(stage.player.state, "playing");
  }
});

test("a reload plays on, at the very character", () => {
  const before = Stage.playing(300);
  before.pass(3);
  const { player, wire, ...stage } = before.reload();
  assert.equal(player.state, "idle");
  wire.connect();
  assert.equal(wire.answer("get_session", snapshot(300)).session_id, "s1");
  assert.deepEqual([player.state, player.place], ["playing", before.player.place]);
  assert.deepEqual(wire.answer("resume_explanation").position, 300);
  assert.equal(player.recording.question, "Why?");
});

test("a page that is left keeps the very place", () => {
  const before = Stage.playing(300);
  before.pass(1.05);
  before.player.keep();
  const { player, wire } = before.reload();
  wire.connect();
  wire.answer("get_session", snapshot(300));
  assert.deepEqual(player.place, before.player.place);
});

test("a reload of what rests shows it resting", () => {
  const before = Stage.playing(300);
  before.pass(3);
  before.player.pause();
  const { player, wire } = before.reload();
  wire.connect();
  wire.answer("get_session", snapshot(66));
  assert.deepEqual([player.state, player.place, wire.names], ["paused", at(1, 66), []]);
});

test("whoever opens a page finds the latest unfinished explanation resting there", () => {
  const { player, wire } = new Stage();
  wire.connect();
  assert.deepEqual(wire.answer("get_session", snapshot(100)), {});
  assert.deepEqual([player.state, player.place, player.elsewhere], ["paused", at(1, 100), false]);
  player.play();
  assert.deepEqual(wire.answer("resume_explanation").position, 100);
});

test("what is not known any more is forgotten", () => {
  const stage = Stage.playing(300).reload();
  stage.wire.connect();
  stage.wire.answer("get_session", { session: null });
  assert.deepEqual(stage.wire.answer("get_session", { session: null }), {});
  assert.equal(stage.player.state, "idle");
});

test("what plays elsewhere is followed, steered from here, and taken over", () => {
  const stage = new Stage();
  const { player, wire } = stage;
  const there = (position, state = "playing") => snapshot(position, { state });
  wire.connect();
  wire.answer("get_session", there(100));
  assert.deepEqual([player.elsewhere, player.state, player.place], [true, "playing", at(1, 100)]);
  stage.pass(3);
  wire.answer("get_session", there(160));
  assert.deepEqual([player.place, wire.names], [at(1, 160), []]);
  player.toggle();
  assert.deepEqual(wire.answer("pause_explanation"), { session_id: "s1" });
  wire.answer("get_session", there(150, "paused"));
  assert.deepEqual([player.elsewhere, player.state, player.place], [false, "paused", at(1, 150)]);
  wire.hear("streaming_paused", { ...at(1, 150), reason: "moved", message: "" });
  stage.pass(0.9);
  assert.deepEqual([player.elsewhere, wire.names], [true, []]);
  stage.pass(0.1);
  wire.answer("get_session", there(170));
  player.continueHere();
  wire.answer("get_session", there(180));
  assert.equal(wire.answer("resume_explanation").position, 180);
  assert.deepEqual([player.elsewhere, player.state], [false, "playing"]);
});

test("what plays elsewhere is not looked at without a connection, which comes back by itself", () => {
  const stage = new Stage();
  stage.wire.connect();
  stage.wire.answer("get_session", snapshot(100, { state: "playing" }));
  stage.wire.lose();
  stage.pass(10);
  assert.deepEqual([stage.player.elsewhere, stage.wire.renewed], [true, 0]);
});

test("when it moves to another device, that one learns what was shown here", () => {
  const stage = Stage.playing(300);
  stage.pass(2);
  stage.wire.hear("streaming_paused", { ...at(1, 300), reason: "moved", message: "" });
  assert.deepEqual(stage.wire.answer("seek_explanation"), { session_id: "s1", ...at(1, 44) });
  assert.deepEqual([stage.player.elsewhere, stage.player.state], [true, "playing"]);
  const again = stage.reload();
  again.wire.connect();
  again.wire.answer("get_session", snapshot(60, { state: "playing" }));
  assert.deepEqual([again.player.elsewhere, again.wire.names], [true, []]);
});

test("another tab's pause rests at what is shown here, and its seek moves us", () => {
  const stage = Stage.playing(300);
  stage.pass(2);
  stage.wire.hear("streaming_paused", { ...at(1, 300), reason: "user", message: "" });
  assert.deepEqual([stage.player.state, stage.player.place], ["paused", at(1, 44)]);
  assert.equal(stage.wire.answer("seek_explanation").position, 44);
  stage.wire.hear("explanation_seeked", at(1, 10));
  assert.deepEqual(stage.player.place, at(1, 10));
});

test("where the server knows less than the page, the page takes what the server knows", () => {
  const stage = Stage.playing(300);
  stage.pass(2);
  stage.player.pause();
  stage.wire.answer("pause_explanation");
  stage.wire.hear("streaming_paused", { ...at(1, 44), reason: "user", message: "" });
  stage.player.play();
  stage.wire.refuse("resume_explanation", "invalid_position");
  assert.equal(stage.wire.answer("resume_explanation").position, undefined);
  stage.wire.answer("get_session", snapshot(30, { state: "playing", playing_here: true }));
  assert.deepEqual([stage.player.state, stage.player.place, stage.player.error, stage.wire.names], ["playing", at(1, 30), null, []]);
});

test("what was missed is fetched", () => {
  const stage = Stage.playing(100);
  stage.chunk(150, 200);
  stage.chunk(200, 250);
  stage.wire.answer("get_session", snapshot(250, { state: "playing", playing_here: true }));
  stage.chunk(250, 600);
  assert.deepEqual([stage.player.recording.steps[0].content, stage.wire.names], [TEXT, []]);
});

test("a busy server is asked again", () => {
  const stage = Stage.playing(300);
  stage.wire.lose();
  stage.wire.connect();
  stage.wire.answer("get_session", snapshot(300));
  stage.wire.refuse("resume_explanation", "server_busy");
  assert.deepEqual([stage.player.state, stage.player.error.code], ["playing", "server_busy"]);
  stage.pass(2);
  stage.wire.answer("get_session", snapshot(300));
  stage.wire.answer("resume_explanation");
  assert.equal(stage.player.error, null);
});

test("a follow-up rests the explanation, and back leads to the very character", () => {
  const stage = Stage.playing(300);
  const { player, wire } = stage;
  stage.pass(2);
  player.followUp("What does that mean?");
  assert.equal(wire.answer("pause_explanation").position, 44);
  const { about } = wire.sent[0].payload;
  assert.deepEqual(about, { session_id: "s1", step: 1, position: 43 });
  stage.begin("s2");
  stage.chunk(0, 100);
  stage.pass(1);
  assert.deepEqual([player.recording.sessionId, player.place, player.journey.length], ["s2", at(1, 22), 1]);
  player.ask("?");
  wire.refuse("ask_question", "question_empty");
  wire.answer("get_session", { session: null }); // what was said meanwhile
  assert.equal(player.journey.length, 1);
  player.back();
  assert.equal(wire.answer("pause_explanation").session_id, "s2");
  wire.hear("streaming_paused", { ...at(1, 22), reason: "user", message: "" });
  stage.chunk(100, 200); // of the follow-up still
  const { session_id, position } = wire.answer("resume_explanation");
  assert.deepEqual([session_id, position, player.place, player.state], ["s1", 300, at(1, 44), "playing"]);
  assert.deepEqual([player.journey, player.recording.steps[0].length], [[], 300]);
});

test("the way back outlives a reload", () => {
  const before = Stage.playing(300);
  before.pass(2);
  before.player.followUp("What?", at(1, 5));
  before.wire.answer("pause_explanation");
  before.begin("s2");
  const { player, wire } = before.reload();
  wire.connect();
  wire.answer("get_session", { session: { ...snapshot(0).session, session_id: "s2" } });
  wire.answer("resume_explanation");
  player.back();
  wire.answer("pause_explanation");
  assert.equal(wire.answer("get_session", snapshot(44)).session_id, "s1");
  assert.deepEqual([player.place, player.state, wire.sent[0].payload.session_id], [at(1, 44), "playing", "s1"]);
});

test("the way back leads to the very character even where the server rests before it", () => {
  const stage = Stage.playing(300);
  stage.pass(2);
  stage.player.followUp("What?", at(1, 5));
  stage.wire.answer("pause_explanation");
  stage.begin("s2");
  const { player, wire } = stage.reload();
  wire.connect();
  wire.answer("get_session", { session: { ...snapshot(0).session, session_id: "s2" } });
  wire.answer("resume_explanation");
  player.back();
  wire.answer("pause_explanation");
  wire.answer("get_session", snapshot(5));
  wire.answer("resume_explanation");
  wire.hear("explanation_seeked", at(1, 44));
  assert.deepEqual(wire.answer("seek_explanation"), { session_id: "s1", ...at(1, 44) });
  assert.deepEqual([player.place, player.state], [at(1, 44), "playing"]);
});

test("an address plays its explanation: from its place, from the start if it has ended, and where it plays if it does", () => {
  const cases = [
    [snapshot(100), "paused", ["resume_explanation"], at(1, 100), false],
    [snapshot(600, { state: "complete", total_steps: 1 }), "complete", ["resume_explanation"], at(1, 0), false],
    [snapshot(100, { state: "stopped" }), "stopped", ["resume_explanation"], at(1, 100), false],
    [snapshot(100, { state: "playing" }), "playing", [], at(1, 100), true],
  ];
  for (const [session, state, sent, place, elsewhere] of cases) {
    const stage = new Stage();
    stage.player.open("s1");
    stage.wire.connect();
    stage.wire.answer("get_session", session);
    assert.deepEqual([stage.wire.names, stage.player.place, stage.player.state, stage.player.elsewhere], [sent, place, "playing", elsewhere], state);
  }
});

test("a document plays without a server", () => {
  const stage = Stage.playing(300);
  const steps = [{ title: "One", type: "text", content: TEXT, canvas_commands: [] }];
  stage.player.playDocument({ session_id: "d", question: "Old?", total_steps: 1, steps });
  assert.deepEqual(stage.wire.answer("pause_explanation").session_id, "s1");
  stage.chunk(300, 400);
  stage.wire.lose();
  stage.wire.connect();
  stage.pass(1);
  stage.player.seek(at(1, 580));
  stage.pass(1);
  assert.deepEqual([stage.player.state, stage.wire.names], ["complete", []]);
  stage.player.toggle();
  assert.deepEqual([stage.player.state, stage.player.place, stage.wire.names], ["playing", at(1, 0), []]);
  stage.player.ask("?");
  stage.wire.refuse("ask_question", "question_empty");
  stage.player.pause();
  assert.deepEqual([stage.player.recording.question, stage.wire.names], ["Old?", []]);
  stage.player.ask("New?");
  stage.begin("s2");
  assert.equal(stage.player.recording.steps.length, 1);
});

test("what is paused or stopped while it is being asked stays so", () => {
  for (const [act, event, state] of [["pause", "pause_explanation", "paused"], ["stop", "stop_explanation", "stopped"]]) {
    const stage = Stage.idle();
    stage.player.ask("Why?");
    stage.player[act]();
    assert.equal(stage.player.state, state);
    stage.wire.answer("ask_question", { session_id: "s1" });
    assert.deepEqual([stage.wire.answer(event), stage.player.state], [{ session_id: "s1" }, state]);
  }
});

test("nobody has read while the page slept", () => {
  const stage = Stage.playing(300);
  stage.now += 60_000;
  stage.player.tick();
  assert.deepEqual(stage.player.place, at(1, 33));
});

test("listeners hear of changes for as long as they want to", () => {
  const stage = Stage.playing(300);
  const states = [];
  const end = stage.player.subscribe(({ state }) => states.push(state));
  stage.pass(0.2);
  stage.player.pause();
  end();
  stage.player.play();
  assert.deepEqual([states[0], states.at(-1)], ["playing", "paused"]);
});
