// The text: one list item per step, written up to the playhead. Plain at first; with Markdown and formulas as soon as
// what sets them has come.

import { slice } from "../text.js";
import { write } from "./dom.js";

/** @typedef {import("../recording.js").Recording} Recording */
/** @typedef {{ step: number, position: number }} Place */
/** @typedef {{ typesetter: import("../typeset.js").Typesetter, createReveal: typeof import("../reveal.js").createReveal }} Setting */

class StepView {
  named = "";
  content = "";
  complete = false;
  shown = -1;
  /** @type {import("../reveal.js").Reveal | null} */
  reveal = null;

  /** @param {number} number */
  constructor(number) {
    this.item = document.createElement("li");
    this.item.className = "step";
    this.item.dataset.step = String(number);
    this.title = this.item.appendChild(document.createElement("h3"));
    this.title.className = "step-title";
    this.title.dataset.number = String(number);
    this.text = this.item.appendChild(document.createElement("div"));
    this.text.className = "step-text plain";
  }

  /** @param {Recording["steps"][number]} step @param {number} position @param {Setting | null} setting */
  update({ title, content, complete }, position, setting) {
    if (title !== this.named || (setting && !this.reveal)) {
      if (setting) setting.typesetter.line(this.title, title);
      else write(this.title, title);
      this.named = title;
    }
    const grown = content !== this.content || complete !== this.complete;
    if (setting && (grown || !this.reveal)) {
      this.text.classList.remove("plain");
      if (!this.reveal) this.text.replaceChildren();
      setting.typesetter.update(this.text, content, complete);
      this.reveal ??= setting.createReveal(this.text);
      this.shown = -1;
    }
    if (position !== this.shown || grown) {
      if (this.reveal) this.reveal.show(position);
      else write(this.text, slice(content, 0, position));
    }
    [this.content, this.complete, this.shown] = [content, complete, position];
  }
}

/** @param {HTMLElement} list */
export function createSteps(list) {
  /** @type {StepView[]} */
  let views = [];
  /** @type {Recording | null} */
  let recording = null;
  /** @type {Setting | null} */
  let setting = null;
  let shown = { step: 0, position: 0 };

  /** @param {Recording | null} next @param {Place} place */
  function render(next, place) {
    if (next !== recording) {
      list.replaceChildren();
      views = [];
      recording = next;
    }
    shown = place;
    const steps = recording?.steps.slice(0, place.step) ?? [];
    steps.forEach((step, index) => {
      const view = (views[index] ??= new StepView(index + 1));
      if (!view.item.isConnected) list.append(view.item);
      view.item.toggleAttribute("data-current", index + 1 === place.step);
      view.update(step, index + 1 < place.step ? Infinity : place.position, setting);
    });
    for (const view of views.splice(steps.length)) view.item.remove();
  }

  return {
    render,

    /** From now on with Markdown and formulas. @param {Setting} given */
    useSetting(given) {
      setting = given;
      render(recording, shown);
    },

    /** Everything known, shown or not, for paper; and back. @param {boolean} whole */
    showWhole(whole) {
      if (!recording) return;
      if (whole) {
        const [all, place] = [{ step: recording.steps.length, position: Infinity }, shown];
        render(recording, all);
        shown = place;
      } else render(recording, shown);
    },

    /** The part of the page that shows a stretch of a step. @param {number} step @param {number} from @param {number} to */
    rangeOf: (step, from, to) => views[step - 1]?.reveal?.rangeOf(from, to) ?? null,

    /** Where the last shown character stands. @returns {DOMRect | null} */
    caret() {
      const view = views[shown.step - 1];
      if (!view) return null;
      const range = shown.position > 0 ? view.reveal?.rangeOf(shown.position - 1, shown.position) : null;
      if (range) return range.getBoundingClientRect();
      const whole = (shown.position > 0 ? view.text : view.title).getBoundingClientRect();
      return new DOMRect(whole.left, whole.bottom, whole.width, 0);
    },

    /** The place that a point of the page shows, or null. @param {Node} node @param {number} offset @returns {Place | null} */
    placeOf(node, offset) {
      const index = views.findIndex(({ text }) => text.contains(node));
      const position = index < 0 ? null : (views[index].reveal?.place(node, offset) ?? null);
      return position === null ? null : { step: index + 1, position };
    },
  };
}
