/** Draws a laid-out page: each thing an element of its own, strokes as SVG and writings as HTML above them. */

import { layout } from "./layout.js";

/** @import { Command, Page } from "./fold.js" */
/** @import { Box, Size } from "./geometry.js" */
/** @import { Layout, Stroke, Thing, Tick, Writing } from "./layout.js" */

/**
 * @typedef {(element: HTMLElement, source: string) => void} Render
 * @typedef {Size & {element: HTMLElement, key: string}} Written  a breadth below 0: not measured yet
 * @typedef {{root: HTMLElement, written: Map<number, Written>, drawn: string}} Record
 * @typedef {{page: Page, number: number, focus: Command | null}} Shown  `number`: which page it is
 */

const SVG = "http://www.w3.org/2000/svg";
const DURATION = 450; // milliseconds, of a drawing without a hint
const PASSES = 5; // a writing's size may move another, whose breadth may change with its place
const SHOWN = "inset(-12px)";
const HIDDEN = {
  right: "inset(-12px 100% -12px -12px)",
  left: "inset(-12px -12px -12px 100%)",
  down: "inset(-12px -12px 100% -12px)",
  up: "inset(100% -12px -12px -12px)",
};

/**
 * @param {HTMLElement} view  what the page is seen through
 * @param {{renderText: Render, renderMath: Render}} renderers  may fill in later: what grows is laid out again
 */
export function createSheet(view, { renderText, renderMath }) {
  const sheet = view.appendChild(make("div", "board-sheet"));
  /** @type {Map<string, Record>} */
  const records = new Map();
  /** @type {Shown | null} */
  let shown = null;
  /** @type {Box | null} */
  let seen = null;

  /** @param {Shown} next @param {boolean} animate */
  function draw(next, animate) {
    const same = shown?.number === next.number;
    shown = next;
    for (const id of records.keys()) if (!next.page.things.has(id)) forget(id);
    const known = new Set(records.keys());
    const laid = settle(next);
    laid.things.forEach((thing, index) => {
      const record = recordOf(thing.id);
      if (sheet.children[index] !== record.root) sheet.insertBefore(record.root, sheet.children[index] ?? null);
      const drawn = JSON.stringify(thing);
      if (record.drawn === drawn) return;
      record.drawn = drawn;
      put(record, thing);
      if (animate) enter(record.root, thing, known.has(thing.id));
    });
    point(laid.focus);
    look(laid.view, animate && same ? next.page.camera : null);
  }

  /** Lays out until every writing is measured: all new ones at once, since measuring is dear. @param {Shown} next */
  function settle({ page, focus }) {
    const language = view.closest("[lang]")?.getAttribute("lang") || undefined; // the explanation's, not the page's
    const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 10 });
    for (let pass = 1; ; pass += 1) {
      /** @type {Written[]} */
      const fresh = [];
      const laid = layout(page, focus, {
        format: (value) => numbers.format(value).replace("-", "−"),
        measure(id, index, writing) {
          const written = write(recordOf(id), index, writing);
          if (written.w < 0) fresh.push(written);
          return { w: Math.max(written.w, 0), h: Math.max(written.h, 0) };
        },
      });
      for (const written of fresh) Object.assign(written, sizeOf(written.element));
      if (!fresh.length || pass === PASSES) return laid;
    }
  }

  /** @param {string} id */
  function recordOf(id) {
    const known = records.get(id);
    if (known) return known;
    const root = sheet.appendChild(make("div", "board-thing"));
    root.dataset.id = id;
    root.tabIndex = -1;
    root.setAttribute("role", "img");
    /** @type {Record} */
    const record = { root, written: new Map(), drawn: "" };
    records.set(id, record);
    return record;
  }

  /** Writes, or takes what is written already. @param {Record} record @param {number} index @param {Writing} writing */
  function write({ root, written }, index, writing) {
    const key = JSON.stringify(writing);
    const known = written.get(index);
    if (known?.key === key) return known;
    known?.element.remove();
    const { size, color, align, fill = "none", width, maxWidth, rows, tex, text = "" } = writing;
    const element = root.appendChild(make(rows ? "table" : "div", "board-words"));
    Object.assign(element.dataset, { size, color, align, fill });
    element.classList.toggle("board-label", writing.label === true);
    if (width) element.style.width = `${width}px`;
    if (maxWidth) element.style.maxWidth = `${maxWidth}px`;
    if (tex) renderMath(element, tex);
    else if (!rows) renderText(element, text);
    for (const [number, row] of (rows ?? []).entries()) {
      const line = element.appendChild(make("tr"));
      for (const cell of row) renderText(line.appendChild(make(writing.head && !number ? "th" : "td")), cell);
    }
    sizes.observe(element);
    const fresh = { element, key, w: -1, h: -1 };
    written.set(index, fresh);
    return fresh;
  }

  /** @param {Record} record @param {Thing} thing */
  function put({ root, written }, { alt, hidden, bounds, strokes = [], ticks = [], writings = [] }) {
    const { x, y, w, h } = bounds;
    root.setAttribute("aria-label", alt);
    root.classList.toggle("board-hidden", hidden);
    stand(root, bounds);
    for (const old of root.querySelectorAll(":scope > svg")) old.remove();
    const viewBox = `${x} ${y} ${w} ${h}`;
    // Numbers are apart, since they stand above the curves that are drawn later.
    if (ticks.length) root.prepend(node("svg", { viewBox, class: "board-ticks" }, ticks.map(drawTick)));
    root.prepend(node("svg", { viewBox }, strokes.map(drawStroke)));
    for (const [index, { element }] of written) {
      const placed = writings[index];
      if (placed) {
        element.style.left = `${placed.box.x - x}px`;
        element.style.top = `${placed.box.y - y}px`;
        element.style.transform = placed.scale ? `scale(${placed.scale})` : "";
      } else {
        element.remove();
        written.delete(index);
      }
    }
  }

  /** @param {Layout["focus"]} focus */
  function point(focus) {
    for (const old of sheet.querySelectorAll(".board-focus")) old.remove();
    for (const [id, { root }] of records)
      root.classList.toggle("board-dim", focus?.how === "spotlight" && !focus.boxes.has(id));
    for (const box of focus?.boxes.values() ?? []) {
      const pointer = sheet.appendChild(make("div", "board-focus"));
      pointer.dataset.how = focus?.how;
      stand(pointer, box);
    }
  }

  /** @param {Box} box @param {Command | null} moving  the camera's command, when it is to be seen moving */
  function look(box, moving) {
    const before = sheet.style.transform;
    seen = box;
    aim();
    const after = sheet.style.transform;
    if (!moving || before === after) return;
    const duration = typeof moving.dur === "number" ? moving.dur : DURATION;
    sheet.animate([{ transform: before }, { transform: after }], { duration, easing: "ease-in-out" });
  }

  function aim() {
    if (!seen || !view.clientWidth) return;
    sheet.style.transform = `scale(${view.clientWidth / seen.w}) translate(${-seen.x}px, ${-seen.y}px)`;
  }

  /** @param {string} id */
  function forget(id) {
    records.get(id)?.root.remove();
    records.delete(id);
  }

  function clear() {
    for (const id of records.keys()) forget(id);
    point(null);
    shown = null;
  }

  // Formulas and fonts come later than the text around them.
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) if (!target.isConnected) sizes.unobserve(target); // else it would be kept
    let changed = false;
    for (const written of [...records.values()].flatMap((record) => [...record.written.values()])) {
      const { w, h } = sizeOf(written.element);
      changed ||= w !== written.w || h !== written.h;
      Object.assign(written, { w, h });
    }
    if (changed && shown) draw(shown, false);
  });
  new ResizeObserver(aim).observe(view);

  return { element: sheet, draw, clear };
}

/**
 * Lets a thing draw itself, or one that was there already change.
 *
 * @param {HTMLElement} root @param {Thing} thing @param {boolean} known
 */
function enter(root, { dur, toward = "right" }, known) {
  const duration = dur ?? DURATION;
  if (known) root.animate([{ opacity: 0.2 }, { opacity: 1 }], { duration: Math.min(duration, DURATION) });
  else root.animate([{ clipPath: HIDDEN[toward] }, { clipPath: SHOWN }], { duration, easing: "ease-out" });
}

/** @param {HTMLElement} element */
function sizeOf(element) {
  return { w: element.offsetWidth, h: element.offsetHeight };
}

/** @param {HTMLElement} element @param {Box} box */
function stand({ style }, { x, y, w, h }) {
  [style.left, style.top, style.width, style.height] = [x, y, w, h].map((value) => `${value}px`);
}

/** @param {Stroke} stroke */
function drawStroke({ d, color = "none", fill = "none", solid = false, dash = "solid", weight = "line" }) {
  const filled = solid ? "solid" : fill;
  return node("path", { d, "data-color": color, "data-fill": filled, "data-dash": dash, "data-weight": weight });
}

/** @param {Tick} tick */
function drawTick({ text, x, y, anchor }) {
  return node("text", { x, y, "text-anchor": anchor }, [text]);
}

/** @param {string} name @param {{[name: string]: string | number}} attributes @param {(Node | string)[]} [inside] */
function node(name, attributes, inside = []) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...inside);
  return element;
}

/** @param {string} name @param {string} [className] */
export function make(name, className = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  return element;
}
