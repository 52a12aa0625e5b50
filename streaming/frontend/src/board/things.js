/** Texts, formulas, tables, shapes, lines, points and frames. */

import { dot, unitsOf } from "./axes.js";
import {
  SHEET, around, between, brace, centroid, corners, edge, ellipse, grown, headed, middle, onSheet, path, smooth,
} from "./geometry.js";
import { ALIGNS, COLORS, FILLS, SIZES, STROKES, clamp, list, number, oneOf, pair, words } from "./values.js";

/** @import { Command } from "./fold.js" */
/** @import { Box, Size, Spot } from "./geometry.js" */
/** @import { Builder, Drawing, Placed, Scope, Stroke, Writing } from "./layout.js" */

const ARROWS = /** @type {const} */ (["none", "end", "start", "both"]);
const FORMS = /** @type {const} */ ([
  "rect", "round", "ellipse", "triangle", "diamond", "polygon", "arc", "brace",
]);
const MARKS = /** @type {const} */ (["dot", "open", "cross"]);
const SIDES = /** @type {const} */ (["right", "left", "above", "below", "center"]);
const BESIDE = /** @type {const} */ (["center", "start", "end"]);
const BEND = 0.2; // of a curved arrow's length
const GAP = 12; // between a thing and what stands beside it
const MARGIN = 16; // of the sheet, for what wraps
const NARROWEST = 160;
const RADIUS = 8; // of a point

/** @type {Builder} */
export function drawText(command, scope) {
  const fill = oneOf(command.fill, FILLS);
  return written(command, scope, { text: words(command.text), fill, ...breadth(command, scope) });
}

/** @type {Builder} */
export function drawMath(command, scope) {
  return written(command, scope, { tex: words(command.tex) });
}

/** @type {Builder} */
export function drawTable(command, scope) {
  const rows = list(command.rows).map((row) => list(row).map(words));
  return written(command, scope, { rows, head: command.head === true, ...breadth(command, scope) });
}

/** What this board cannot draw, in its words, below everything so far. @type {Builder} */
export function drawNote(command, scope) {
  const text = words(command.alt);
  if (!text) return null;
  const [x, y] = [number(command.x, 32), number(command.y, scope.floor())];
  return written({ x, y, color: "muted" }, scope, { text, maxWidth: SHEET.w - 32 - clamp(x, 32, SHEET.w / 2) });
}

/** @type {Builder} */
export function drawImage(command, scope) {
  const box = boxOf(command, scope);
  const frame = { d: path(corners(box), true), color: "muted", dash: "dashed" };
  return { box, strokes: [frame], writings: inside(words(command.alt), box, middle(box), scope) };
}

/** @type {Builder} */
export function drawShape(command, scope) {
  const form = oneOf(command.form, FORMS);
  const outer = boxOf(command, scope);
  const outline = outlineOf(form, command, outer, scope);
  const box = form === "polygon" || form === "arc" ? around(outline) : outer;
  const color = oneOf(command.color, COLORS);
  const fill = oneOf(command.fill, FILLS);
  const dash = oneOf(command.stroke, STROKES);
  const label = words(command.label);
  if (form !== "arc" && form !== "brace") {
    const writings = inside(label, box, centroid(outline), scope);
    return { box, round: form === "ellipse", strokes: [{ d: path(outline, true), color, dash, fill }], writings };
  }
  /** @type {Stroke[]} */
  const strokes = [{ d: path(outline), color, dash }];
  if (form === "arc") strokes.unshift({ d: path([middle(outer), ...outline], true), fill });
  const tip = outline[outline.length >> 1] ?? middle(box);
  return { box, strokes, writings: scope.label(label, tip, color, [outline]), courses: [outline] };
}

/** @type {Builder} */
export function drawLine(command, scope) {
  const course = courseOf(command, scope);
  const [first, last] = [course[0], course.at(-1)];
  if (!first || !last) return null;
  const color = oneOf(command.color, COLORS);
  const arrow = oneOf(command.arrow, ARROWS);
  /** @type {Stroke[]} */
  const heads = [];
  let shaft = course;
  for (const end of ["end", "start"]) {
    if (arrow === end || arrow === "both") {
      const split = headed(shaft);
      heads.push({ d: path(split.head, true), color, solid: true });
      shaft = split.shaft;
    }
    shaft = shaft.toReversed();
  }
  const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
  const center = course.length === 2 ? between(first, last, 0.5) : (course[course.length >> 1] ?? first);
  return {
    box: around(course),
    strokes: [{ d: path(shaft), color, dash: oneOf(command.stroke, STROKES) }, ...heads],
    writings: scope.label(words(command.label), center, color, [course]),
    courses: [course],
    toward: Math.abs(dx) >= Math.abs(dy) ? (dx < 0 ? "left" : "right") : dy < 0 ? "up" : "down",
  };
}

/** @type {Builder} */
export function drawPoint(command, scope) {
  const units = unitsOf(command, scope);
  /** @type {Spot} */
  const at = [units.x(number(command.x, 0)), units.y(number(command.y, 0))];
  const box = grown({ x: at[0], y: at[1], w: 0, h: 0 }, RADIUS);
  const [a, b, c, d] = corners(box);
  const color = oneOf(command.color, COLORS);
  const stroke = {
    dot: { d: dot(at, RADIUS), color, solid: true },
    open: { d: dot(at, RADIUS), color, fill: "paper" },
    cross: { d: path([a, c]) + path([b, d]), color },
  }[oneOf(command.mark, MARKS)];
  return { box, round: true, strokes: [stroke], writings: scope.label(words(command.label), at, color) };
}

/**
 * A thing that is one writing, at a place or beside another thing; shrunk if it cannot wrap.
 *
 * @param {Command} command @param {Scope} scope @param {Partial<Writing>} what @returns {Drawing}
 */
function written(command, scope, what) {
  const align = oneOf(command.align, ALIGNS);
  const writing = { size: oneOf(command.size, SIZES), color: oneOf(command.color, COLORS), align, ...what };
  const full = scope.measure(writing);
  const scale = Math.min(1, (what.width ?? room(command, scope)) / Math.max(full.w, 1));
  const size = { w: full.w * scale, h: full.h * scale };
  const ref = refOf(command, scope);
  const units = unitsOf(command, scope);
  const share = what.width === undefined ? { left: 0, center: 0.5, right: 1 }[align] : 0;
  const [x, y] = [units.x(number(command.x, 32)) - size.w * share, units.y(number(command.y, 32))];
  const box = onSheet(ref ? ref.stand(size) : { x, y, ...size });
  return { box, writings: [{ writing, box, scale }] };
}

/** @param {Command} command @param {Scope} scope @returns {{width: number} | {maxWidth: number}} */
function breadth(command, scope) {
  const width = number(command.w, null);
  if (width === null) return { maxWidth: room(command, scope) };
  const { x } = unitsOf(command, scope);
  return { width: Math.max(Math.abs(x(width) - x(0)), 24) };
}

/** How wide a writing may be before it leaves the sheet. @param {Command} command @param {Scope} scope */
function room(command, scope) {
  const ref = refOf(command, scope);
  const x = unitsOf(command, scope).x(number(command.x, 32));
  const [left, right] = [x - MARGIN, SHEET.w - MARGIN - x];
  const free = { left: right, center: 2 * Math.min(left, right), right: left }[oneOf(command.align, ALIGNS)];
  return clamp(ref ? ref.room : free, NARROWEST, SHEET.w - 2 * MARGIN);
}

/** What a command's `place` comes to, if there is such a thing. @param {Command} command @param {Scope} scope */
function refOf(command, scope) {
  const place = /** @type {Command} */ (Object(command.place));
  const box = scope.find(words(place.ref))?.box;
  if (!box) return null;
  const gap = number(place.gap, GAP);
  const side = oneOf(place.side, SIDES);
  const share = { center: 0.5, start: 0, end: 1 }[oneOf(place.align, BESIDE)];
  const after = box.x + box.w + gap;
  const widths = { right: SHEET.w - MARGIN - after, left: box.x - gap - MARGIN };
  return {
    room: side === "right" || side === "left" ? widths[side] : SHEET.w,
    /** @param {Size} size @returns {Box} */
    stand({ w, h }) {
      const [x, y] = [box.x + (box.w - w) * share, box.y + (box.h - h) * share];
      const [cx, cy] = middle(box);
      const at = {
        above: { x, y: box.y - gap - h },
        below: { x, y: box.y + box.h + gap },
        left: { x: box.x - gap - w, y },
        right: { x: after, y },
        center: { x: cx - w / 2, y: cy - h / 2 },
      };
      return { ...at[side], w, h };
    },
  };
}

/**
 * A label within an outline.
 *
 * @param {string} text @param {Box} box @param {Spot} at @param {Scope} scope @returns {Placed[]}
 */
function inside(text, box, [x, y], scope) {
  if (!text) return [];
  const writing = { text, size: "m", color: "ink", align: "center", maxWidth: Math.max(box.w - 12, 72) };
  const { w, h } = scope.measure(writing);
  return [{ writing, box: { x: x - w / 2, y: y - h / 2, w, h } }];
}

/** @param {Command} command @param {Scope} scope @returns {Box} */
function boxOf(command, scope) {
  const units = unitsOf(command, scope);
  const [x, y] = [number(command.x, 0), number(command.y, 0)];
  const [w, h] = [number(command.w, 100), number(command.h, 100)];
  return around([[units.x(x), units.y(y)], [units.x(x + w), units.y(y + h)]]);
}

/** @param {typeof FORMS[number]} form @param {Command} command @param {Box} box @param {Scope} scope @returns {Spot[]} */
function outlineOf(form, command, box, scope) {
  const { x, y, w, h } = box;
  const [cx, cy] = middle(box);
  const r = Math.min(20, w / 3, h / 3);
  const quarter = (/** @type {number} */ left, /** @type {number} */ top, /** @type {number} */ start) =>
    ellipse({ x: left, y: top, w: 2 * r, h: 2 * r }, start, 90);
  /** @type {globalThis.Record<typeof form, () => Spot[]>} */
  const outlines = {
    rect: () => corners(box),
    round: () => [
      ...quarter(x + w - 2 * r, y, 0),
      ...quarter(x, y, 90),
      ...quarter(x, y + h - 2 * r, 180),
      ...quarter(x + w - 2 * r, y + h - 2 * r, 270),
    ],
    ellipse: () => ellipse(box),
    triangle: () => [[cx, y], [x + w, y + h], [x, y + h]],
    diamond: () => [[cx, y], [x + w, cy], [cx, y + h], [x, cy]],
    polygon: () => spotsOf(command, scope),
    arc: () => ellipse(box, number(command.start, 0), clamp(number(command.sweep, 90), -360, 360)),
    brace: () => brace(box),
  };
  return outlines[form]();
}

/** @param {Command} command @param {Scope} scope @returns {Spot[]} */
function spotsOf(command, scope) {
  const units = unitsOf(command, scope);
  return list(command.points).flatMap((item) => {
    const at = pair(item);
    return at ? [[units.x(at[0]), units.y(at[1])]] : [];
  });
}

/** @param {Command} command @param {Scope} scope @returns {Spot[]} */
function courseOf(command, scope) {
  const curved = command.curve === true;
  const [from, to] = [scope.find(words(command.from)), scope.find(words(command.to))];
  if (!from || !to) return curved ? smooth(spotsOf(command, scope)) : spotsOf(command, scope);
  const [a, b] = [middle(from.box), middle(to.box)];
  const [x, y] = between(a, b, 0.5);
  /** @type {Spot} */
  const bend = curved ? [x + (b[1] - a[1]) * BEND, y - (b[0] - a[0]) * BEND] : [x, y];
  const [start, end] = [
    edge(grown(from.box, 6), curved ? bend : b, from.round),
    edge(grown(to.box, 6), curved ? bend : a, to.round),
  ];
  return curved ? smooth([start, bend, end], 4) : [start, end];
}
