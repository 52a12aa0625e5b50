// The question box: Enter asks, the signs that a phone's keyboard hides are a tap away, and examples ask at once.

import { get } from "./dom.js";

/**
 * @param {import("../player.js").Player} player
 * @param {{ onAsked: () => void }} page
 */
export function createAsking(player, { onAsked }) {
  const form = get("ask", HTMLFormElement);
  const question = get("question", HTMLTextAreaElement);
  const examples = document.getElementById("examples");

  let pending = ""; // what was asked, until it is accepted

  /** @param {string} text */
  function ask(text) {
    question.blur(); // the keyboard of a phone leaves room
    pending = text;
    player.ask(text);
    onAsked();
  }

  const fit = () => {
    question.style.height = "auto";
    question.style.height = `${question.scrollHeight + 2}px`;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = question.value.trim();
    if (!text) return question.focus();
    ask(text);
    question.value = "";
    fit();
  });
  question.addEventListener("input", fit);
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  const symbols = get("symbols", HTMLElement);
  symbols.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps its focus and caret
  symbols.addEventListener("click", ({ target }) => {
    const sign = target instanceof Element && target.closest("button")?.value;
    if (!sign) return;
    question.setRangeText(sign, question.selectionStart, question.selectionEnd, "end");
    question.focus();
    fit();
  });
  examples?.addEventListener("click", ({ target }) => {
    const text = target instanceof Element && target.closest("button")?.value;
    if (text) ask(text);
  });

  return {
    /** A question that was refused comes back, to be changed. */
    render() {
      if (!pending) return;
      if (player.error && !question.value && player.recording?.question !== pending) {
        question.value = pending;
        fit();
      }
      if (player.error || player.recording?.sessionId) pending = "";
    },
  };
}
