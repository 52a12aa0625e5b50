import "./dom.mjs";

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { createBoard } from "../../../streaming/frontend/src/board/board.js";

const { document, window } = globalThis;
Object.assign(globalThis, { addEventListener() {}, ResizeObserver: class { observe() {} } });
const write = (element, source) => (element.textContent = source);
const words = Object.fromEntries(
  ["board", "first", "previous", "next", "last", "drawn", "enlarge", "reduce"].map((name) => [name, `${name}!`]));
const samples = new URL("../../../answers/samples/answers.jsonl", import.meta.url);
const answers = readFileSync(samples, "utf8").split("\n").filter(Boolean).map(JSON.parse)
  .map(({ answer_steps }) => answer_steps.flatMap(({ parts = [], canvas_commands = [] }) => [...parts, ...canvas_commands]))
  .map((parts) => parts.filter(({ op }) => op).map((command) => ({ alt: command.op, ...command })));
const page = (title) => ({ op: "page", id: title, title });
const text = (id, more = {}) => ({ op: "text", id, text: id, alt: `alt of ${id}`, x: 40, y: 40, ...more });

function open() {
  document.body.innerHTML = "<div></div>";
  const host = document.body.firstChild;
  const board = createBoard(host, { renderText: write, renderMath: write, words, reducedMotion: () => true });
  return { host, board, find: (selector) => host.querySelector(selector) };
}
const things = (host) => [...host.querySelectorAll("[data-id]")].map(({ dataset }) => dataset.id);
const press = (key) => document.activeElement.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));

test("after seeking back and forth the board is what it is after playing, in every sample answer", () => {
  for (const commands of answers) {
    const played = open();
    for (let end = 1; end <= commands.length; end += 1) played.board.show(commands.slice(0, end), { animate: true });
    const whole = played.host.innerHTML;
    for (const end of [commands.length >> 1, 0, 1, commands.length]) played.board.show(commands.slice(0, end));
    assert.equal(played.host.innerHTML, whole);
    const other = open();
    other.board.show(commands);
    assert.equal(other.host.innerHTML, whole);
  }
});

test("everything drawn is an image with words of its own, and one of them is in the tab order", () => {
  const { host, board } = open();
  board.show([text("a"), text("b"), text("c", { hidden: true })]);
  const drawn = [...host.querySelectorAll("[data-id]")];
  assert.deepEqual(drawn.map((thing) => thing.getAttribute("aria-label")), ["alt of a", "alt of b", "alt of c"]);
  assert.deepEqual(drawn.map(({ tabIndex }) => tabIndex), [0, -1, -1]);
  assert.ok(drawn.every((thing) => thing.getAttribute("role") === "img"));
});

test("arrow keys travel through what is drawn, show its words and reach nobody else", () => {
  const { host, board, find } = open();
  board.show(["a", "b", "c"].map((id) => text(id)));
  let passed = 0;
  host.addEventListener("keydown", () => (passed += 1));
  find("[data-id=a]").focus();
  for (const [key, id] of [["ArrowRight", "b"], ["ArrowDown", "c"], ["ArrowDown", "c"], ["Home", "a"], ["End", "c"], ["ArrowLeft", "b"]]) {
    press(key);
    assert.equal(document.activeElement.dataset.id, id, key);
    assert.equal(find(".board-caption").textContent, `alt of ${id}`);
  }
  assert.equal(passed, 0);
  press(" ");
  assert.equal(passed, 1);
  document.activeElement.blur();
  assert.equal(find(".board-caption").textContent, "");
});

test("the focus stays on the board when what it was on goes away", () => {
  const { board, find } = open();
  const commands = [text("a"), text("b")];
  board.show(commands);
  find("[data-id=b]").focus();
  board.show([...commands, { op: "erase", ids: ["b"] }]);
  assert.equal(document.activeElement, find("[data-id=a]"));
});

test("an earlier board stays in view while new things are drawn, which is said", () => {
  const { host, board, find } = open();
  const states = [];
  board.subscribe((state) => states.push(state));
  const commands = [page("one"), text("a"), page("two"), text("b")];
  board.show(commands);
  assert.deepEqual([find(".board-title").textContent, find(".board-count").textContent], ["two", "2 / 2"]);
  find(".board-previous").click();
  assert.deepEqual([things(host), board.state.following], [["a"], false]);
  board.show([...commands, text("c")]);
  assert.deepEqual([things(host), find(".board-drawn").hidden], [["a"], false]);
  find(".board-drawn").click();
  assert.deepEqual([things(host), find(".board-drawn").hidden], [["b", "c"], true]);
  assert.deepEqual(states.at(-1), { page: 2, pages: 2, following: true, enlarged: false });
  board.page(1);
  board.show(commands.slice(0, 2));
  assert.deepEqual([things(host), board.state.following, find(".board-pager").hidden], [["a"], true, true]);
});

test("what is pointed at is pointed at on its own board only", () => {
  const { board, find } = open();
  board.show([page("one"), text("a"), page("two"), text("a"), { op: "focus", ids: ["a"] }]);
  assert.ok(find(".board-focus"));
  board.page(1);
  assert.equal(find(".board-focus"), null);
});

test("a spotlight dims everything else until the next drawing", () => {
  const { host, board, find } = open();
  const commands = [text("a"), text("b"), { op: "focus", ids: ["a"], how: "spotlight" }];
  board.show(commands);
  assert.deepEqual(["a", "b"].map((id) => find(`[data-id=${id}]`).classList.contains("board-dim")), [false, true]);
  board.show([...commands, text("c")]);
  assert.equal(host.querySelector(".board-dim, .board-focus"), null);
});

test("texts, titles, ids, words and colours from outside make no markup", () => {
  const { host, board } = open();
  const hostile = '"><img src=x onerror=alert(1)><script>alert(1)</script>';
  const styled = { color: hostile, fill: hostile, size: hostile, align: hostile };
  board.show([
    page(hostile), text(hostile, { text: hostile, alt: hostile, ...styled }), { op: hostile, alt: hostile },
    { op: "axes", id: "ax", x: 0, y: 0, w: 9, h: 9, xr: [0, 1], xl: hostile, yl: hostile },
    { op: "plot", id: "f", in: "ax", data: [[hostile, 1], [0, 0], [1, 1]], label: hostile, stroke: hostile, fill_to: hostile },
    { op: "table", id: "t", x: 0, y: 0, rows: [[hostile]] }, { op: "math", id: "m", tex: hostile, x: 0, y: 0 },
    { op: "shape", id: "s", form: hostile, label: hostile, ...styled }, { op: "image", id: "i", asset: hostile, alt: hostile },
    { op: "focus", ids: ["s"], how: hostile },
  ]);
  assert.equal(host.querySelector("img, script, [onerror]"), null);
  assert.equal(host.querySelectorAll("[data-id]").length, 8);
});

test("Escape leaves the large board, and is left to others otherwise", () => {
  const { host, board, find } = open();
  board.show([text("a")]);
  let passed = 0;
  host.addEventListener("keydown", () => (passed += 1));
  find(".board-enlarge").click();
  assert.ok(board.state.enlarged);
  find("[data-id=a]").focus();
  press("Escape");
  assert.deepEqual([board.state.enlarged, passed], [false, 0]);
  press("Escape");
  assert.equal(passed, 1);
});
