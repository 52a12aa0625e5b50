/** The board as the page has it: the sheet, its caption, earlier boards, and the keyboard's way through it. */

import { fold } from "./fold.js";
import { createTravel } from "./keys.js";
import { createSheet, make } from "./sheet.js";

/** @import { Command } from "./fold.js" */
/** @import { Render } from "./sheet.js" */

/**
 * @typedef {{board: string, first: string, previous: string, next: string, last: string, drawn: string,
 *   enlarge: string, reduce: string}} Words  `drawn`: something new was drawn on a later board
 * @typedef {object} Options
 * @property {Render} renderText  fills an element with a text that may hold formulas
 * @property {Render} renderMath
 * @property {Words} words
 * @property {() => boolean} [reducedMotion]
 * @typedef {{page: number, pages: number, following: boolean, enlarged: boolean}} BoardState  `page` counts from 1
 */

const prefersReducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {HTMLElement} host @param {Options} options */
export function createBoard(host, { words, reducedMotion = prefersReducedMotion, ...renderers }) {
  const root = host.appendChild(make("div", "board"));
  const view = root.appendChild(make("div", "board-frame")).appendChild(make("div", "board-view"));
  view.setAttribute("role", "group");
  view.setAttribute("aria-label", words.board);
  const caption = root.appendChild(make("p", "board-caption"));
  const bar = root.appendChild(make("div", "board-bar"));
  const title = bar.appendChild(make("span", "board-title"));
  const drawn = button(bar, "drawn", words.drawn, () => turn("last"));
  const pager = bar.appendChild(make("div", "board-pager"));
  const back = [
    button(pager, "first", "«", () => turn(1)),
    button(pager, "previous", "‹", () => turn(place() - 1)),
  ];
  const count = pager.appendChild(make("span", "board-count"));
  const forth = [
    button(pager, "next", "›", () => turn(place() + 1)),
    button(pager, "last", "»", () => turn("last")),
  ];
  const size = button(bar, "enlarge", "⤢", () => enlarge(!enlarged));
  const sheet = createSheet(view, renderers);
  const travel = createTravel(sheet.element, caption);

  /** @type {readonly Command[]} */
  let commands = [];
  let scene = fold([]);
  /** @type {number | null} an earlier page that the student looks at; else the last one is followed */
  let pinned = null;
  let enlarged = false;
  /** @type {Set<(state: BoardState) => void>} */
  const listeners = new Set();

  /** @param {HTMLElement} parent @param {keyof Words} name @param {string} face @param {() => void} act */
  function button(parent, name, face, act) {
    const made = /** @type {HTMLButtonElement} */ (parent.appendChild(make("button", `board-${name}`)));
    made.type = "button";
    made.textContent = face;
    if (face !== words[name]) made.setAttribute("aria-label", words[name]);
    made.addEventListener("click", act);
    return made;
  }

  function place() {
    return pinned ?? Math.max(scene.pages.length, 1);
  }

  /** @returns {BoardState} */
  function state() {
    return { page: place(), pages: scene.pages.length, following: pinned === null, enlarged };
  }

  /**
   * Shows the board after these commands: all of the explanation up to the playhead, in order.
   *
   * @param {readonly Command[]} next
   * @param {{animate?: boolean}} [options]  whether what is new may draw itself
   */
  function show(next, { animate = false } = {}) {
    const grown = commands.every((command, index) => command === next[index]);
    if (grown && commands.length === next.length) return;
    scene = grown ? fold(next.slice(commands.length), scene) : fold(next);
    commands = [...next];
    if (pinned !== null && pinned >= scene.pages.length) pinned = null;
    drawn.hidden = !grown;
    update(animate && grown && !reducedMotion());
  }

  /** Turns to a page, counted from 1, or back to where things are drawn. @param {number | "last"} page */
  function turn(page) {
    pinned = page === "last" || page >= scene.pages.length ? null : Math.max(1, page);
    drawn.hidden = true;
    update(false);
  }

  /** @param {boolean} animate */
  function update(animate) {
    const number = place();
    const page = scene.pages[number - 1];
    const pages = Math.max(scene.pages.length, 1);
    const inside = sheet.element.contains(document.activeElement);
    if (page) sheet.draw({ page, number, focus: pinned === null ? scene.focus : null }, animate);
    else sheet.clear();
    travel.settle(inside);
    root.classList.toggle("board-blank", !page);
    title.textContent = page?.title ?? "";
    count.textContent = `${number} / ${pages}`;
    pager.hidden = pages < 2;
    drawn.hidden ||= pinned === null;
    for (const one of back) one.setAttribute("aria-disabled", String(number === 1));
    for (const one of forth) one.setAttribute("aria-disabled", String(number === pages));
    for (const listener of listeners) listener(state());
  }

  /** Fills the window with the board, which may be moved about on a small screen. @param {boolean} large */
  function enlarge(large) {
    enlarged = large;
    root.classList.toggle("board-enlarged", large);
    size.setAttribute("aria-label", large ? words.reduce : words.enlarge);
    size.textContent = large ? "⤡" : "⤢";
    for (const listener of listeners) listener(state());
  }

  /** On paper every page of the board is seen. */
  function printOut() {
    const prints = root.appendChild(make("div", "board-prints"));
    for (const page of scene.pages) {
      const figure = prints.appendChild(make("figure"));
      figure.appendChild(make("figcaption")).textContent = page.title;
      const copy = createSheet(figure.appendChild(make("div", "board-view")), renderers);
      copy.draw({ page, number: 1, focus: null }, false);
    }
  }

  addEventListener("beforeprint", printOut);
  addEventListener("afterprint", () => root.querySelector(".board-prints")?.remove());
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !enlarged) return;
    event.stopPropagation();
    enlarge(false);
  });
  update(false);

  return {
    show,
    page: turn,
    get pages() {
      return scene.pages.length;
    },
    get state() {
      return state();
    },
    /** @param {(state: BoardState) => void} listener @returns {() => void} */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
