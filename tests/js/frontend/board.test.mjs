import assert from "node:assert/strict";
import { test } from "node:test";

import { ticks } from "../../../streaming/frontend/src/board/axes.js";
import { fold } from "../../../streaming/frontend/src/board/fold.js";
import { clipped, edge } from "../../../streaming/frontend/src/board/geometry.js";
import { layout } from "../../../streaming/frontend/src/board/layout.js";

const PAGE = { op: "page", id: "p", title: "A page" };
const BOX = { op: "shape", id: "box", form: "rect", x: 100, y: 100, w: 200, h: 100, alt: "A box" };
const AXES = { op: "axes", id: "ax", x: 100, y: 100, w: 400, h: 400, xr: [-2, 2], yr: [-2, 2] };
const WORDS = { op: "text", id: "words", text: "0123456789", x: 40, y: 40 };
const TOOLS = {
  format: String,
  measure: (_id, _index, { text = "", tex = "", rows = [], width, maxWidth = Infinity }) => {
    const w = Math.max(text.length, tex.length, rows.join().length) * 10;
    return { w: width ?? Math.min(w, tex ? w : maxWidth), h: 20 * Math.ceil(w / (width ?? maxWidth) || 1) };
  },
};

/** The layout of the last page after these commands, with its things by id. */
function laid(...commands) {
  const { pages, focus } = fold(commands);
  const result = layout(pages.at(-1), focus, TOOLS);
  return { ...result, by: Object.fromEntries(result.things.map((thing) => [thing.id, thing])) };
}

/** Scenes as plain data, which can be compared. */
const plain = (scene) => scene.pages.map(({ title, camera, things }) => ({ title, camera, things: [...things] }));

test("folding on from any place gives what folding all at once gives, and leaves the earlier scene alone", () => {
  const commands = [
    WORDS, { op: "camera", fit: ["words"] }, PAGE, BOX, { op: "focus", ids: ["box"] }, { ...BOX, x: 7 },
    { op: "erase", ids: ["box", "none"] }, PAGE, AXES, { op: "novel", alt: "New" }, { op: "focus", ids: ["ax"] },
  ];
  const whole = fold(commands);
  for (let cut = 0; cut <= commands.length; cut += 1) {
    const first = fold(commands.slice(0, cut));
    const before = structuredClone(plain(first));
    const second = fold(commands.slice(cut), first);
    assert.deepEqual({ ...second, pages: plain(second) }, { ...whole, pages: plain(whole) });
    assert.deepEqual(plain(first), before);
  }
});

test("a page begins afresh and keeps the one before, unless there was nothing on it", () => {
  const { pages } = fold([PAGE, WORDS, { ...PAGE, id: "empty" }, { ...PAGE, title: "Last" }, BOX]);
  assert.deepEqual(pages.map(({ title, things }) => [title, [...things.keys()]]), [
    ["A page", ["words"]],
    ["Last", ["box"]],
  ]);
});

test("drawing a known id changes it where it stands among the others", () => {
  const { by, things } = laid(WORDS, BOX, { ...WORDS, text: "now" });
  assert.deepEqual(things.map(({ id }) => id), ["words", "box"]);
  assert.equal(by.words.writings[0].writing.text, "now");
});

test("a focus lasts until something is drawn or a page begun, whatever is erased or looked at meanwhile", () => {
  const focus = { op: "focus", ids: ["box"], how: "pulse" };
  assert.equal(laid(BOX, focus, { op: "camera", fit: ["box"] }, { op: "erase", ids: [] }).focus.how, "pulse");
  assert.equal(laid(BOX, focus, WORDS).focus, null);
  assert.equal(fold([BOX, focus, PAGE]).focus, null);
  assert.equal(laid(BOX, { op: "focus", ids: ["nothing"] }).focus, null);
});

test("a command nobody knows shows its words, and is nothing without them", () => {
  const { things } = laid(WORDS, { op: "hologram", id: "h", alt: "A turning molecule" }, { op: "sound", id: "s" });
  assert.deepEqual(things.map(({ id }) => id), ["words", "h"]);
  assert.equal(things[1].writings[0].writing.text, "A turning molecule");
  assert.ok(things[1].box.y >= things[0].box.y + things[0].box.h);
});

for (const [side, x, y] of [["above", 150, 68], ["below", 150, 212], ["left", -12, 140], ["right", 312, 140], ["center", 150, 140]]) {
  test(`a text stands ${side} what it refers to`, () => {
    const far = side === "left" ? { ...BOX, x: 300 } : BOX; // so that there is room
    const { by } = laid(far, { op: "text", id: "t", text: "0123456789", place: { ref: "box", side } });
    assert.deepEqual([by.t.box.x, by.t.box.y], [side === "left" ? x + 200 : x, y]);
  });
}

test("things that stand beside one another in a ring are drawn all the same", () => {
  const ring = ["a", "b"].map((id, index, all) => ({
    op: "text", id, text: id, place: { ref: all[1 - index], side: "right" },
  }));
  assert.equal(laid(...ring).things.length, 2);
});

test("what is in axes counts in their units, upwards", () => {
  const { by } = laid(AXES, { op: "point", id: "p", in: "ax", x: 1, y: -1 }, { op: "shape", id: "s", form: "rect", in: "ax", x: 0, y: 0, w: 1, h: 2 });
  assert.deepEqual([by.p.box.x + 8, by.p.box.y + 8], [400, 400]);
  assert.deepEqual(by.s.box, { x: 300, y: 100, w: 100, h: 200 });
});

test("a curve stays within its axes and breaks at gaps alone", () => {
  const plot = { op: "plot", id: "f", in: "ax", points: [[-2, 9], [-1, 1], null, [0, 0], [1, 9], [1.5, -9], [2, 0]] };
  const { by } = laid(AXES, plot);
  assert.deepEqual(by.f.courses.map((run) => run.length), [2, 2, 2, 2]);
  for (const [x, y] of by.f.courses.flat()) assert.ok(x >= 100 && x <= 500 && y >= 100 && y <= 500, `${x}, ${y}`);
});

test("clipping cuts a course where it crosses the box", () => {
  assert.deepEqual(clipped([[-10, 5], [20, 5]], { x: 0, y: 0, w: 10, h: 10 }), [[[0, 5], [10, 5]]]);
  assert.deepEqual(clipped([[-10, -5], [20, -5]], { x: 0, y: 0, w: 10, h: 10 }), []);
});

test("a plot is filled to a height or to another plot", () => {
  const low = { op: "plot", id: "low", in: "ax", data: [[-1, -1], [1, -1]] };
  const high = { op: "plot", id: "high", in: "ax", data: [[-1, 1], [1, 1]], fill_to: "low" };
  assert.equal(laid(AXES, low, high).by.high.strokes[0].d, "M200 200L400 200L400 400L200 400Z");
  assert.equal(laid(AXES, { ...high, fill_to: 0 }).by.high.strokes[0].d, "M200 200L400 200L400 300L200 300Z");
});

test("ticks are multiples of their step, and never too many", () => {
  assert.deepEqual(ticks([-0.3, 0.3], 0.1, 5), [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticks([7, -3], 5, 5), [0, 5]);
  assert.deepEqual(ticks([0, 1000], null, 5), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(ticks([-1e15, 1e15], 1e-6, 4), [-1e15, -5e14, 0, 5e14, 1e15]);
});

test("a line between things ends at their edges, with a head that points there", () => {
  assert.deepEqual(edge({ x: 0, y: 0, w: 10, h: 10 }, [100, 5]), [10, 5]);
  const other = { ...BOX, id: "other", form: "ellipse", x: 700 };
  const { by } = laid(BOX, other, { op: "line", id: "l", from: "box", to: "other", arrow: "end" });
  assert.deepEqual([by.l.box.x, by.l.box.x + by.l.box.w], [306, 694]);
  assert.match(by.l.strokes[1].d, /^M694 150L/);
});

test("a text wraps before the sheet's edge and a formula that cannot is written smaller", () => {
  const { by } = laid(
    { op: "text", id: "t", x: 900, y: 40, text: "x".repeat(200) },
    { op: "math", id: "m", x: 900, y: 300, tex: "x".repeat(200) },
  );
  for (const { box } of [by.t, by.m]) assert.ok(box.x + box.w <= 1280, JSON.stringify(box));
  assert.ok(by.m.writings[0].scale < 1);
});

test("labels keep off each other, off curves and on the sheet", () => {
  const label = "0123456789";
  const points = [[0, 0], [0.1, 0.1], [2, 2]].map(([x, y], index) => ({ op: "point", id: `p${index}`, in: "ax", x, y, label }));
  const { by } = laid({ ...AXES, x: 860 }, ...points);
  const boxes = points.map(({ id }) => by[id].writings[0].box);
  boxes.forEach((a, index) => {
    assert.ok(a.x >= 0 && a.x + a.w <= 1280);
    for (const b of boxes.slice(index + 1))
      assert.ok(a.x >= b.x + b.w || b.x >= a.x + a.w || a.y >= b.y + b.h || b.y >= a.y + a.h);
  });
});

test("a camera sees what it is to fit, sixteen to nine, or else the whole sheet", () => {
  const { view } = laid(BOX, WORDS, { op: "camera", fit: ["box"] });
  assert.deepEqual(view, { x: 40, y: 60, w: 320, h: 180 });
  assert.deepEqual(laid(BOX, { op: "camera", fit: ["gone"] }).view, { x: 0, y: 0, w: 1280, h: 720 });
  assert.deepEqual(laid(BOX, { op: "camera", x: 10, y: 20, w: 640 }).view, { x: 10, y: 20, w: 640, h: 360 });
});

test("what is hidden keeps its place, and everything drawn has words", () => {
  const { by } = laid({ ...BOX, hidden: true }, { op: "text", id: "t", text: "T", place: { ref: "box", side: "below" } });
  assert.ok(by.box.hidden);
  assert.equal(by.t.box.y, 212);
  assert.deepEqual([by.box.alt, by.t.alt], ["A box", "T"]);
});

test("whatever comes, everything stays finite and nothing fails", () => {
  const values = [
    undefined, null, "", "box", -1, 0, 1e6, 1e308, NaN, Infinity, true, [], {}, [[1, 2]], [[1e6, -1e6], [0, 0], null],
    [0, 0], [1e308, -1e308], ["box"], { ref: "x", side: "left" }, "__proto__", [[["x"]]],
  ];
  const names = ["id", "x", "y", "w", "h", "xr", "yr", "xt", "points", "data", "expr", "fill_to", "in", "rows", "text",
    "tex", "label", "place", "from", "to", "form", "start", "sweep", "size", "color", "fill", "ids", "fit", "alt", "dur"];
  const ops = ["text", "math", "shape", "line", "axes", "plot", "point", "table", "page", "erase", "camera", "focus", "image", "?", 7];
  let seed = 1;
  const any = (choices) => choices[(seed = (seed * 48271) % 2147483647) % choices.length];
  for (let round = 0; round < 300; round += 1) {
    const commands = Array.from({ length: 20 }, () => {
      const given = Array.from({ length: 12 }, () => [any(names), any(values)]);
      return { op: any(ops), id: any(["ax", "box", "x"]), in: any(["ax", "box", undefined]), ...Object.fromEntries(given) };
    });
    const { pages, focus } = fold([AXES, null, "page", ...commands]);
    for (const page of pages) {
      const { things, view } = layout(page, focus, TOOLS);
      const drawn = things.map(({ bounds, strokes = [] }) => [Object.values(bounds), strokes.map(({ d }) => d)]);
      assert.doesNotMatch(JSON.stringify([drawn, view]), /null|NaN|Infinity/);
    }
  }
});

test("thousands of things each beside the next one are all laid out", () => {
  const many = Array.from({ length: 6000 }, (_, index) => ({
    op: "text", id: `t${index}`, text: "T", place: { ref: `t${index + 1}`, side: "right" },
  }));
  assert.equal(laid(...many).things.length, 6000);
});
