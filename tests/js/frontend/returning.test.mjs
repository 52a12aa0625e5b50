import assert from "node:assert/strict";
import { test } from "node:test";
import { Recording } from "../../../streaming/frontend/src/recording.js";
import { pack, seenAgain, seenAnew, unpack } from "../../../streaming/frontend/src/returning.js";

const at = (position) => ({ step: 1, position });
const session = (state, position, playing_here = false) => ({
  session_id: "s", state, playing_here, ...at(position), total_steps: 1, estimated_duration: 1, speed: 1,
  steps: [{ title: "", type: "text", content: "a".repeat(position) }],
});
const brief = ({ place, next, resting, stopped, elsewhere }) =>
  [place.position, next, [resting && "resting", stopped && "stopped", elsewhere && "elsewhere"].filter(Boolean).join(" ")];

test("how a page that was there finds things", () => {
  const stance = { place: at(5), resting: false, stopped: false, elsewhere: false, untold: false };
  const resting = { ...stance, resting: true };
  const cases = [
    ["plays on here", stance, session("playing", 9, true), [5, null, ""]],
    ["takes up what the lost connection left", stance, session("paused", 9), [5, "resume", ""]],
    ["or what the server believes to play on it still", stance, session("playing", 9), [5, "resume", ""]],
    ["was stopped from elsewhere", stance, session("stopped", 9), [5, null, "resting stopped"]],
    ["rests where the server does", resting, session("paused", 9), [9, null, "resting"]],
    ["says where it rests", { ...resting, untold: true }, session("paused", 9), [5, "rest", "resting"]],
    ["even to what plays", { ...resting, untold: true }, session("playing", 9), [5, "rest", "resting"]],
    ["rests, and it plays elsewhere by now", resting, session("playing", 9), [9, null, "resting elsewhere"]],
    ["rests before the end that was sent", resting, session("complete", 9), [5, null, "resting"]],
    ["follows what plays elsewhere to its end", { ...resting, elsewhere: true }, session("complete", 9), [9, null, "resting"]],
  ];
  for (const [name, before, now, expected] of cases) assert.deepEqual(brief(seenAgain(before, now)), expected, name);
});

test("how a page that was not there finds things", () => {
  const wanted = (more) => ({ session_id: "s", ...at(5), playing: true, ...more });
  const cases = [
    ["the latest of a student rests", null, session("paused", 9), [9, null, "resting"]],
    ["or plays elsewhere", null, session("playing", 9), [9, null, "resting elsewhere"]],
    ["a reload plays on", wanted(), session("playing", 9), [5, "resume", ""]],
    ["a reload rests, and says where", wanted({ playing: false }), session("paused", 9), [5, "rest", "resting"]],
    ["a reload of what went elsewhere disturbs nothing", wanted({ playing: false }), session("playing", 9), [5, null, "resting elsewhere"]],
    ["the place has gone", wanted(), session("paused", 3), [3, "resume", ""]],
    ["it was stopped", wanted(), session("stopped", 9), [5, null, "resting stopped"]],
    ["an address plays from where it stands", wanted({ opened: true }), session("stopped", 9), [9, "resume", ""]],
    ["or again", wanted({ opened: true }), session("complete", 9), [9, "replay", ""]],
    ["but takes nothing away", wanted({ opened: true }), session("playing", 9), [9, null, "resting elsewhere"]],
  ];
  for (const [name, kept, now, expected] of cases) {
    assert.deepEqual(brief(seenAnew(kept, now, Recording.fromSnapshot(now, 1))), expected, name);
  }
});

test("what is kept comes back, and nothing is nothing", () => {
  const kept = { wanted: { session_id: "s", ...at(5), playing: true }, asked: null, context: { level: "x" }, journey: [] };
  assert.deepEqual(unpack(pack(kept)), kept);
  assert.deepEqual(unpack(null), { wanted: null, asked: null, context: {}, journey: [] });
});
