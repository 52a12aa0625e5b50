// Where the student stands in a recording, and how that moves. Pure: time comes in as code points that are due.

import { earlier, START } from "./recording.js";
import { nextStop, stopBefore } from "./text.js";

/** @typedef {import("./recording.js").Place} Place */
/** @typedef {import("./recording.js").Recording} Recording */

export const READING_RATE = 22; // code points per second at 1×: about 240 words a minute
const LOW = 8, ENOUGH = 12; // seconds in hand: ten, and what a reconnection takes
const CATCHING_UP = 4; // times as fast as it is read
const [MIN_SPEED, MAX_SPEED] = [0.005, 8]; // the contract's

/**
 * Moves on by as much as is due, over clusters and formulas as a whole.
 * @param {Place} place
 * @param {number} due code points that should have appeared by now
 * @param {Recording} recording
 * @returns {{ place: Place, due: number, starved: boolean }} `due`: what is left over; `starved`: the text came to an end
 */
export function advance(place, due, recording) {
  let { step, position } = place;
  for (;;) {
    const known = recording.steps[step - 1];
    if (known && position < known.length) {
      const stop = due >= known.length - position ? known.length : nextStop(known.content, position);
      if (due < stop - position) return { place: { step, position }, due, starved: false };
      [due, position] = [due - (stop - position), stop];
    } else if (known?.complete && step < recording.steps.length) {
      [step, position] = [step + 1, 0];
    } else return { place: { step, position }, due: 0, starved: true }; // time without text is not made up for
  }
}

/** Whether all of an explanation has been shown. @param {Place} place @param {Recording} recording */
export function isAtEnd({ step, position }, recording) {
  return recording.complete && step >= recording.steps.length && position >= (recording.steps[step - 1]?.length ?? 0);
}

/** How far through the explanation a place is, 0 to 1. @param {Place} place @param {Recording} recording */
export function toFraction(place, recording) {
  if (isAtEnd(place, recording)) return 1;
  const { steps, total } = recording.extent();
  const before = steps.slice(0, place.step - 1).reduce((sum, { length }) => sum + length, 0);
  return total ? Math.min((before + place.position) / total, 1) : 0;
}

/**
 * The place at a part of the explanation; within what nobody knows yet, the beginning of it.
 * @param {number} fraction 0 to 1
 * @param {Recording} recording
 * @returns {Place}
 */
export function fromFraction(fraction, recording) {
  const { steps, total } = recording.extent();
  let left = Math.round(Math.min(Math.max(fraction, 0), 1) * total), step = 1;
  while (step < steps.length && left >= steps[step - 1].length) left -= steps[step++ - 1].length;
  return placeIn({ step, position: left }, recording);
}

/** The nearest cut at or before a place of which something is known. @param {Place} place @param {Recording} recording @returns {Place} */
export function placeIn({ step, position }, recording) {
  if (step < 1) return START;
  return { step, position: stopBefore(recording.steps[step - 1]?.content ?? "", Math.max(position, 0)) };
}

/**
 * How many seconds of reading lie between two places, negative if `held` is behind `shown`.
 * @param {Place} held @param {Place} shown
 * @param {number} rate code points per second
 * @param {Recording} recording
 */
export function leadSeconds(held, shown, rate, recording) {
  const [from, to] = [earlier(held, shown).step, Math.max(held.step, shown.step)];
  let between = 0;
  for (let step = from; step < to; step += 1) between += recording.steps[step - 1]?.length ?? 0;
  const forward = held.step >= shown.step;
  return ((forward ? between : -between) + held.position - shown.position) / rate;
}

/**
 * The speed to ask the server for, so that some seconds stay in hand.
 * @param {number} lead seconds in hand
 * @param {number} rate code points per second that are read
 * @param {number} pace code points per second at the server's speed 1
 * @param {number} current the server's speed
 */
export function serverSpeed(lead, rate, pace, current) {
  const [steady, fast] = [withinLimits(rate / pace), withinLimits((CATCHING_UP * rate) / pace)];
  if (lead < LOW) return fast;
  if (lead >= ENOUGH) return steady;
  return current === steady ? steady : fast;
}

/** @param {number} speed */
export function withinLimits(speed) {
  return Math.min(Math.max(speed, MIN_SPEED), MAX_SPEED);
}
