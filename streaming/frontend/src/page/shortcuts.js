// Single keys, only while the player has the focus and nobody is writing in it.

import { button, get } from "./dom.js";

const WRITTEN_IN = "input:not([type=range]), textarea, select, [contenteditable]";
const PRESSED = "button, a, summary"; // take Space and Enter themselves

/**
 * @param {HTMLElement} player
 * @param {ReturnType<typeof import("./controls.js").createControls>} controls
 * @param {{ followUp: () => void, sentenceMenu: () => void }} page
 */
export function listenForShortcuts(player, controls, { followUp, sentenceMenu }) {
  const help = get("shortcuts", HTMLDialogElement);
  button("shortcuts-toggle").addEventListener("click", () => help.showModal());

  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const keys = {
    " ": controls.toggle,
    ArrowLeft: ({ shiftKey }) => (shiftKey ? controls.step(-1) : controls.sentence(-1)),
    ArrowRight: ({ shiftKey }) => (shiftKey ? controls.step(1) : controls.sentence(1)),
    "+": () => controls.faster(1),
    "-": () => controls.faster(-1),
    "?": () => help.showModal(),
    f: followUp,
    F: followUp,
    Enter: sentenceMenu,
  };

  player.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (event.defaultPrevented || ctrlKey || metaKey || altKey || !(target instanceof Element)) return;
    const meant = Object.hasOwn(keys, key) ? keys[key] : null;
    if (!meant || target.closest(WRITTEN_IN) || target.closest("[popover], #board")) return;
    if ((key === " " || key === "Enter") && target.closest(PRESSED)) return;
    event.preventDefault();
    meant(event);
  });
}
