// What the page and the server say to each other about sessions: where the session stands there, whose events are heard,
// and that of several wishes on their way the last one counts.

/** @typedef {import("./recording.js").Place} Place */
/** @typedef {{ code: string, message: string, retry_after?: number }} Refusal */
/** @typedef {{ ok: true, [key: string]: any } | { ok: false, error: Refusal }} Ack */
/** @typedef {(ack: Ack) => void} Answered */
/** @typedef {"connecting" | "online" | "lost" | "signed-out"} Connection */
/** @typedef {{ heard: (event: string, payload: any) => void, changed: (connection: Connection) => void }} Ears */
/**
 * @typedef {object} Wire
 * @property {(ears: Ears) => void} open begins to connect, and goes on trying
 * @property {() => void} renew connects anew at once
 * @property {(event: string, payload: object, answered?: Answered) => void} send is answered once, in the order of what is
 *   heard; with the code `connection_lost` where no answer can come any more
 */

export const LOST = "connection_lost";
export const GOING = ["waiting", "playing"];
export const FINISHED = ["complete", "stopped"];

/** @type {Record<string, string>} */
const BECOMES = {
  waiting_phrase: "waiting", explanation_start: "playing", streaming_resumed: "playing", streaming_paused: "paused",
  explanation_complete: "complete", explanation_stopped: "stopped",
};

export class Remote {
  state = ""; // of the session, there
  onAir = ""; // the session that this connection plays
  speed = 1; // that was asked for
  /** @type {Connection} */
  connection = "connecting";
  #wire;
  #deaf = 0; // what is heard is of a session that is being left, as long as this is not 0
  #resuming = 0;
  /** @type {{ known: boolean } | null} */ #seeking = null; // on its way
  /** @type {{ known: boolean, go: () => void } | null} */ #next = null; // the seek that follows it

  /**
   * @param {Wire} wire
   * @param {{ hear: (event: string, payload: any, own: boolean) => void, changed: () => void }} ears `own`: it says
   *   nothing that we have not done ourselves already
   */
  constructor(wire, { hear, changed }) {
    this.#wire = wire;
    wire.open({
      heard: (event, payload) => {
        const own = (event === "streaming_paused" && payload.reason === "user" && this.#resuming > 0)
          || (event === "explanation_stopped" && (this.#resuming > 0 || this.#seeking !== null)) // it plays on after that
          || (event === "explanation_seeked" && (this.#next !== null || this.#seeking?.known === true));
        this.state = event === "explanation_seeked" && FINISHED.includes(this.state) ? "playing" : (BECOMES[event] ?? this.state);
        if (!this.#deaf || event === "error") hear(event, payload, own);
      },
      changed: (connection) => {
        this.connection = connection;
        if (connection !== "online") this.onAir = "";
        changed();
      },
    });
  }

  renew() {
    this.#wire.renew();
  }

  /** @param {string} event @param {object} payload @param {Answered} [answered] */
  send(event, payload, answered) {
    this.#wire.send(event, payload, answered);
  }

  /** @param {object} payload @param {number} speed @param {Answered} answered */
  ask(payload, speed, answered) {
    this.#deaf += 1;
    this.speed = speed;
    this.send("ask_question", { ...payload, speed }, (ack) => {
      this.#deaf -= 1;
      if (ack.ok) [this.onAir, this.state] = [ack.session_id, "waiting"];
      answered(ack);
    });
  }

  /**
   * Plays a session on this connection.
   * @param {string} session_id @param {Partial<Place>} at @param {number} speed @param {Answered} answered
   */
  resume(session_id, at, speed, answered) {
    const deaf = this.onAir === session_id ? 0 : 1;
    this.#deaf += deaf;
    this.#resuming += 1;
    this.speed = speed;
    this.send("resume_explanation", { session_id, ...at, speed }, (ack) => {
      this.#deaf -= deaf;
      this.#resuming -= 1;
      if (ack.ok) [this.onAir, this.state] = [session_id, this.state === "waiting" ? "waiting" : "playing"];
      answered(ack);
    });
  }

  /** @param {string} session_id @param {Answered} [answered] */
  stop(session_id, answered) {
    this.#next = null;
    this.send("stop_explanation", { session_id }, answered);
  }

  /**
   * Lets a session rest at a place, whatever it does there.
   * @param {string} session_id @param {Place | null} place null before there is any text @param {Answered} answered
   */
  rest(session_id, place, answered) {
    if (place && !GOING.includes(this.state) && !this.#resuming) {
      return this.seek(session_id, place, { known: true, pausing: true }, answered);
    }
    if (this.#next?.known) this.#next = null; // it has been shown on from there
    const at = this.#seeking?.known === false ? null : place; // else where that leads
    this.send("pause_explanation", { session_id, ...at }, (ack) => {
      const ended = !ack.ok && ack.error.code === "no_active_session" && this.state !== "stopped"; // just now
      if (this.#resuming || !(ack.ok || (ended && place))) return answered(ack);
      this.state = ended ? "complete" : "paused";
      if (ended) this.rest(session_id, place, answered);
      else answered(ack);
    });
  }

  /**
   * Moves the playhead; one such wish is on its way at a time, and of those that follow meanwhile the last counts.
   * @param {string} session_id @param {Place} place
   * @param {{ known: boolean, pausing: boolean }} how `known`: it is shown already; `pausing`: it rests there
   * @param {Answered} answered
   */
  seek(session_id, place, { known, pausing }, answered) {
    const go = () => {
      this.#next = null;
      const seeking = this.#seeking = { known };
      this.send("seek_explanation", { session_id, ...place }, (ack) => {
        if (this.#seeking === seeking) this.#seeking = null;
        answered(ack);
        this.#next?.go();
      });
      if (pausing) this.send("pause_explanation", { session_id, ...place });
    };
    if (this.#seeking) this.#next = { known, go };
    else go();
  }

  /** @param {string} session_id @param {number} speed */
  setSpeed(session_id, speed) {
    if (speed === this.speed || this.state !== "playing" || this.onAir !== session_id) return;
    this.speed = speed;
    this.send("set_speed", { session_id, speed });
  }
}
