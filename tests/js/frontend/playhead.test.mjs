import assert from "node:assert/strict";
import { test } from "node:test";
import * as playhead from "../../../streaming/frontend/src/playhead.js";
import { Recording } from "../../../streaming/frontend/src/recording.js";

const known = (contents, { complete = true } = {}) => {
  const recording = Recording.fromDocument({
    total_steps: contents.length, steps: contents.map((content) => ({ title: "", type: "text", content })),
  });
  if (!complete) recording.complete = recording.steps.at(-1).complete = false;
  return recording;
};
const at = (step, position) => ({ step, position });

test("the playhead moves by what is due, over clusters and formulas as a whole, and keeps the rest", () => {
  const recording = known(["ab👩‍👩‍👧c", "$x+y$."]);
  assert.deepEqual(playhead.advance(at(1, 0), 2.5, recording), { place: at(1, 2), due: 0.5, starved: false });
  assert.deepEqual(playhead.advance(at(1, 2), 4.9, recording), { place: at(1, 2), due: 4.9, starved: false });
  assert.deepEqual(playhead.advance(at(1, 2), 7, recording), { place: at(2, 0), due: 1, starved: false });
  assert.deepEqual(playhead.advance(at(2, 0), 5.5, recording), { place: at(2, 5), due: 0.5, starved: false });
});

test("every place on the way is a cut, in whatever portions time comes", () => {
  const recording = known(["¿Cuánto es $\\frac{1}{2}$? 🇪🇸🇫🇷", "é $5 👍🏽", ""]);
  for (const portion of [0.37, 1, 3.3, Infinity]) {
    let [place, due, starved] = [at(1, 0), 0, false];
    while (!starved) {
      ({ place, due, starved } = playhead.advance(place, due + portion, recording));
      assert.deepEqual(playhead.placeIn(place, recording), place);
    }
    assert.deepEqual(place, at(3, 0));
    assert(playhead.isAtEnd(place, recording));
  }
});

test("time without text is not made up for", () => {
  const recording = known(["abc", "de"], { complete: false });
  const { place, due, starved } = playhead.advance(at(1, 2), 100, recording);
  assert.deepEqual([place, due, starved], [at(2, 2), 0, true]);
  assert.equal(playhead.isAtEnd(place, recording), false);
  assert.deepEqual(playhead.advance(at(2, 0), 5, known(["abc"], { complete: false })).place, at(2, 0));
});

test("the seek bar's fractions and places are the same thing", () => {
  const recording = known(["a".repeat(30), "b".repeat(50), "c".repeat(20)]);
  for (const place of [at(1, 0), at(1, 29), at(2, 0), at(2, 25), at(3, 19)]) {
    assert.deepEqual(playhead.fromFraction(playhead.toFraction(place, recording), recording), place);
  }
  assert.equal(playhead.toFraction(at(3, 20), recording), 1);
  assert.deepEqual(playhead.fromFraction(1, recording), at(3, 20));
  assert.deepEqual(playhead.fromFraction(-1, recording), at(1, 0));
  assert.deepEqual([playhead.toFraction(at(1, 0), new Recording()), playhead.fromFraction(0.5, new Recording())], [0, at(1, 0)]);
});

test("within what nobody knows yet, the bar leads to where the writing stands or to a step's beginning", () => {
  const recording = known(["a".repeat(100)], { complete: false });
  recording.totalSteps = 3; // 600 code points each
  assert.deepEqual(playhead.fromFraction(0.3, recording), at(1, 100));
  assert.deepEqual(playhead.fromFraction(0.5, recording), at(2, 0));
});

test("a place inside a cluster or formula is its beginning", () => {
  const recording = known(["a $xy$ b"]);
  assert.deepEqual([4, 2, 6, 99].map((position) => playhead.placeIn(at(1, position), recording).position), [2, 2, 6, 8]);
  assert.deepEqual(playhead.placeIn(at(0, 4), recording), at(1, 0));
});

test("what is in hand is counted across steps, in both directions", () => {
  const recording = known(["a".repeat(10), "b".repeat(20), "c".repeat(5)]);
  assert.equal(playhead.leadSeconds(at(3, 5), at(1, 4), 2, recording), 15.5);
  assert.equal(playhead.leadSeconds(at(1, 4), at(3, 5), 2, recording), -15.5);
  assert.equal(playhead.leadSeconds(at(2, 7), at(2, 7), 2, recording), 0);
});

test("the server sends four times as fast until twelve seconds are in hand, and again below eight", () => {
  const speed = (lead, current) => playhead.serverSpeed(lead, 22, 1000, current);
  assert.deepEqual([speed(0, 1), speed(7.9, 0.022), speed(12, 0.088)], [0.088, 0.088, 0.022]);
  assert.deepEqual([speed(10, 0.088), speed(10, 0.022)], [0.088, 0.022]);
  assert.deepEqual([playhead.serverSpeed(0, 88, 1, 1), playhead.serverSpeed(20, 11, 1e6, 1)], [8, 0.005]);
});
