// The official JavaScript client over each of its ways to connect.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answers, ASTRAL, Student, students } from "./harness.mjs";

const WAYS = { "WebSocket only": ["websocket"], "polling only": ["polling"], upgrade: ["polling", "websocket"] };
const [, , token, expiredToken] = students;
const segmenter = new Intl.Segmenter("es", { granularity: "grapheme" });

/** The places, in code points, where a text may be cut without cutting what a reader sees as one character. */
function boundaries(text) {
  const places = new Set([0]);
  let place = 0;
  for (const { segment } of segmenter.segment(text)) places.add((place += [...segment].length));
  return places;
}

for (const [way, transports] of Object.entries(WAYS)) {
  describe(way, { concurrency: true }, () => {
    const connect = (context, auth = { token }) => {
      const student = new Student({ transports, auth });
      context.after(() => student.socket.close());
      return student;
    };

    test("a stored answer arrives whole, in order and at code point positions", async (context) => {
      const student = connect(context);
      const { ok, cached, session_id, question_hash } = await student.send("ask_question", { question: ASTRAL });
      assert(ok && cached);
      await student.heard("explanation_complete");
      const steps = answers[ASTRAL];
      assert.deepEqual(student.contents(), steps.map(({ content }) => content));
      assert.deepEqual(student.named("error"), []);

      const chunks = student.named("content_chunk");
      steps.forEach(({ content }, index) => {
        const own = chunks.filter(({ step }) => step === index + 1);
        let place = 0;
        for (const { chunk, position } of own) {
          assert.equal(position, place);
          place += [...chunk].length;
          assert(boundaries(content).has(place), `a chunk ends inside a character, at ${place}`);
        }
        assert(own.length > 1); // fewer when the machine is late
        assert.deepEqual(own.map(({ is_final }) => is_final), own.map((_, n) => n === own.length - 1));
      });

      const [start] = student.named("explanation_start");
      assert.deepEqual([start.session_id, start.question_hash, start.total_steps], [session_id, question_hash, steps.length]);
      const kinds = student.events.filter(({ name }) => name !== "content_chunk" && name !== "ack").map(({ name }) => name);
      assert.deepEqual(kinds, [
        "explanation_start", "step_start", "canvas_command", "step_complete", "step_start", "step_complete",
        "explanation_complete",
      ]);
      const [{ at, n, step, command }] = student.named("canvas_command");
      assert.deepEqual([at, n, step, command.op], [steps[0].canvas_commands[0].at, 0, 1, steps[0].canvas_commands[0].op]);
      const before = student.events[student.events.findIndex(({ name }) => name === "canvas_command") - 1];
      assert.equal(before.position + [...before.chunk].length >= at, true);
      assert.equal(student.socket.io.engine.transport.name, transports.at(-1));
    });

    test("a pause is acknowledged with its place, and a resume takes up what the client holds", async (context) => {
      const student = connect(context);
      await student.send("ask_question", { question: ASTRAL });
      await student.heard("content_chunk", 3);
      const pause = await student.send("pause_explanation", {});
      await student.heard("explanation_paused");
      const [paused] = student.named("streaming_paused");
      assert.deepEqual([pause.step, pause.position, paused.reason], [paused.step, paused.position, "user"]);
      assert.equal(student.text[pause.step].length, pause.position);
      const { session } = await student.send("get_session", {});
      assert.equal(session.state, "paused");
      assert.deepEqual(session.steps.map((step) => [step.step, step.content]), student.contents().map((text, n) => [n + 1, text]));

      const held = { step: pause.step, position: Math.max(0, pause.position - 20) };
      assert.equal((await student.send("resume_explanation", held)).ok, true);
      await student.heard("streaming_resumed");
      const [resumed] = student.named("streaming_resumed");
      assert(resumed.position <= held.position && boundaries(answers[ASTRAL][held.step - 1].content).has(resumed.position));
      await student.heard("explanation_complete");
      assert.deepEqual(student.contents(), answers[ASTRAL].map(({ content }) => content));
    });

    for (const [code, event, payload] of [
      ["unauthorized", "ask_question", { token: "nonsense", question: ASTRAL }],
      ["token_expired", "ask_question", { token: expiredToken, question: ASTRAL }],
      ["invalid_payload", "ask_question", { question: 7 }],
      ["invalid_payload", "ask_question", { question: Buffer.from("¿?") }],
      ["question_empty", "ask_question", { question: "¿?" }],
      ["question_too_long", "ask_question", { question: "𝑥".repeat(2001) }],
      ["invalid_position", "seek_explanation", { step: 0 }],
      ["no_active_session", "pause_explanation", { session_id: "none" }],
      ["unknown_event", "constructor", {}],
    ]) {
      test(`${event} refused with ${code}: an acknowledgement and one error event`, async (context) => {
        const student = connect(context);
        const { ok, error } = await student.send(event, payload);
        await student.heard("error");
        assert.equal(ok, false);
        assert.deepEqual(student.named("error"), [{ name: "error", ...error }]);
        assert.equal(error.code, code);
        assert(error.message.length > 10);
        assert.equal((await student.send("get_session", {})).ok, true); // the connection goes on
      });
    }

    for (const [wrong, code] of [["nonsense", "unauthorized"], [expiredToken, "token_expired"]]) {
      test(`a connection with a token that is ${code} is refused with that code`, async (context) => {
        const { socket } = connect(context, { token: wrong });
        const error = await new Promise((resolve) => socket.once("connect_error", resolve));
        assert.equal(error.data.code, code);
        assert.equal(error.data.message, error.message);
        assert.equal(socket.connected, false);
      });
    }

    test("without a token at connect, one in an event is enough from then on", async (context) => {
      const student = connect(context, {});
      assert.equal((await student.send("get_session", {})).error.code, "unauthorized");
      assert.equal((await student.send("get_session", { token })).ok, true);
      assert.equal((await student.send("get_session", {})).ok, true);
    });
  });
}
