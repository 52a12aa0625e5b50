/**
 * Boxes, and courses: runs of spots. All in the sheet's own pixels, y downwards.
 *
 * @typedef {[number, number]} Spot
 * @typedef {{w: number, h: number}} Size
 * @typedef {{x: number, y: number, w: number, h: number}} Box
 */

import { clamp } from "./values.js";

/** @type {Box} */
export const SHEET = { x: 0, y: 0, w: 1280, h: 720 };
const MARGIN = 8;

/** @param {readonly Spot[]} spots @returns {Box} */
export function around(spots) {
  if (!spots.length) return { x: 0, y: 0, w: 0, h: 0 };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of spots) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** @param {Box} box @returns {[Spot, Spot, Spot, Spot]} */
export function corners({ x, y, w, h }) {
  return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
}

/** @param {readonly Box[]} boxes */
export function union(boxes) {
  return around(boxes.flatMap(corners));
}

/** @param {Box} box @param {number} by @returns {Box} */
export function grown({ x, y, w, h }, by) {
  return { x: x - by, y: y - by, w: w + 2 * by, h: h + 2 * by };
}

/** @param {Box} box @returns {Spot} */
export function middle({ x, y, w, h }) {
  return [x + w / 2, y + h / 2];
}

/** @param {Box} box @param {Spot} spot */
export function holds({ x, y, w, h }, [px, py]) {
  return px >= x && px <= x + w && py >= y && py <= y + h;
}

/** @param {Box} a @param {Box} b */
export function meet(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Moves what touches the sheet wholly onto it, as far as it fits. @param {Box} box @returns {Box} */
export function onSheet(box) {
  if (!meet(SHEET, box) && !holds(SHEET, [box.x, box.y])) return box;
  const x = Math.max(MARGIN, Math.min(box.x, SHEET.w - MARGIN - box.w));
  return { ...box, x, y: Math.max(MARGIN, Math.min(box.y, SHEET.h - MARGIN - box.h)) };
}

/** @param {Spot} a @param {Spot} b @param {number} share @returns {Spot} */
export function between(a, b, share) {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
}

/** @param {Spot} a @param {Spot} b */
export function distance(a, b) {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

/** The middle of an outline's area, or of its box if it has none. @param {readonly Spot[]} spots @returns {Spot} */
export function centroid(spots) {
  const box = around(spots);
  let [area, x, y] = [0, 0, 0];
  spots.forEach((spot, index) => {
    // Counted from the box's corner, since far from the origin the sums would lose their digits.
    const [ax, ay] = [spot[0] - box.x, spot[1] - box.y];
    const next = spots[(index + 1) % spots.length] ?? spot;
    const [bx, by] = [next[0] - box.x, next[1] - box.y];
    const cross = ax * by - bx * ay;
    [area, x, y] = [area + cross, x + (ax + bx) * cross, y + (ay + by) * cross];
  });
  return Math.abs(area) > 1 ? [box.x + x / (3 * area), box.y + y / (3 * area)] : middle(box);
}

/** Degrees run anticlockwise from three o'clock, as in mathematics. @param {Box} box @returns {Spot[]} */
export function ellipse(box, start = 0, sweep = 360) {
  const [x, y] = middle(box);
  const count = Math.max(2, Math.ceil(Math.abs(sweep) / 4));
  return Array.from({ length: count + 1 }, (_, index) => {
    const angle = ((start + (sweep * index) / count) * Math.PI) / 180;
    return [x + (Math.cos(angle) * box.w) / 2, y - (Math.sin(angle) * box.h) / 2];
  });
}

/** A curly brace, its tip below if it is wide and to the right if it is high. @param {Box} box @returns {Spot[]} */
export function brace({ x, y, w, h }) {
  const half = [[0, 0], [0.02, 0.5], [0.1, 0.5], [0.45, 0.5], [0.5, 0.6], [0.5, 1]];
  const whole = [...half, ...half.map(([along = 0, depth = 0]) => [1 - along, depth]).reverse()];
  return smooth(whole.map(([a = 0, d = 0]) => (w >= h ? [x + w * a, y + h * d] : [x + w * d, y + h * a])));
}

/** Rounds a course's corners by cutting them, again and again. @param {Spot[]} course @returns {Spot[]} */
export function smooth(course, times = 3) {
  const [first, last] = [course[0], course.at(-1)];
  if (!times || !first || !last) return course;
  const cut = course.slice(1).flatMap((spot, index) => {
    const before = course[index] ?? spot;
    return [between(before, spot, 0.25), between(before, spot, 0.75)];
  });
  return smooth([first, ...cut.slice(1, -1), last], times - 1);
}

/** A course with a spot at least every few pixels. @param {readonly Spot[]} course @returns {Spot[]} */
export function dense(course) {
  return course.flatMap((spot, index) => {
    const next = course[index + 1] ?? spot;
    const count = clamp(Math.ceil(distance(spot, next) / 12), 1, 60);
    return Array.from({ length: count }, (_, piece) => between(spot, next, piece / count));
  });
}

/**
 * The runs of a course that lie within a box.
 *
 * @param {readonly (Spot | null)[]} course  null: a gap
 * @param {Box} box
 * @returns {Spot[][]}
 */
export function clipped(course, box) {
  /** @type {Spot[][]} */
  const runs = [];
  course.forEach((b, index) => {
    const a = course[index - 1];
    const within = a && b && segmentWithin(a, b, box);
    const joint = runs.at(-1)?.at(-1);
    if (within && joint && distance(joint, within[0]) < 0.01) runs.at(-1)?.push(within[1]);
    else if (within) runs.push(within);
  });
  return runs;
}

/** @param {Spot} a @param {Spot} b @param {Box} box @returns {[Spot, Spot] | null} */
function segmentWithin(a, b, { x, y, w, h }) {
  let [enter, leave] = [0, 1];
  const sides = [
    [a[0] - b[0], a[0] - x],
    [b[0] - a[0], x + w - a[0]],
    [a[1] - b[1], a[1] - y],
    [b[1] - a[1], y + h - a[1]],
  ];
  for (const [delta = 0, room = 0] of sides) {
    if (delta === 0 && room < 0) return null;
    if (delta < 0) enter = Math.max(enter, room / delta);
    if (delta > 0) leave = Math.min(leave, room / delta);
  }
  return enter > leave ? null : [between(a, b, enter), between(a, b, leave)];
}

/** Where a line from the middle of a box leaves it. @param {Box} box @param {Spot} toward @returns {Spot} */
export function edge(box, toward, round = false) {
  const from = middle(box);
  const x = Math.abs(toward[0] - from[0]) / (box.w / 2);
  const y = Math.abs(toward[1] - from[1]) / (box.h / 2);
  const reach = round ? Math.hypot(x, y) : Math.max(x, y);
  return reach > 1 ? between(from, toward, 1 / reach) : from;
}

/** Splits a course into a shaft and the arrow head at its end. @param {readonly Spot[]} course */
export function headed(course, size = 18) {
  const shaft = [...course];
  const tip = /** @type {Spot} */ (shaft.at(-1));
  while (shaft.length > 1 && distance(/** @type {Spot} */ (shaft.at(-1)), tip) < size) shaft.pop();
  const from = /** @type {Spot} */ (shaft.at(-1));
  const span = distance(from, tip) || 1;
  const neck = between(tip, from, Math.min(1, size / span));
  const [dx, dy] = [(tip[1] - neck[1]) * 0.45, (neck[0] - tip[0]) * 0.45];
  /** @type {Spot[]} */
  const head = [tip, [neck[0] + dx, neck[1] + dy], [neck[0] - dx, neck[1] - dy]];
  return { shaft: [...shaft, between(tip, neck, 0.8)], head };
}

/** A course as SVG draws it. @param {readonly Spot[]} course */
export function path(course, closed = false) {
  const tenth = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const steps = course.map(([x, y], index) => `${index ? "L" : "M"}${tenth(x)} ${tenth(y)}`).join("");
  return closed && steps ? `${steps}Z` : steps;
}
