/** The keyboard's way through the board: one tab stop, arrow keys from thing to thing, its words in the caption. */

import { clamp } from "./values.js";

const STEPS = new Map([
  ["ArrowRight", 1],
  ["ArrowDown", 1],
  ["ArrowLeft", -1],
  ["ArrowUp", -1],
  ["Home", -Infinity],
  ["End", Infinity],
]);

/** @param {HTMLElement} sheet @param {HTMLElement} caption */
export function createTravel(sheet, caption) {
  let current = "";

  const things = () =>
    /** @type {HTMLElement[]} */ ([...sheet.querySelectorAll(".board-thing:not(.board-hidden)")]);

  /** Leaves one thing in the tab order. @param {boolean} [inside]  whether the focus was on the board, and stays */
  function settle(inside = sheet.contains(document.activeElement)) {
    const all = things();
    const chosen = all.find((thing) => thing.dataset.id === current) ?? all[0];
    for (const thing of all) thing.tabIndex = thing === chosen ? 0 : -1;
    if (inside && document.activeElement !== chosen) chosen?.focus({ preventScroll: true });
    caption.textContent = (inside && chosen?.getAttribute("aria-label")) || "";
  }

  sheet.addEventListener("focusin", ({ target }) => {
    current = /** @type {HTMLElement} */ (target).closest("[data-id]")?.getAttribute("data-id") ?? "";
    settle();
  });
  sheet.addEventListener("focusout", ({ relatedTarget }) => {
    if (!sheet.contains(/** @type {Node | null} */ (relatedTarget))) caption.textContent = "";
  });
  sheet.addEventListener("keydown", (event) => {
    const step = STEPS.get(event.key);
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // The same keys move the playhead elsewhere in the player.
    event.preventDefault();
    event.stopPropagation();
    const all = things();
    const at = all.findIndex((thing) => thing.dataset.id === current);
    all[clamp(at + step, 0, all.length - 1)]?.focus();
  });
  sheet.addEventListener("click", ({ target }) => {
    const thing = /** @type {Element} */ (target).closest(".board-thing");
    if (thing instanceof HTMLElement) thing.focus({ preventScroll: true });
  });

  return { settle };
}
