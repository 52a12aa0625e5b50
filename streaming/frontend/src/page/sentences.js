// Where a sentence is, for keys, menus and voices that go by sentences.

import { length, sentenceAt, sentences, slice } from "../text.js";

/** @typedef {import("../recording.js").Recording} Recording */
/** @typedef {{ step: number, position: number }} Place */
/** @typedef {{ step: number, from: number, to: number, text: string }} Sentence */

const JUST_BEGUN = 12; // code points of a sentence; as long as no more is shown, the one before is meant

/** The sentence at a place, or null where nothing is written. @param {Recording} recording @param {Place} place @returns {Sentence | null} */
export function sentenceOf(recording, { step, position }) {
  const content = recording.steps[step - 1]?.content ?? "";
  const { from, to } = sentenceAt(content, position);
  return to > from ? { step, from, to, text: slice(content, from, to) } : null;
}

/** The sentence that a student means who has just read up to a place. @param {Recording} recording @param {Place} place @returns {Sentence | null} */
export function lastSentence(recording, { step, position }) {
  if (position === 0 && step > 1) return sentenceOf(recording, { step: step - 1, position: Infinity });
  const last = sentenceOf(recording, { step, position: Math.max(position - 1, 0) });
  const begun = last && position < last.to && position - last.from < JUST_BEGUN;
  if (!begun || (last.from === 0 && step === 1)) return last;
  return lastSentence(recording, { step, position: last.from }) ?? last;
}

/**
 * Where the sentence before or after a place begins.
 * @param {Recording} recording @param {Place} place @param {1 | -1} direction
 * @returns {Place}
 */
export function besideSentence(recording, { step, position }, direction) {
  const content = recording.steps[step - 1]?.content ?? "";
  const starts = sentences(content).map(({ from }) => from);
  if (direction > 0) {
    const next = starts.find((from) => from > position);
    if (next !== undefined) return { step, position: next };
    return step < recording.totalSteps ? { step: step + 1, position: 0 } : { step, position: length(content) };
  }
  const before = starts.findLast((from) => from <= position - JUST_BEGUN);
  if (before !== undefined) return { step, position: before };
  if (step === 1 || position > 0) return { step, position: 0 };
  const previous = recording.steps[step - 2]?.content ?? "";
  return { step: step - 1, position: sentences(previous).at(-1)?.from ?? 0 };
}
