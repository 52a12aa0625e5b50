// What the student thinks of an explanation: whether it was clear, and where it is wrong.

import { get, part, request } from "./dom.js";

/** @typedef {import("./sentences.js").Sentence} Sentence */

/**
 * @param {import("../player.js").Player} player
 * @param {{ words: Record<string, any>, explanations: string, tell: (text: string) => void, quote: (element: HTMLElement, sentence: Sentence) => void }} page
 */
export function createRemarks(player, { words, explanations, tell, quote }) {
  const clear = get("clear", HTMLElement);
  const dialog = get("wrong", HTMLDialogElement);
  const text = get("wrong-text", HTMLTextAreaElement);
  /** @type {Sentence | null} */
  let meant = null;
  /** @type {object | null} */
  let remarked = null;

  /** @param {object} remark @param {string} answer */
  async function send(remark, answer) {
    const sessionId = player.recording?.sessionId;
    if (!sessionId) return;
    const sent = await request("POST", `${explanations}${encodeURIComponent(sessionId)}/remarks/`, remark).catch(() => null);
    tell(sent?.ok ? answer : words.notSent);
  }

  clear.addEventListener("click", ({ target }) => {
    const kind = target instanceof Element && target.closest("button")?.value;
    if (!kind) return;
    for (const choice of clear.querySelectorAll("button")) choice.setAttribute("aria-pressed", String(choice.value === kind));
    void send({ kind }, kind === "clear" ? words.thanks : words.unclearThanks);
  });
  part(dialog, ".cancel", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "send" || !meant) return;
    const { step, from } = meant;
    void send({ kind: "wrong", step, position: from, text: text.value.trim() }, words.wrongThanks);
  });

  return {
    /** @param {Sentence} sentence */
    wrong(sentence) {
      if (!player.recording) return;
      player.pause();
      meant = sentence;
      quote(part(dialog, "blockquote", HTMLElement), sentence);
      [text.value, dialog.returnValue] = ["", ""];
      dialog.showModal();
      text.focus();
    },
    render() {
      if (player.recording === remarked) return;
      remarked = player.recording;
      for (const choice of clear.querySelectorAll("button")) choice.removeAttribute("aria-pressed");
    },
  };
}
