// Reads aloud with the browser's own voice, sentence by sentence. The voice leads the playhead, and whatever else
// moves the playhead moves the voice.

import { sentences, slice } from "../text.js";
import { spokenText } from "../spoken.js";
import { READING_RATE } from "../playhead.js";
import { button } from "./dom.js";
import { highlight } from "./sentence_menu.js";

/** @typedef {{ step: number, from: number, to: number, at: number, since: number, speed: number, timed: boolean }} Saying */

const BREAKS = ["canceled", "interrupted"]; // our own doing

/**
 * @param {import("../player.js").Player} player
 * @param {{ words: Record<string, any>, languageOf: () => import("../spoken.js").Language, rangeOf: (step: number, from: number, to: number) => Range | null, tell: (text: string) => void }} page
 */
export function createReadingAloud(player, { words, languageOf, rangeOf, tell }) {
  const control = button("read-aloud");
  const voice = /** @type {SpeechSynthesis | undefined} */ (window.speechSynthesis);
  let on = false;
  /** @type {Saying | null} */
  let saying = null;
  let titled = ""; // the step whose title has been said

  function hush() {
    saying = null;
    voice?.cancel();
    highlight("spoken", null);
  }

  /** @param {boolean} next */
  function turn(next) {
    on = next;
    control.setAttribute("aria-pressed", String(on));
    hush();
    titled = "";
    player.led = on;
    if (on) player.play();
  }

  /** @param {Saying} own @param {number} position */
  function lead(own, position) {
    if (saying !== own || position <= own.at) return;
    player.moveTo({ step: own.step, position });
    own.at = player.place.position;
  }

  /** @param {string} text @param {number} step @param {number} from @param {number} to */
  function say(text, step, from, to) {
    const utterance = new SpeechSynthesisUtterance(spokenText(text, languageOf()));
    utterance.lang = languageOf();
    utterance.rate = player.speed;
    /** @type {Saying} */
    const own = (saying = { step, from, to, at: player.place.position, since: 0, speed: player.speed, timed: false });
    utterance.onstart = () => { own.since = performance.now(); };
    utterance.onboundary = ({ charIndex }) => {
      own.timed = true;
      lead(own, from + Math.floor(((to - from) * charIndex) / (utterance.text.length || 1)));
    };
    utterance.onend = () => {
      lead(own, to);
      if (saying === own) saying = null;
    };
    utterance.onerror = ({ error }) => {
      if (saying !== own || BREAKS.includes(error)) return;
      turn(false);
      tell(words.noVoice);
    };
    voice?.speak(utterance);
    const range = to > from ? rangeOf(step, from, to) : null;
    if (range) highlight("spoken", range);
  }

  /** Says what comes next, once all of it is there. */
  function goOn() {
    const { recording, place: { step, position } } = player;
    const known = recording?.steps[step - 1];
    if (!recording || !known) return;
    if (position === 0 && titled !== `${recording.sessionId} ${step}`) {
      titled = `${recording.sessionId} ${step}`;
      return say(known.title, step, 0, 0);
    }
    const all = sentences(known.content);
    const index = all.findIndex(({ to }) => to > position);
    if (index < 0) {
      if (!known.complete) return;
      return player.moveTo(step < recording.steps.length ? { step: step + 1, position: 0 } : { step, position: known.length });
    }
    if (index === all.length - 1 && !known.complete) return; // it may still grow
    const { from, to } = all[index];
    say(slice(known.content, from, to), step, from, to);
  }

  control.addEventListener("click", () => (voice ? turn(!on) : tell(words.noVoice)));
  addEventListener("pagehide", hush);

  return {
    get on() {
      return on;
    },
    tick() {
      if (!on) return;
      if (player.state === "complete" || player.state === "stopped" || player.state === "idle") return turn(false);
      if (player.state !== "playing") return saying && hush();
      const { place: { step, position }, speed } = player;
      const moved = saying && (saying.step !== step || saying.at !== position || saying.speed !== speed);
      if (moved) hush();
      if (!saying) return goOn();
      if (saying.timed || !saying.since) return;
      // Not every voice tells at which word it is.
      const elapsed = (performance.now() - saying.since) / 1000;
      lead(saying, Math.min(saying.from + Math.floor(elapsed * READING_RATE * speed), saying.to - 1));
    },
  };
}
