// Keeps the place that is playing in sight, like a teleprompter, for as long as the student has not scrolled elsewhere.

import { calm } from "./dom.js";

const OURS = 700; // ms in which scrolling is taken for our own
const LINE = 40; // px that stay free below the line that is being written
const FAR = 100; // px out of sight that are a leap, not a line
const LOOK = 150; // ms between two looks: each costs a layout

/**
 * @param {HTMLButtonElement} button brings back whoever has scrolled away
 * @param {{ caret: () => DOMRect | null, top: () => number, bottom: () => number }} page the edges of what is free to be read
 */
export function createFollowing(button, { caret, top, bottom }) {
  let following = true;
  let scrolledAt = -OURS;
  let lookedAt = -LOOK;

  const inSight = () => {
    const box = caret();
    return !box || (box.bottom > top() && box.top < bottom());
  };

  /** @param {boolean} far whether a leap is due instead of a line */
  function scroll(far) {
    const box = caret();
    if (!box) return;
    const [high, low] = [top(), bottom()];
    const away = far || box.top < high || box.bottom > low + FAR;
    const goal = away ? high + (low - high) * 0.6 : low - Math.max((low - high) * 0.15, LINE);
    if (!away && box.bottom <= goal) return;
    scrolledAt = performance.now();
    scrollBy({ top: box.bottom - goal, behavior: calm.matches ? "instant" : "smooth" });
  }

  addEventListener("scroll", () => {
    if (performance.now() - scrolledAt > OURS) following = inSight();
  }, { passive: true });
  for (const kind of ["wheel", "touchmove"]) { // a student's hand comes before our own smooth scrolling
    addEventListener(kind, () => { scrolledAt = -OURS; }, { passive: true });
  }
  const back = () => {
    following = true;
    scroll(true);
  };
  button.addEventListener("click", back);

  return {
    /** After a jump or at a beginning: wherever the student was. */
    back,
    /** Brings into sight what comes behind the text. @param {Element} element */
    onTo(element) {
      if (!following) return;
      scrolledAt = performance.now();
      element.scrollIntoView({ block: "end", behavior: calm.matches ? "instant" : "smooth" });
    },
    /** @param {boolean} moving */
    render(moving) {
      button.hidden = following || !moving;
      if (!following || !moving || performance.now() - lookedAt < LOOK) return;
      lookedAt = performance.now();
      if (lookedAt - scrolledAt > OURS / 2) scroll(false);
    },
  };
}
