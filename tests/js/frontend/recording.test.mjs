import assert from "node:assert/strict";
import { test } from "node:test";
import { earlier, isBefore, Recording } from "../../../streaming/frontend/src/recording.js";

const START = { total_steps: 3, estimated_duration: 10, question_hash: "h", session_id: "s", answer_id: null, cached: false };

function begun(...chunks) {
  const recording = new Recording();
  recording.start(START, 100);
  recording.openStep({ step: 1, title: "One", type: "text" });
  let position = 0;
  for (const chunk of chunks) {
    recording.write({ step: 1, chunk, position, is_final: false });
    position += [...chunk].length;
  }
  return recording;
}

test("text grows by chunks, and what is known already is neither cut nor a change", () => {
  const recording = begun("𝑥 is ", "two");
  assert.deepEqual([recording.steps[0].content, recording.steps[0].length, recording.held], ["𝑥 is two", 8, { step: 1, position: 8 }]);
  const { version } = recording;
  assert(recording.write({ step: 1, chunk: "is", position: 2, is_final: false }));
  assert.deepEqual([recording.version, recording.steps[0].content, recording.held.position], [version, "𝑥 is two", 4]);
  assert(recording.write({ step: 1, chunk: "two and", position: 5, is_final: false }));
  assert.equal(recording.steps[0].content, "𝑥 is two and");
  assert.equal(recording.steps[0].length, 12);
});

test("a chunk that says something else cuts what stood behind it", () => {
  const recording = begun("one two three");
  recording.command({ step: 1, command: { op: "text" }, n: 0, at: 3 });
  recording.command({ step: 1, command: { op: "text" }, n: 1, at: 8 });
  recording.completeStep({ step: 1 });
  recording.openStep({ step: 2, title: "Two", type: "math" });
  recording.write({ step: 1, chunk: "2", position: 4, is_final: false });
  assert.deepEqual([recording.steps.length, recording.steps[0].content, recording.steps[0].commands.length], [1, "one 2", 1]);
  assert.equal(recording.steps[0].complete, false);
  recording.write({ step: 1, chunk: "one", position: 0, is_final: true });
  assert.deepEqual([recording.steps[0].content, recording.steps[0].complete], ["one", true]);
});

test("what leaves a hole is not written, and said to be missing", () => {
  const recording = begun("abc");
  assert.equal(recording.write({ step: 1, chunk: "e", position: 4, is_final: false }), false);
  assert.equal(recording.write({ step: 2, chunk: "e", position: 0, is_final: false }), false);
  assert.equal(recording.command({ step: 1, command: {}, n: 1, at: 0 }), false);
  recording.openStep({ step: 3, title: "", type: "text" });
  assert.deepEqual(recording.steps.map(({ content }) => content), ["abc"]);
  assert.equal(recording.hear("explanation_complete", { total_duration: 1, steps_completed: 2 }, 1), false);
  assert.equal(recording.complete, false);
});

test("a known command again means nothing; the board at a place is all commands before it, in order", () => {
  const recording = begun("abcdef");
  for (const n of [0, 1, 0, 1]) assert(recording.command({ step: 1, command: { op: "text", id: `${n}` }, n, at: 3 * n }));
  recording.completeStep({ step: 1 });
  recording.openStep({ step: 2, title: "", type: "text" });
  recording.command({ step: 2, command: { op: "text", id: "2" }, n: 0, at: 0 });
  const ids = (step, position) => recording.commandsBefore({ step, position }).map(({ id }) => id).join("");
  assert.deepEqual([ids(1, 0), ids(1, 2), ids(1, 3), ids(2, 0), ids(2, 9)], ["0", "0", "01", "012", "012"]);
  assert.deepEqual(recording.steps[0].commands[1], { op: "text", id: "1", at: 3 });
});

const SNAPSHOT = {
  session_id: "s", question: "Why?", question_hash: "h", answer_id: "a", cached: true, state: "paused", step: 2, position: 3,
  speed: 0.5, total_steps: 4, estimated_duration: 2, playing_here: false,
  steps: [
    { step: 1, title: "One", type: "text", content: "abcde", canvas_commands: [{ op: "text", at: 5 }] },
    { step: 2, title: "Two", type: "text", content: "abc", canvas_commands: [] },
  ],
};

test("a snapshot is what a client holds that played so far", () => {
  const recording = Recording.fromSnapshot(SNAPSHOT, 10);
  assert.deepEqual([recording.sessionId, recording.question, recording.answerId, recording.cached], ["s", "Why?", "a", true]);
  assert.deepEqual(recording.steps.map(({ complete }) => complete), [true, false]);
  assert.deepEqual([recording.held, recording.end, recording.complete], [{ step: 2, position: 3 }, { step: 2, position: 3 }, false]);
  assert.equal(recording.extent().total, 8 + 2 * 0.5 * 10);
  assert(Recording.fromSnapshot({ ...SNAPSHOT, state: "complete" }, 10).complete);
});

test("a snapshot of less than is known takes nothing away", () => {
  const recording = Recording.fromSnapshot(SNAPSHOT, 10);
  recording.write({ step: 2, chunk: "def", position: 3, is_final: true });
  const { version } = recording;
  recording.absorb(SNAPSHOT, 10);
  assert.equal(recording.steps[1].content, "abcdef");
  assert.deepEqual(recording.held, { step: 2, position: 3 });
  assert(recording.version >= version);
});

test("a document is known in full", () => {
  const steps = SNAPSHOT.steps.map(({ step, ...rest }) => rest);
  const recording = Recording.fromDocument({ session_id: "s", question: "Why?", question_hash: "h", answer_id: "a", total_steps: 2, steps });
  assert.deepEqual([recording.complete, recording.end, recording.totalSteps], [true, { step: 2, position: 3 }, 2]);
  assert.deepEqual(recording.extent(), { steps: [{ length: 5, known: true }, { length: 3, known: true }], total: 8 });
});

test("what nobody knows the length of shares what the server expects, and takes at least what it has", () => {
  const recording = begun("a".repeat(600));
  assert.deepEqual(recording.extent().steps.map(({ length }) => length), [600, 200, 200]);
  recording.completeStep({ step: 1 });
  assert.deepEqual(recording.extent().steps, [{ length: 600, known: true }, { length: 200, known: false }, { length: 200, known: false }]);
  assert.equal(new Recording().extent().total, 0);
});

test("a place is reached where all text before it is known", () => {
  const recording = begun("abc");
  const reaches = (step, position) => recording.reaches({ step, position });
  assert.deepEqual([reaches(1, 3), reaches(1, 4), reaches(2, 0), reaches(3, 0)], [true, false, false, false]);
  recording.completeStep({ step: 1 });
  assert.deepEqual([reaches(2, 0), reaches(2, 1), new Recording().reaches({ step: 1, position: 0 })], [true, false, true]);
});

test("places are ordered by step, then by position", () => {
  const [one, other] = [{ step: 1, position: 9 }, { step: 2, position: 0 }];
  assert(isBefore(one, other) && !isBefore(other, one) && !isBefore(one, one));
  assert.equal(earlier(other, one), one);
});
