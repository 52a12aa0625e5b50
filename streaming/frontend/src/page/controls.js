// The control bar: what a good video player has, in the student's words.

import { fromFraction, READING_RATE, toFraction } from "../playhead.js";
import { besideSentence } from "./sentences.js";
import { button, clock, fill, get, part } from "./dom.js";

/** @typedef {import("../player.js").Player} Player */

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const WHOLE = 1000; // the seek bar's maximum
const DRAGGING = 120; // ms between two places while the bar is dragged

/**
 * @param {Player} player
 * @param {{ words: Record<string, any>, language: string, onJump: () => void }} page
 */
export function createControls(player, { words, language, onJump }) {
  const bar = get("controls", HTMLElement);
  const [toggle, stop, showAll] = ["toggle", "stop", "show-all"].map(button);
  const seek = get("seek", HTMLInputElement);
  const speed = get("speed", HTMLSelectElement);
  const left = get("left", HTMLElement);
  const marks = part(bar, ".marks", HTMLElement);
  let marked = "";
  let dragged = 0;

  const number = new Intl.NumberFormat(language);
  speed.replaceChildren(...SPEEDS.map((value) => new Option(`${number.format(value)}×`, String(value))));

  const act = {
    toggle: () => (player.state === "complete" ? (player.replay(), onJump()) : player.toggle()),
    /** @param {1 | -1} direction */
    step(direction) {
      player.stepBy(direction);
      onJump();
    },
    /** @param {1 | -1} direction */
    sentence(direction) {
      if (!player.recording) return;
      player.seek(besideSentence(player.recording, player.place, direction));
      onJump();
    },
    /** @param {1 | -1} direction */
    faster(direction) {
      const next = direction > 0 ? SPEEDS.find((value) => value > player.speed) : SPEEDS.findLast((value) => value < player.speed);
      if (next) player.setSpeed(next);
    },
  };

  const toDragged = () => {
    if (!player.recording) return;
    player.seek(fromFraction(Number(seek.value) / WHOLE, player.recording));
    onJump();
  };

  toggle.addEventListener("click", act.toggle);
  stop.addEventListener("click", () => player.stop());
  showAll.addEventListener("click", () => player.showAll());
  button("previous").addEventListener("click", () => act.step(-1));
  button("next").addEventListener("click", () => act.step(1));
  speed.addEventListener("change", () => player.setSpeed(Number(speed.value)));
  seek.addEventListener("input", () => {
    if (!dragged) dragged = window.setTimeout(() => { dragged = 0; toDragged(); }, DRAGGING);
  });
  seek.addEventListener("change", () => {
    clearTimeout(dragged);
    dragged = 0;
    toDragged();
  });
  seek.addEventListener("keydown", (event) => {
    const forward = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const pages = { PageUp: 1, PageDown: -1 }[event.key];
    if (forward) event.shiftKey ? act.step(forward > 0 ? 1 : -1) : act.sentence(forward > 0 ? 1 : -1);
    if (pages) act.step(pages > 0 ? 1 : -1);
    if (!forward && !pages) return;
    event.preventDefault();
    event.stopPropagation();
  });

  /** @param {import("../recording.js").Recording} recording */
  function mark(recording) {
    const { steps, total } = recording.extent();
    const shape = steps.map(({ length }) => length).join();
    if (shape === marked) return;
    marked = shape;
    let behind = 0;
    marks.replaceChildren(...steps.slice(1).map((_, index) => {
      behind += steps[index].length;
      const line = document.createElement("i");
      line.style.left = `${(100 * behind) / (total || 1)}%`;
      return line;
    }));
  }

  return {
    ...act,
    render() {
      const { recording, place, state } = player;
      const label = state === "complete" ? words.replay : ["playing", "waiting"].includes(state) ? words.pause : words.play;
      if (toggle.title !== label) {
        toggle.title = label;
        toggle.setAttribute("aria-label", label);
      }
      const ended = state === "complete" || state === "stopped";
      stop.disabled = ended;
      showAll.disabled = state === "complete";
      if (speed.value !== String(player.speed)) speed.value = String(player.speed);
      if (!recording) return;
      mark(recording);
      const fraction = toFraction(place, recording);
      const seconds = ((1 - fraction) * recording.extent().total) / (READING_RATE * player.speed);
      const value = String(Math.round(fraction * WHOLE));
      if (!dragged && seek.value !== value) seek.value = value;
      seek.style.setProperty("--played", `${100 * fraction}%`);
      const time = clock(seconds);
      const remaining = `−${time}`;
      if (left.textContent === remaining && seek.ariaValueText) return;
      left.textContent = remaining;
      left.title = fill(words.left, { left: time });
      seek.setAttribute("aria-valuetext", fill(words.place, { step: place.step, total: recording.totalSteps, left: time }));
    },
  };
}
