/**
 * A page of the board laid out: where each thing stands, and of which strokes and writings it is made. Without DOM;
 * whoever draws it says how large a writing comes out.
 *
 * @typedef {{x: (value: number) => number, y: (value: number) => number}} Units
 * @typedef {object} Stroke
 * @property {string} d
 * @property {string} [color]  of the line, which there is none of without
 * @property {string} [fill]  a tint
 * @property {boolean} [solid]  filled with the line's colour, like an arrow's head
 * @property {string} [dash]
 * @property {"line" | "thin" | "faint"} [weight]
 * @typedef {{text: string, x: number, y: number, anchor: string}} Tick
 * @typedef {object} Writing  a text, a formula or a table
 * @property {string} [text]
 * @property {string} [tex]
 * @property {string[][]} [rows]
 * @property {boolean} [head]  whether the first row is one
 * @property {boolean} [label]
 * @property {string} size
 * @property {string} color
 * @property {string} align
 * @property {string} [fill]
 * @property {number} [width]
 * @property {number} [maxWidth]
 * @typedef {{writing: Writing, box: Box, scale?: number}} Placed  `scale`: what it is shrunk by to fit
 * @typedef {object} Drawing
 * @property {Box} box  what others stand beside and point at
 * @property {boolean} [round]  lines end at the ellipse in that box
 * @property {Units} [units]
 * @property {Stroke[]} [strokes]
 * @property {Tick[]} [ticks]
 * @property {Placed[]} [writings]  in the order in which they were measured
 * @property {Spot[][]} [courses]  lines that labels keep away from
 * @property {"right" | "left" | "up" | "down"} [toward]  where it grows to when it draws itself
 * @typedef {Drawing & {id: string, alt: string, hidden: boolean, bounds: Box, dur: number | null}} Thing
 * @typedef {object} Scope  what a thing may ask for while it is laid out
 * @property {(id: string) => Drawing | null} find  another thing
 * @property {(id: string) => Command | null} command
 * @property {(writing: Writing) => Size} measure
 * @property {(value: number) => string} format
 * @property {() => number} floor  below all writings so far
 * @property {(text: string, stand: (size: Size) => {x: number, y: number}, color?: string) => Placed[]} beside
 *   a label at a given place
 * @property {(text: string, at: Spot, color: string, courses?: Spot[][]) => Placed[]} label
 *   a label where there is room around a spot
 * @typedef {(command: Command, scope: Scope) => Drawing | null} Builder
 * @typedef {{boxes: Box[], spots: Spot[]}} Obstacles
 * @typedef {{things: Thing[], view: Box, focus: {how: string, boxes: Map<string, Box>} | null}} Layout
 * @typedef {{measure: (id: string, index: number, writing: Writing) => Size, format: Scope["format"]}} Tools
 */

import { drawAxes, drawPlot } from "./axes.js";
import { SHEET, dense, grown, holds, meet, onSheet, union } from "./geometry.js";
import { drawImage, drawLine, drawMath, drawNote, drawPoint, drawShape, drawTable, drawText } from "./things.js";
import { clamp, number, oneOf, strings, words } from "./values.js";

/** @import { Command, Page } from "./fold.js" */
/** @import { Box, Size, Spot } from "./geometry.js" */

/** @type {Map<string, Builder>} */
const BUILDERS = new Map([
  ["axes", drawAxes],
  ["image", drawImage],
  ["line", drawLine],
  ["math", drawMath],
  ["plot", drawPlot],
  ["point", drawPoint],
  ["shape", drawShape],
  ["table", drawTable],
  ["text", drawText],
]);
const HOW = /** @type {const} */ (["outline", "spotlight", "underline", "pulse", "pointer"]);
const MAX_DEPTH = 64; // of things that stand beside things
const MAX_OBSTACLES = 2000; // that labels keep away from: beyond, a board is too full for it
const GAPS = [12, 44]; // between a spot and its label
const SIDES = [[1, -1], [-1, -1], [1, 1], [-1, 1], [0, -1], [0, 1], [1, 0], [-1, 0]]; // the best first
const TICK = { w: 11, h: 22 }; // pixels of a tick's character

/** @param {Page} page @param {Command | null} focus @param {Tools} tools @returns {Layout} */
export function layout(page, focus, { measure, format }) {
  /** @type {Map<string, Drawing | null>} */
  const drawings = new Map();
  /** @type {Obstacles} */
  const obstacles = { boxes: [], spots: [] };
  let depth = 0;

  /** @type {Scope["find"]} */
  function find(id) {
    const command = page.things.get(id);
    if (drawings.has(id) || !command || depth > MAX_DEPTH) return drawings.get(id) ?? null;
    drawings.set(id, null); // what stands beside itself finds nothing
    depth += 1;
    const scope = scopeOf(id);
    const drawing = BUILDERS.get(words(command.op))?.(command, scope) ?? drawNote(command, scope);
    depth -= 1;
    drawings.set(id, drawing);
    if (obstacles.boxes.length + obstacles.spots.length > MAX_OBSTACLES) return drawing;
    obstacles.boxes.push(...boxesOf(drawing));
    for (const course of drawing?.courses ?? []) obstacles.spots.push(...dense(course));
    return drawing;
  }

  /** @param {string} id @returns {Scope} */
  function scopeOf(id) {
    let index = 0;
    /** @type {Scope["beside"]} */
    function beside(text, stand, color = "ink") {
      if (!text) return [];
      const writing = { text, size: "s", color, align: "left", label: true };
      const size = measure(id, index++, writing);
      return [{ writing, box: onSheet({ ...size, ...stand(size) }) }];
    }
    return {
      find,
      beside,
      format,
      command: (other) => page.things.get(other) ?? null,
      measure: (writing) => measure(id, index++, writing),
      floor: () => Math.min(SHEET.h - 48, Math.max(24, ...obstacles.boxes.map(({ y, h }) => y + h)) + 8),
      label(text, at, color, courses = []) {
        const spots = [...obstacles.spots, ...courses.flatMap(dense)];
        return beside(text, (size) => roomiest(size, at, { boxes: obstacles.boxes, spots }), color);
      },
    };
  }

  const things = [...page.things].flatMap(([id, command]) => {
    const drawing = find(id);
    return drawing ? [described(id, command, drawing)] : [];
  });
  const bounds = new Map(things.map((thing) => [thing.id, thing.bounds]));
  /** @param {unknown} ids @returns {Map<string, Box>} */
  function boxesAt(ids) {
    const wanted = new Set(strings(ids));
    return new Map([...bounds].filter(([id]) => wanted.has(id)));
  }
  const boxes = boxesAt(focus?.ids);
  return {
    things,
    view: seen(page.camera, [...boxesAt(page.camera?.fit).values()]),
    focus: boxes.size ? { how: oneOf(focus?.how, HOW), boxes } : null,
  };
}

/** @param {string} id @param {Command} command @param {Drawing} drawing @returns {Thing} */
function described(id, command, drawing) {
  const alt = [command.alt, command.label, command.text, command.op].map(words).find(Boolean) ?? id;
  const { w, h, ...at } = union([drawing.box, ...boxesOf(drawing)]);
  const bounds = { ...at, w: Math.max(w, 1), h: Math.max(h, 1) }; // nothing is seen of an SVG without breadth
  return { ...drawing, id, alt, bounds, hidden: command.hidden === true, dur: number(command.dur, null) };
}

/** Where there is something to read. @param {Drawing | null} drawing @returns {Box[]} */
function boxesOf(drawing) {
  const numbers = (drawing?.ticks ?? []).map(({ text, x, y, anchor }) => {
    const w = text.length * TICK.w;
    return { x: x - (anchor === "end" ? w : w / 2), y: y - TICK.h * 0.8, w, h: TICK.h };
  });
  return [...numbers, ...(drawing?.writings ?? []).map(({ box }) => box)];
}

/** What of the page is seen, 16:9. @param {Command | null} camera @param {Box[]} boxes @returns {Box} */
function seen(camera, boxes) {
  const whole = grown(union(boxes), 32);
  const wanted = boxes.length ? Math.max(whole.w, (whole.h * 16) / 9) : number(camera?.w, null);
  if (wanted === null) return SHEET;
  const w = clamp(wanted, SHEET.w / 4, 4 * SHEET.w);
  const h = (w * 9) / 16;
  if (!boxes.length) return { x: number(camera?.x, 0), y: number(camera?.y, 0), w, h };
  return { x: whole.x + (whole.w - w) / 2, y: whole.y + (whole.h - h) / 2, w, h };
}

/** Where around a spot a label covers least. @param {Size} size @param {Spot} at @param {Obstacles} obstacles */
function roomiest({ w, h }, [x, y], { boxes, spots }) {
  const around = grown({ x: x - w, y: y - h, w: 2 * w, h: 2 * h }, Math.max(...GAPS) + 4);
  const nearSpots = spots.filter((spot) => holds(around, spot));
  const nearBoxes = boxes.filter((box) => meet(around, box));
  const choices = GAPS.flatMap((gap, ring) =>
    SIDES.map(([right = 0, down = 0], index) => {
      const away = right && down ? gap * 0.6 : gap;
      const box = { x: x + right * away + (w * (right - 1)) / 2, y: y + down * away + (h * (down - 1)) / 2, w, h };
      const tight = grown(box, 3);
      const moved = onSheet(box);
      const covered = nearSpots.filter((spot) => holds(tight, spot)).length;
      const over = nearBoxes.filter((other) => meet(tight, other)).length;
      const off = moved.x !== box.x || moved.y !== box.y;
      return { box, cost: index + 8 * ring + 4 * covered + 40 * over + (off ? 400 : 0) };
    }),
  );
  return choices.reduce((best, choice) => (choice.cost < best.cost ? choice : best)).box;
}
