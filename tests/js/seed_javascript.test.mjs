// The JavaScript example of the seed document, as published.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, runExample, SKY, standsStill, students, transport, until } from "./harness.mjs";

test("the published JavaScript example plays, pauses and resumes an explanation", async (context) => {
  const shown = { steps: [], commands: [], finals: [], marked: [], buttons: {}, errors: [] };
  const host = {
    localStorage: { getItem: (key) => (key === "jwt_token" ? students[0] : null) },
    showLoadingMessage: () => {},
    initializeExplanation: (steps, duration) => Object.assign(shown, { total: steps, duration }),
    createStepContainer: (step, title, type) => shown.steps.push({ step, title, type, content: "" }),
    appendChunkToStep: (step, chunk) => (shown.steps[step - 1].content += chunk),
    finalizeStepContent: (step) => shown.finals.push(step),
    executeCanvasCommand: (step, command) => shown.commands.push([step, command.op]),
    markStepComplete: (step) => shown.marked.push(step),
    showCompletionMessage: (duration) => (shown.completed = duration),
    showPauseButton: (visible) => (shown.buttons.pause = visible),
    showResumeButton: (visible) => (shown.buttons.resume = visible),
    showError: (code, message) => shown.errors.push([code, message]),
  };
  const example = await runExample(
    "seed_example.js", host, "askQuestion, pauseExplanation, resumeExplanation");
  const [socket] = example.sockets;
  context.after(() => socket.close());

  example.askQuestion(SKY);
  await until(() => shown.steps.length === 2 && shown.steps[1].content, "the second step");
  example.pauseExplanation();
  await until(() => shown.buttons.resume, "the pause");
  assert.deepEqual(shown.buttons, { pause: false, resume: true });
  await standsStill(() => shown.steps.map(({ content }) => content));
  example.resumeExplanation();
  await until(() => shown.buttons.pause, "the resume");
  await until(() => shown.completed, "the end");

  const steps = answers[SKY];
  const expected = steps.map(({ title, type, content }, index) => ({ step: index + 1, title, type, content }));
  assert.deepEqual(shown.steps, expected);
  assert.deepEqual(shown.commands, steps.flatMap((step, index) => step.canvas_commands.map(({ op }) => [index + 1, op])));
  assert.deepEqual([shown.finals, shown.marked], [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]);
  assert.equal(shown.total, steps.length);
  assert(shown.duration > 0);
  assert.deepEqual(shown.errors, []);
  assert.equal(socket.io.engine.transport.name, transport); // it began with polling, as stock clients do
});
