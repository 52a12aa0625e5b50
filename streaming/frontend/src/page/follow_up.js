// "I didn't follow this": the explanation rests, one question about a sentence is asked, and afterwards it goes on at
// the very character.

import { button, fill, get, part, write } from "./dom.js";

/** @typedef {import("./sentences.js").Sentence} Sentence */

/**
 * @param {import("../player.js").Player} player
 * @param {{ words: Record<string, any>, quote: (element: HTMLElement, sentence: Sentence) => void, onAsked: () => void, onBack: () => void }} page
 */
export function createFollowUp(player, { words, quote, onAsked, onBack }) {
  const dialog = get("follow-up", HTMLDialogElement);
  const question = get("follow-up-question", HTMLTextAreaElement);
  const back = button("back");
  let wasPlaying = false;
  /** @type {Sentence | null} */
  let meant = null;

  back.addEventListener("click", () => {
    player.back();
    onBack();
  });
  part(dialog, ".cancel", HTMLButtonElement).addEventListener("click", () => dialog.close());
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    part(dialog, "button[value=ask]", HTMLButtonElement).click();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "ask" && meant) {
      player.followUp(question.value.trim(), { step: meant.step, position: meant.from });
      onAsked();
    } else if (wasPlaying) player.play();
  });

  return {
    /** @param {Sentence} sentence */
    open(sentence) {
      wasPlaying = player.state === "playing";
      player.pause();
      meant = sentence;
      quote(part(dialog, "blockquote", HTMLElement), sentence);
      [question.value, dialog.returnValue] = [words.followUp, ""];
      dialog.showModal();
      question.select();
    },
    render() {
      const below = player.journey.at(-1);
      back.hidden = !below;
      if (!below) return;
      write(part(back, "span", HTMLElement), below.recording ? fill(words.back, { question: below.recording.question }) : words.backPlain);
    },
  };
}
