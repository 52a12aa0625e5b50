/** Axes, number lines and the curves on them. */

import { around, clipped, headed, path } from "./geometry.js";
import { COLORS, STROKES, clamp, list, number, oneOf, pair, range, words } from "./values.js";

/** @import { Command } from "./fold.js" */
/** @import { Box, Spot } from "./geometry.js" */
/** @import { Builder, Scope, Stroke, Tick, Units } from "./layout.js" */

const MAX_TICKS = 40;
const SHORT = 64; // pixels: a label that stands at its axis' tip

/** @type {Units} */
const ON_SHEET = { x: (value) => value, y: (value) => value };

/** How a command's numbers become places on the sheet. @param {Command} command @param {Scope} scope */
export function unitsOf(command, scope) {
  return scope.find(words(command.in))?.units ?? ON_SHEET;
}

/** @type {Builder} */
export function drawAxes(command, scope) {
  const [x, y] = [number(command.x, 0), number(command.y, 0)];
  const [w, h] = [Math.max(number(command.w, 400), 1), Math.max(number(command.h, 300), 1)];
  const [right, bottom] = [x + w, y + h];
  const across = range(command.xr) ?? [0, 1];
  const upward = range(command.yr);
  const units = { x: scale(across, x, right), y: scale(upward ?? [-1, 1], bottom, y) };
  const origin = { x: clamp(units.x(0), x, right), y: clamp(units.y(0), y, bottom) };
  const crossing = upward !== null && origin.x > x + 1;

  const columns = ticks(across, command.xt, w / 64);
  const rows = upward ? ticks(upward, command.yt, h / 40) : [];
  const widest = Math.max(...columns.map((value) => scope.format(value).length)) * 11 + 10;
  /** @type {Tick[]} */
  const numbers = [
    ...spaced(columns, units.x, widest).map((value) => {
      const aside = crossing && value === 0 ? 14 : 0; // off the other axis
      return { text: scope.format(value), x: units.x(value) - aside, y: origin.y + 27, anchor: "middle" };
    }),
    ...spaced(rows, units.y, 26)
      .filter((value) => value !== 0 || !crossing)
      .map((value) => ({ text: scope.format(value), x: origin.x - 10, y: units.y(value) + 6, anchor: "end" })),
  ];

  /** @param {(at: number) => Spot[]} column @param {(at: number) => Spot[]} row */
  const strokesAt = (column, row) =>
    [...columns.map((value) => column(units.x(value))), ...rows.map((value) => row(units.y(value)))]
      .map((course) => path(course))
      .join("");
  /** @type {Spot[][]} */
  const courses = [[[x, origin.y], [right + 14, origin.y]]];
  if (upward) courses.push([[origin.x, bottom], [origin.x, y - 14]]);
  const notches = strokesAt(
    (at) => [[at, origin.y - 5], [at, origin.y + 5]],
    (at) => [[origin.x - 5, at], [origin.x + 5, at]],
  );
  /** @type {Stroke[]} */
  const strokes = [{ d: notches, color: "ink", weight: "thin" }];
  for (const { shaft, head } of courses.map((course) => headed(course, 14))) {
    strokes.push({ d: path(shaft), color: "ink", weight: "thin" });
    strokes.push({ d: path(head, true), color: "ink", solid: true });
  }
  if (command.grid === true) {
    const lines = strokesAt((at) => [[at, y], [at, bottom]], (at) => [[x, at], [right, at]]);
    strokes.unshift({ d: lines, color: "muted", weight: "faint" });
  }

  const writings = [
    ...scope.beside(words(command.xl), (size) =>
      size.w <= SHORT
        ? { x: right + 22, y: origin.y - size.h / 2 }
        : { x: right - size.w, y: (upward ? bottom : origin.y) + 36 },
    ),
    ...scope.beside(words(command.yl), (size) => ({
      x: size.w <= SHORT ? origin.x - size.w / 2 : Math.max(origin.x - size.w / 2, x - 48),
      y: y - 18 - size.h,
    })),
  ];
  return { box: { x, y, w, h }, units, strokes, ticks: numbers, writings, courses };
}

/** @type {Builder} */
export function drawPlot(command, scope) {
  const axes = scope.find(words(command.in));
  if (!axes?.units) return null;
  const { units, box } = axes;
  const course = courseOf(command, units);
  const runs = clipped(course, box);
  const color = oneOf(command.color, COLORS);
  const dash = oneOf(command.stroke, STROKES);
  /** @type {Stroke[]} */
  const strokes = runs.map((run) => ({ d: path(run), color, dash }));
  const area = path(areaOf(command, scope, course, units, box), true);
  if (area) strokes.unshift({ d: area, fill: color });
  const marks = command.marks === true ? course : [];
  strokes.push({ d: marks.map((at) => (at ? dot(at, 6) : "")).join(""), color, solid: true });
  const end = runs.at(-1)?.at(-1);
  const writings = end ? scope.label(words(command.label), end, color, runs) : [];
  return { box: runs.length ? around(runs.flat()) : box, strokes, writings, courses: runs };
}

/** A round dot as SVG draws it. @param {Spot} at @param {number} r */
export function dot([x, y], r) {
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

/** @param {Command} command @param {Units} units @returns {(Spot | null)[]} */
function courseOf(command, units) {
  return list(command.points ?? command.data).map((item) => {
    const at = pair(item);
    return at && [units.x(at[0]), units.y(at[1])];
  });
}

/**
 * The outline between a curve and a height or another curve, within the axes.
 *
 * @param {Command} command @param {Scope} scope @param {(Spot | null)[]} course @param {Units} units @param {Box} box
 * @returns {Spot[]}
 */
function areaOf(command, scope, course, units, { x, y, w, h }) {
  const height = number(command.fill_to, null);
  const other = height === null ? scope.command(words(command.fill_to)) : null;
  const over = course.filter((at) => at !== null);
  const [first, last] = [over[0], over.at(-1)];
  if (!first || !last || (height === null && !other)) return [];
  /** @type {Spot[]} */
  const level = [[first[0], units.y(height ?? 0)], [last[0], units.y(height ?? 0)]];
  const under = other ? courseOf(other, units).filter((at) => at !== null) : level;
  return [...over, ...under.reverse()].map((at) => [clamp(at[0], x, x + w), clamp(at[1], y, y + h)]);
}

/** @param {[number, number]} range @param {number} start @param {number} end */
function scale([from, to], start, end) {
  return (/** @type {number} */ value) => start + ((value - from) / (to - from)) * (end - start);
}

/**
 * The multiples of a step within a range, ascending.
 *
 * @param {[number, number]} range
 * @param {unknown} wanted  the step, unless it makes too many
 * @param {number} most  how many there is room for otherwise
 */
export function ticks([from, to], wanted, most) {
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  let step = number(wanted, 0);
  if (step <= 0 || (high - low) / step > MAX_TICKS) {
    const least = (high - low) / clamp(most, 2, 12);
    const power = 10 ** Math.floor(Math.log10(least));
    step = power * ([1, 2, 5].find((digit) => digit * power >= least * 0.999) ?? 10);
  }
  const first = Math.ceil(low / step - 1e-9);
  const count = clamp(Math.floor(high / step + 1e-9) - first + 1, 0, MAX_TICKS + 1);
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * Those ticks whose numbers have room.
 *
 * @param {number[]} ticks @param {(value: number) => number} place @param {number} room
 */
function spaced(ticks, place, room) {
  const [first = 0, second = first] = ticks;
  const every = Math.ceil(room / Math.abs(place(second) - place(first)));
  return ticks.filter((value) => ticks.length < 2 || Math.round(value / (second - first)) % every === 0);
}
