// Coming back to a session: what is kept for it in the tab, and how things stand once the server has said how they do.
// Pure: the player acts on it.

import { isBefore } from "./recording.js";
import { FINISHED, GOING } from "./remote.js";

/** @typedef {import("./recording.js").Place} Place */
/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("./recording.js").Snapshot} Snapshot */
/**
 * A session that is to be shown: as it was in this tab, else `opened` by its address, or come `back` to.
 * @typedef {Place & { session_id: string, playing: boolean, opened?: boolean, back?: boolean }} Wanted
 */
/**
 * @typedef {object} Stance
 * @property {Place} place
 * @property {boolean} resting
 * @property {boolean} stopped
 * @property {boolean} elsewhere
 * @property {boolean} untold whether the server does not know yet that, or where, the student rests or stopped
 */
/** @typedef {"resume" | "replay" | "rest" | "stop" | null} Next */
/** @typedef {{ payload: Record<string, any>, place: Place }} Asked a question without an answer; `place`: where the student was */
/** @typedef {{ wanted: Wanted | null, asked: Asked | null, context: Record<string, string>, journey: Wanted[] }} Kept */

/**
 * @param {Stance} stance
 * @param {Snapshot} session of what the page shows
 * @param {boolean} [letGo] whether our connection has been gone for so long that what plays plays for another one
 * @returns {Stance & { next: Next }}
 */
export function seenAgain(stance, session, letGo = false) {
  const { state, playing_here } = session;
  const taken = letGo && !stance.untold && !playing_here && GOING.includes(state);
  if (taken) return standing({ ...stance, place: session, resting: true }, session);
  const follows = stance.elsewhere || (stance.resting && !stance.untold && state !== "complete");
  return standing({ ...stance, place: follows ? session : stance.place }, session);
}

/**
 * @param {Wanted | null} wanted
 * @param {Snapshot} session
 * @param {Recording} recording of the session
 * @returns {Stance & { next: Next }}
 */
export function seenAnew(wanted, session, recording) {
  const going = GOING.includes(session.state), opened = wanted?.opened === true;
  const place = wanted && !opened && recording.reaches(wanted) ? wanted : session;
  const resting = !wanted?.playing || (opened && going && !session.playing_here);
  const untold = resting && !going && isBefore(place, session);
  return standing({ place, resting, untold, stopped: false, elsewhere: false }, session, opened);
}

/** @param {Stance} stance @param {Snapshot} session @param {boolean} [opened] @returns {Stance & { next: Next }} */
function standing(stance, { state, playing_here }, opened = false) {
  const going = GOING.includes(state), here = going && playing_here;
  const stopped = stance.stopped || (state === "stopped" && !opened);
  const resting = stance.resting || stopped;
  /** @type {Next} */
  let next = null;
  if (!resting && opened && state === "complete") next = "replay";
  else if (!resting && !here) next = "resume";
  else if (stopped && stance.untold && !FINISHED.includes(state)) next = "stop";
  else if (resting && !stopped && (stance.untold || here)) next = "rest";
  return { ...stance, stopped, resting, elsewhere: going && !here && resting && !stance.untold, next };
}

/** @param {Kept} kept */
export function pack({ wanted, asked, context, journey }) {
  return JSON.stringify({ wanted, asked, context, journey });
}

/** @param {string | null} packed @returns {Kept} */
export function unpack(packed) {
  return { wanted: null, asked: null, context: {}, journey: [], ...JSON.parse(packed ?? "{}") };
}
