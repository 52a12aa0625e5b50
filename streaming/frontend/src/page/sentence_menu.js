// What can be done with a sentence: it is tapped, selected, or reached by keyboard.

import { lastSentence, sentenceOf } from "./sentences.js";
import { get } from "./dom.js";

/** @typedef {import("./sentences.js").Sentence} Sentence */
/** @typedef {ReturnType<typeof import("./steps.js").createSteps>} Steps */

/**
 * @param {import("../player.js").Player} player
 * @param {{ list: HTMLElement, steps: Steps, choose: Record<string, (sentence: Sentence) => void> }} page what each choice does, by its button's value
 */
export function createSentenceMenu(player, { list, steps, choose }) {
  const menu = get("sentence-menu", HTMLElement);
  /** @type {Sentence | null} */
  let meant = null;

  /** @param {Sentence | null} sentence */
  function open(sentence) {
    const range = sentence && steps.rangeOf(sentence.step, sentence.from, sentence.to);
    if (!range) return;
    meant = sentence;
    highlight("meant", range);
    menu.showPopover();
    const [box, own] = [range.getBoundingClientRect(), menu.getBoundingClientRect()];
    const below = box.bottom + 8 + own.height < innerHeight;
    const top = below ? box.bottom + 8 : Math.max(8, box.top - 8 - own.height);
    menu.style.top = `${Math.min(top, innerHeight - own.height - 8)}px`;
    menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - own.width - 8))}px`;
  }

  list.addEventListener("click", (event) => {
    const selection = getSelection();
    const point = selection && !selection.isCollapsed ? selection.getRangeAt(0) : null;
    const at = point ? [point.startContainer, point.startOffset] : under(event.clientX, event.clientY);
    const place = at && steps.placeOf(/** @type {Node} */ (at[0]), /** @type {number} */ (at[1]));
    if (place && player.recording) open(sentenceOf(player.recording, place));
  });
  menu.addEventListener("click", ({ target }) => {
    const choice = target instanceof Element && target.closest("button")?.value;
    if (!choice || !meant) return;
    const sentence = meant;
    menu.hidePopover();
    choose[choice](sentence);
  });
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") highlight("meant", null);
  });

  return {
    /** The sentence that is playing, for those who can't point at one. */
    openHere() {
      if (!player.recording) return;
      open(lastSentence(player.recording, player.place));
      if (menu.matches(":popover-open")) menu.querySelector("button")?.focus();
    },
  };
}

/**
 * Marks a stretch of text without touching it, where the browser can.
 * @param {string} name @param {Range | null} range
 */
export function highlight(name, range) {
  if (!("highlights" in CSS)) return;
  if (range) CSS.highlights.set(name, new Highlight(range));
  else CSS.highlights.delete(name);
}

/** The text under a point of the window. @param {number} x @param {number} y @returns {[Node, number] | null} */
function under(x, y) {
  if (document.caretPositionFromPoint) {
    const found = document.caretPositionFromPoint(x, y);
    return found ? [found.offsetNode, found.offset] : null;
  }
  const found = document.caretRangeFromPoint?.(x, y); // Safari
  return found ? [found.startContainer, found.startOffset] : null;
}
