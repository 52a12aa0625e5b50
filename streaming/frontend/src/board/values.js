/** Reads parameters of commands that nobody vouches for: what is unfit counts as left out. */

export const COLORS = /** @type {const} */ (["ink", "muted", "accent", "info", "good", "warn", "bad", "mark"]);
export const FILLS = /** @type {const} */ (["none", ...COLORS]);
export const STROKES = /** @type {const} */ (["solid", "dashed", "dotted"]);
export const SIZES = /** @type {const} */ (["m", "xs", "s", "l", "xl"]);
export const ALIGNS = /** @type {const} */ (["left", "center", "right"]);
const LIMIT = 1e6;
const RANGE_LIMIT = 1e15;

/** @param {unknown} value */
export function words(value) {
  return typeof value === "string" ? value : "";
}

/** @template T @param {unknown} value @param {T} otherwise @returns {number | T} */
export function number(value, otherwise, limit = LIMIT) {
  return typeof value === "number" && Number.isFinite(value) ? clamp(value, -limit, limit) : otherwise;
}

/** @param {unknown} value @returns {unknown[]} */
export function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value */
export function strings(value) {
  return list(value).filter((item) => typeof item === "string");
}

/** @param {unknown} value @returns {[number, number] | null} */
export function pair(value, limit = LIMIT) {
  const [a, b] = list(value).map((item) => number(item, null, limit));
  return a != null && b != null ? [a, b] : null;
}

/** @param {unknown} value @returns {[number, number] | null} two different ends */
export function range(value) {
  const ends = pair(value, RANGE_LIMIT);
  return ends && ends[0] !== ends[1] ? ends : null;
}

/** @template {string} T @param {unknown} value @param {readonly T[]} choices @returns {T} the first unless told */
export function oneOf(value, choices) {
  return choices.find((choice) => choice === value) ?? /** @type {T} */ (choices[0]);
}

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
