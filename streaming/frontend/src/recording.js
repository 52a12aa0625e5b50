// What the page knows of one explanation. It only grows: what is shown of it is for the playhead to say.

import { length, slice } from "./text.js";

/** @typedef {{ step: number, position: number }} Place the next character to come; `step` from 1 */
/** @typedef {Record<string, any> & { at: number }} Command of the board, at a position of its step's content */
/**
 * @typedef {object} Step
 * @property {string} title
 * @property {string} type
 * @property {string} content
 * @property {number} length
 * @property {Command[]} commands
 * @property {boolean} complete whether all of it is known
 */
/** @typedef {Place & { session_id: string, state: string, playing_here: boolean, steps: WholeStep[], [key: string]: any }} Snapshot */
/** @typedef {{ title: string, type: string, content: string, canvas_commands?: Record<string, any>[] }} WholeStep */

const UNWRITTEN_STEP = 600; // what the server counts for a step before anybody knows its length

/** @type {Place} */
export const START = Object.freeze({ step: 1, position: 0 });

/** @param {Place} one @param {Place} other */
export function isBefore(one, other) {
  return one.step < other.step || (one.step === other.step && one.position < other.position);
}

/** @param {Place} one @param {Place} other */
export function earlier(one, other) {
  return isBefore(other, one) ? other : one;
}

export class Recording {
  sessionId = "";
  question = "";
  questionHash = "";
  /** @type {string | null} */
  answerId = null;
  cached = false;
  totalSteps = 0;
  /** @type {Step[]} */
  steps = [];
  complete = false;
  /** @type {Place} */
  held = START; // the end of what the last chunk brought, from where the server goes on
  version = 0; // grows with each change
  #expected = 0; // code points in all, as far as the server knew

  /**
   * @param {Snapshot} session a snapshot
   * @param {number} pace code points per second at the server's speed 1
   */
  static fromSnapshot(session, pace) {
    const recording = new Recording();
    recording.absorb(session, pace);
    return recording;
  }

  /** @param {Record<string, any>} document an explanation in full, as it is kept for playing offline */
  static fromDocument(document) {
    const recording = new Recording();
    recording.#introduce(document);
    document.steps.forEach((/** @type {WholeStep} */ step, /** @type {number} */ index) => recording.#take(step, index + 1, true));
    recording.finish();
    return recording;
  }

  /** Takes in what a snapshot knows. @param {Snapshot} session @param {number} pace */
  absorb(session, pace) {
    const { steps, step, position, state, estimated_duration, speed } = session;
    this.#introduce(session);
    steps.forEach((known, index) => this.#take(known, index + 1, index + 1 < steps.length));
    this.held = { step, position };
    if (state === "complete") this.finish();
    const sent = steps.reduce((sum, { content }) => sum + length(content), 0);
    this.#expected = sent + estimated_duration * speed * pace;
  }

  /**
   * Takes in what an event says about the explanation.
   * @param {string} event @param {any} payload
   * @param {number} rate code points per second that the server reckons with
   * @returns {boolean} whether it fits what is known; if not, something has been missed
   */
  hear(event, payload, rate) {
    switch (event) {
      case "explanation_start":
        this.start(payload, rate);
        break;
      case "step_start":
        this.openStep(payload);
        break;
      case "content_chunk":
        return this.write(payload);
      case "canvas_command":
        return this.command(payload);
      case "step_complete":
        this.completeStep(payload);
        break;
      case "explanation_complete":
        if (payload.steps_completed !== this.steps.length) return false;
        this.finish();
    }
    return true;
  }

  /**
   * `explanation_start`.
   * @param {Record<string, any>} event
   * @param {number} rate code points per second that it reckons with
   */
  start(event, rate) {
    this.#introduce(event);
    this.#expected = event.estimated_duration * rate;
  }

  /** `step_start`. @param {{ step: number, title: string, type: string }} event */
  openStep({ step, title, type }) {
    const known = this.steps[step - 1];
    if (step > this.steps.length + 1 || (known?.title === title && known.type === type)) return;
    this.steps[step - 1] = known ? { ...known, title, type } : { title, type, content: "", length: 0, commands: [], complete: false };
    this.totalSteps = Math.max(this.totalSteps, step);
    this.version += 1;
  }

  /**
   * `content_chunk`: what stands behind it is cut, unless it is known already.
   * @param {{ step: number, chunk: string, position: number, is_final: boolean }} event
   * @returns {boolean} whether it fits what is known; if not, something has been missed
   */
  write({ step, chunk, position, is_final }) {
    const known = this.steps[step - 1];
    if (!known || position > known.length) return false;
    const there = slice(known.content, position), end = position + length(chunk);
    const differs = !there.startsWith(chunk) && !chunk.startsWith(there);
    if (differs || (is_final && end < known.length)) this.#cut(step, differs ? position : end);
    if (end > known.length) {
      known.content = slice(known.content, 0, position) + chunk;
      known.length = end;
      this.version += 1;
    }
    this.held = { step, position: end };
    if (is_final) this.completeStep({ step });
    return true;
  }

  /**
   * `canvas_command`; a known one again means nothing.
   * @param {{ step: number, command: Record<string, any>, n: number, at?: number }} event
   * @returns {boolean} whether it fits what is known
   */
  command({ step, command, n, at }) {
    const known = this.steps[step - 1];
    if (!known || n > known.commands.length) return false;
    if (n === known.commands.length) {
      known.commands.push({ ...command, at: at ?? command.at ?? known.length });
      this.version += 1;
    }
    return true;
  }

  /** `step_complete`. @param {{ step: number }} event */
  completeStep({ step }) {
    const known = this.steps[step - 1];
    if (!known || known.complete) return;
    known.complete = true;
    this.version += 1;
  }

  /** `explanation_complete`. */
  finish() {
    for (const step of this.steps) step.complete = true;
    this.totalSteps = this.steps.length;
    this.held = this.end;
    this.complete = true;
    this.version += 1;
  }

  /** The place behind all that is known. @returns {Place} */
  get end() {
    return this.steps.length ? { step: this.steps.length, position: this.steps[this.steps.length - 1].length } : START;
  }

  /** Whether the text before a place is known. @param {Place} place */
  reaches({ step, position }) {
    return step <= this.steps.length ? position <= this.steps[step - 1].length
      : position === 0 && step === this.steps.length + 1 && (step === 1 || this.steps[step - 2].complete);
  }

  /** What stands on the board at a place: every command up to there, in order. @param {Place} place */
  commandsBefore({ step, position }) {
    return this.steps.slice(0, step).flatMap(({ commands }, index) =>
      index + 1 < step ? commands : commands.filter(({ at }) => at <= position));
  }

  /** How long the steps are, as far as anybody knows. @returns {{ steps: { length: number, known: boolean }[], total: number }} */
  extent() {
    const count = Math.max(this.totalSteps, this.steps.length);
    const closed = this.steps.filter(({ complete }) => complete);
    let left = count - closed.length;
    let rest = closed.reduce((sum, step) => sum - step.length, this.#expected || count * UNWRITTEN_STEP);
    const steps = Array.from({ length: count }, (_, index) => {
      const step = this.steps[index];
      if (step?.complete) return { length: step.length, known: true };
      const share = Math.max(step?.length ?? 1, Math.round(rest / left));
      [rest, left] = [rest - share, left - 1];
      return { length: share, known: false };
    });
    return { steps, total: steps.reduce((sum, step) => sum + step.length, 0) };
  }

  /** @param {Record<string, any>} known */
  #introduce(known) {
    this.sessionId = known.session_id ?? this.sessionId;
    this.question = known.question ?? this.question;
    this.questionHash = known.question_hash ?? this.questionHash;
    this.answerId = known.answer_id ?? this.answerId;
    this.cached = known.cached ?? this.cached;
    this.totalSteps = known.total_steps;
    this.version += 1;
  }

  /** @param {WholeStep} whole @param {number} step @param {boolean} complete */
  #take({ title, type, content, canvas_commands = [] }, step, complete) {
    this.openStep({ step, title, type });
    this.write({ step, chunk: content, position: 0, is_final: complete });
    canvas_commands.forEach((command, n) => this.command({ step, command, n }));
  }

  /** The answer is another one from here on. @param {number} step @param {number} position */
  #cut(step, position) {
    const known = this.steps[step - 1];
    known.content = slice(known.content, 0, position);
    known.length = position;
    known.commands = known.commands.filter(({ at }) => at <= position);
    known.complete = this.complete = false;
    this.steps.length = step;
    this.version += 1;
  }
}
