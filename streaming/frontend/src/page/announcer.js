// What a screen reader hears: sentence by sentence in spoken form, apart from the text that grows on the page.

import { length, sentenceAt, sentences, slice } from "../text.js";
import { spokenText } from "../spoken.js";
import { fill } from "./dom.js";

/** @typedef {import("../player.js").Player} Player */
/** @typedef {{ step: number, position: number }} Place */

const KEPT = 4; // sentences that stay, for those who read back
const LEAP = 400; // code points: whoever moves farther at once has jumped, and hears on from there

/**
 * @param {HTMLElement} live
 * @param {{ player: Player, words: Record<string, any>, languageOf: () => import("../spoken.js").Language }} page
 */
export function createAnnouncer(live, { player, words, languageOf }) {
  /** @type {import("../recording.js").Recording | null} */
  let heard = null;
  let state = "idle";
  let [parsed, all] = ["", sentences("")]; // the text last looked at: most frames look at the same again
  let [step, position, said] = [1, 0, -1]; // the place at the last look; what of the step has been said, -1 without its title

  /** @param {string} text */
  function say(text) {
    if (!text) return;
    const line = document.createElement("p");
    line.textContent = text;
    live.append(line);
    while (live.childElementCount > KEPT) live.firstElementChild?.remove();
  }

  /** Says what of the step has ended before `upTo` and was not said. @param {number} upTo */
  function sayTo(upTo) {
    const known = heard?.steps[step - 1];
    if (!known) return;
    const language = languageOf();
    if (said < 0) {
      const number = fill(words.step, { step, total: heard?.totalSteps ?? step });
      say(`${number}: ${spokenText(known.title, language)}`);
      said = 0;
    }
    if (known.content !== parsed) [parsed, all] = [known.content, sentences(known.content)];
    all.forEach(({ from, to }, index) => {
      const last = index === all.length - 1;
      if (to <= said || to > upTo || (last && !known.complete)) return; // the last may still grow
      say(spokenText(slice(known.content, from, to), language));
      const end = last ? length(known.content) : to;
      for (const { at, alt, hidden } of known.commands) {
        const [begun, ended] = [at > said || index === 0, at <= end];
        if (alt && !hidden && begun && ended) say(fill(words.onTheBoard, { alt: spokenText(alt, language) }));
      }
      said = end;
    });
  }

  return {
    /** @param {boolean} silent while another voice is reading */
    render(silent) {
      const { recording, place } = player;
      if (!recording) return;
      const begun = recording !== heard;
      const ended = player.state === "complete" && state !== "complete" && !begun;
      const onward = place.step === step ? place.position - position
        : place.step === step + 1 ? length(recording.steps[step - 1]?.content ?? "") - position + place.position : -1;
      if (begun) live.replaceChildren();
      if (silent || player.all || begun || onward < 0 || onward > LEAP) {
        const content = recording.steps[place.step - 1]?.content ?? "";
        said = place.position > 0 ? sentenceAt(content, place.position).from : -1;
      } else if (place.step === step + 1) {
        sayTo(Infinity);
        said = -1;
      }
      [heard, state, step, position] = [recording, player.state, place.step, place.position];
      if (silent) return;
      if (!player.all) sayTo(position);
      if (ended) say(player.all ? words.allShown : words.complete);
    },
  };
}
