// The controller: what the student does, what the server says and the time come in; what is shown comes out.
//
// Two places matter. Text is *held* up to where chunks came (`recording.held`: the server's playhead) and *shown* up to
// `place`: the student's. Pausing, seeking and coming back are about what is shown; going on is from what is held, so
// that nothing is sent twice.

import { advance, isAtEnd, leadSeconds, placeIn, READING_RATE, serverSpeed, withinLimits } from "./playhead.js";
import { earlier, isBefore, Recording, START } from "./recording.js";
import { FINISHED, GOING, LOST, Remote } from "./remote.js";
import { pack, seenAgain, seenAnew, unpack } from "./returning.js";

/** @typedef {import("./recording.js").Place} Place */
/** @typedef {import("./remote.js").Ack} Ack */
/** @typedef {import("./remote.js").Refusal} Refusal */
/** @typedef {import("./remote.js").Wire} Wire */
/** @typedef {import("./recording.js").Snapshot} Snapshot */
/** @typedef {"idle" | "waiting" | "playing" | "paused" | "complete" | "stopped"} State */
/** @typedef {{ getItem: (key: string) => string | null, setItem: (key: string, value: string) => void }} Shelf */
/** @typedef {{ sessionId: string, place: Place, recording: Recording | null }} Stop where the student comes back to */
/** @typedef {{ recording: Recording | null, place: Place, resting: boolean, stopped: boolean, untold: boolean, local: boolean, journey: Stop[] }} Scene */
/** @typedef {{ payload: Record<string, any>, sent: number, before: Scene }} Asking */
/** @typedef {import("./returning.js").Wanted} Wanted */

const KEPT = "player", SPEED = "speed"; // names of what is kept
const [SLOWEST, FASTEST] = [0.5, 4];
const LONGEST_TICK = 1500; // ms: in what a page has slept through, nobody has read
const SAVE_EVERY = 250, LOOK_EVERY = 3000; // ms
const LET_GO = 30_000; // ms after which the server has noticed a connection's end
const SETTLED = 1000; // ms after which a move to another device is seen as such by everybody
const MOST_IN_HAND = 30; // seconds; with more, as after a seek far back, the server goes on from what is shown
const JUST_BEGUN = 40; // code points of a step; closer to its beginning, back means the step before
const RETRY = 2; // seconds, where a busy server does not say
const PASSING = ["server_busy", "rate_limited"]; // refusals after which trying again helps
const EXPECTED = ["invalid_position", "no_active_session", "token_expired", "unauthorized"]; // dealt with where they answer

export class Player {
  /** @type {Recording | null} */
  recording = null;
  /** @type {Place} */
  place = START;
  all = false; // everything is shown as soon as it is there
  led = false; // a voice reads aloud and moves the place by `moveTo`; time does not
  elsewhere = false; // it plays on another tab or device
  starving = false; // there is nothing more in hand
  waitingPhrase = "";
  /** @type {Refusal | null} */
  error = null;
  /** @type {Stop[]} */
  journey = [];
  speed = 1;

  /** @type {Remote} */ #remote;
  /** @type {() => number} */ #clock;
  /** @type {number} */ #pace;
  /** @type {Shelf} */ #storage;
  /** @type {Shelf} */ #settings;
  /** @type {Set<(player: Player) => void>} */ #listeners = new Set();
  #resting = true;
  #stopped = false;
  #untold = false; // whether the server does not know yet that, or where, the student rests or stopped
  #telling = 0; // how often it was told
  #local = false; // an explanation in full, of which the server is told nothing
  /** @type {Asking | null} */ #asking = null;
  /** @type {Record<string, string>} */ #context = {};
  /** @type {Wanted | null} */ #wanted = null;
  /** @type {Recording | null} */ #mending = null; // a snapshot of it is on its way
  #due = 0;
  #ticked = 0;
  #saved = 0;
  #looked = 0;
  #retryAt = Infinity;
  #lost = Infinity; // when the connection was

  /**
   * @param {object} parts
   * @param {Wire} parts.wire
   * @param {() => number} parts.clock milliseconds
   * @param {number} parts.pace code points per second at the server's speed 1
   * @param {Shelf} parts.storage of this tab
   * @param {Shelf} parts.settings of this browser
   */
  constructor({ wire, clock, pace, storage, settings }) {
    [this.#clock, this.#pace, this.#storage, this.#settings] = [clock, pace, storage, settings];
    this.#ticked = clock();
    this.speed = Number(settings.getItem(SPEED)) || 1;
    this.#unpack();
    this.#remote = new Remote(wire, {
      hear: (event, payload, own) => this.#hear(event, payload, own),
      changed: () => this.#connected(),
    });
  }

  /** @returns {State} as the student sees it */
  get state() {
    if (this.elsewhere) return /** @type {State} */ (this.#remote.state);
    if (!this.recording) return "idle";
    if (this.#stopped) return "stopped";
    if (isAtEnd(this.place, this.recording)) return "complete";
    if (this.#resting) return "paused";
    return this.recording.steps.length ? "playing" : "waiting";
  }

  get connection() {
    return this.#remote.connection;
  }

  /** @param {(player: Player) => void} listener called after each change @returns {() => void} ends that */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // --- What the student does -----------------------------------------------------------------------

  /** @param {string} question @param {{ context?: Record<string, string> }} [more] */
  ask(question, { context = {} } = {}) {
    this.#ask({ question, context });
    this.#context = context;
    this.journey = [];
    this.#changed({ save: true });
  }

  /**
   * "I did not follow this": asks about a place, and lets the student come `back`.
   * @param {string} question
   * @param {Place} [about] else the last character shown
   */
  followUp(question, about) {
    if (!this.recording?.sessionId) return;
    const { step, position } = this.place;
    if (!this.elsewhere) this.pause();
    const at = about ?? { step, position: Math.max(position - 1, 0) };
    this.#ask({ question, context: this.#context, about: { session_id: this.recording.sessionId, ...at } });
  }

  /** Back to where the student was before the last follow-up, at the very character. */
  back() {
    const stop = this.journey.pop();
    if (!stop) return;
    this.#leave();
    [this.recording, this.place] = [stop.recording, stop.place];
    if (this.recording) this.play();
    else this.#want({ session_id: stop.sessionId, ...stop.place, playing: true, back: true });
  }

  play() {
    if (!this.recording) return;
    if (this.elsewhere) return this.continueHere();
    if (this.state === "complete") return this.replay();
    this.#resting = this.#stopped = false;
    this.error = null;
    this.#ticked = this.#clock();
    this.#resume();
    this.#changed({ save: true });
  }

  pause() {
    if (!GOING.includes(this.state)) return;
    if (this.elsewhere) return this.#steer("pause_explanation");
    this.#resting = true;
    this.#tellRest();
    this.#changed({ save: true });
  }

  toggle() {
    if (GOING.includes(this.state)) this.pause();
    else this.play();
  }

  stop() {
    if (["idle", ...FINISHED].includes(this.state)) return;
    if (this.elsewhere) return this.#steer("stop_explanation");
    this.#resting = this.#stopped = true;
    if (!this.#asking) this.#tellStop();
    this.#changed({ save: true });
  }

  /** Moves to a place; where that is not written yet, to the beginning of its step. @param {Place} to */
  seek(to) {
    const { recording } = this;
    if (!recording || !(recording.sessionId || this.#local)) return;
    const step = Math.min(Math.max(to.step, 1), Math.max(recording.totalSteps, 1));
    const place = placeIn(step === to.step ? to : { step, position: 0 }, recording);
    const known = recording.reaches(place);
    if (FINISHED.includes(this.state) && !this.elsewhere) this.#resting = false;
    this.#stopped = this.all = false;
    this.error = null;
    if (known) this.#goTo(place);
    if (!this.#local) this.#tellSeek(recording, place, known);
    this.#changed({ save: true });
  }

  /** To the next step, or to the beginning of this one or the one before. @param {1 | -1} direction */
  stepBy(direction) {
    const { step, position } = this.place;
    if (direction > 0 && step >= (this.recording?.totalSteps ?? 0)) return;
    this.seek({ step: direction < 0 && position >= JUST_BEGUN ? step : step + direction, position: 0 });
  }

  replay() {
    this.seek(START);
  }

  /** @param {number} speed 1 is reading pace */
  setSpeed(speed) {
    this.speed = Math.min(Math.max(speed, SLOWEST), FASTEST);
    this.#settings.setItem(SPEED, String(this.speed));
    this.#regulate();
    this.#changed();
  }

  /** Shows everything at once, as fast as it comes. */
  showAll() {
    if (["idle", "complete"].includes(this.state) || this.elsewhere) return;
    if (!GOING.includes(this.state)) this.play();
    this.all = true;
    this.tick();
  }

  /** Takes over what plays elsewhere. */
  continueHere() {
    const { recording } = this;
    if (!recording || !this.elsewhere) return;
    this.#look(recording.sessionId, (session) => {
      if (!session || recording !== this.recording) return;
      this.#absorb(session, recording);
      this.#goTo(session);
      this.elsewhere = this.#resting = this.#stopped = false;
      this.#resume();
      this.#changed({ save: true });
    });
  }

  /** Plays a session of this student by its address. @param {string} sessionId */
  open(sessionId) {
    if (this.recording?.sessionId === sessionId) return this.play();
    if (this.#wanted?.session_id === sessionId) return; // a reload: it comes by itself
    this.#leave();
    this.journey = [];
    this.#want({ session_id: sessionId, ...START, playing: true, opened: true });
  }

  /** Plays an explanation that the page has in full, with or without a connection. @param {Record<string, any>} document */
  playDocument(document) {
    this.#leave();
    this.journey = [];
    [this.recording, this.place, this.#local, this.#resting] = [Recording.fromDocument(document), START, true, false];
    this.#changed();
  }

  /** Shows what a voice has read. @param {Place} place */
  moveTo(place) {
    if (!this.recording?.reaches(place)) return;
    this.#goTo(place);
    this.#regulate();
    this.#changed({ save: true });
  }

  /** Keeps the very place for a reload; called when the page is left. */
  keep() {
    this.#pack();
  }

  // --- Time ----------------------------------------------------------------------------------------

  /** Shows what is due by now; called with each frame. */
  tick() {
    const now = this.#clock();
    const elapsed = Math.min(now - this.#ticked, LONGEST_TICK) / 1000;
    this.#ticked = now;
    const looks = this.elsewhere && this.connection === "online" && now - this.#looked >= LOOK_EVERY;
    if (looks || now >= this.#retryAt) this.recover();
    if (this.state !== "playing" || this.elsewhere || !this.recording) return;
    const { place, starving } = this;
    if (!this.led || this.all) this.#advance(elapsed, this.recording);
    this.#regulate();
    const moved = isBefore(place, this.place), ended = isAtEnd(this.place, this.recording);
    if (moved || starving !== this.starving) this.#changed({ save: ended || now - this.#saved >= SAVE_EVERY });
  }

  /** @param {number} elapsed seconds @param {Recording} recording */
  #advance(elapsed, recording) {
    const due = this.all ? Infinity : this.#due + elapsed * READING_RATE * this.speed;
    const moved = advance(this.place, due, recording);
    [this.place, this.#due] = [moved.place, moved.due];
    this.starving = moved.starved && !isAtEnd(moved.place, recording);
  }

  /** Asks the server for the speed that keeps enough in hand. */
  #regulate() {
    if (!this.#local && this.recording) this.#remote.setSpeed(this.recording.sessionId, this.#serverSpeed());
  }

  #serverSpeed() {
    if (this.all) return withinLimits(Infinity);
    const rate = READING_RATE * this.speed, { recording } = this;
    const lead = recording ? leadSeconds(recording.held, this.place, rate, recording) : 0;
    return serverSpeed(lead, rate, this.#pace, this.#remote.speed);
  }

  // --- What the server is told ---------------------------------------------------------------------

  /** @param {string} event @param {(ack: Ack) => void} [answered] */
  #send(event, answered) {
    if (!this.#local) this.#remote.send(event, { session_id: this.recording?.sessionId }, answered);
  }

  /** @param {string} event what another tab or device shall do */
  #steer(event) {
    this.#send(event, (ack) => (ack.ok ? this.recover() : this.#fail(ack)));
  }

  /** @param {Record<string, any>} payload */
  #ask(payload) {
    const { recording, place } = this;
    const before = this.#asking?.before ?? {
      recording, place, resting: this.#resting, stopped: this.#stopped, untold: this.#untold, local: this.#local, journey: [...this.journey],
    };
    this.#leave({ pausing: false });
    this.#await({ payload: { ...payload, request_id: crypto.randomUUID() }, sent: 0, before });
    if (this.connection === "online") this.#sendAsk();
    else this.#remote.renew();
    this.#changed({ save: true });
  }

  /** @param {Asking} asking */
  #await(asking) {
    this.#asking = asking;
    this.recording = new Recording();
    this.recording.question = asking.payload.question;
    [this.place, this.#resting] = [START, false];
  }

  /** On a new connection once more: its `request_id` makes it one ask. */
  #sendAsk() {
    const asking = /** @type {Asking} */ (this.#asking);
    asking.sent += 1;
    this.#remote.ask(asking.payload, this.#serverSpeed(), (ack) => {
      if (isLost(ack)) return;
      if (this.#asking !== asking) return ack.ok && !this.#asking && this.#remote.stop(ack.session_id);
      this.#asking = null;
      if (ack.ok) this.#asked(ack, asking);
      else {
        const { before } = asking;
        [this.#resting, this.#stopped, this.#untold, this.#local] = [before.resting, before.stopped, before.untold, before.local];
        [this.recording, this.place, this.journey] = [before.recording, before.place, before.journey];
        const { onAir } = this.#remote, here = onAir === this.recording?.sessionId;
        if (onAir && !here) this.#remote.stop(onAir); // this ask was to replace it
        if (this.#untold || !here) this.recover();
        else if (this.recording && !this.#local) this.#mend(this.recording); // what was said meanwhile, nobody has heard
        this.#fail(ack);
      }
      this.#changed({ save: true });
    });
  }

  /** @param {Record<string, any>} ack @param {Asking} asking */
  #asked(ack, { payload, sent, before }) {
    const recording = /** @type {Recording} */ (this.recording);
    [recording.sessionId, recording.questionHash, recording.cached] = [ack.session_id, ack.question_hash, ack.cached];
    const { place, recording: below } = before;
    if (payload.about) this.journey.push({ sessionId: payload.about.session_id, place, recording: below });
    if (this.#stopped) this.#tellStop();
    else if (this.#resting) this.#tellRest();
    if (sent > 1) this.recover(); // what was said before, another connection has heard
  }

  #resume() {
    const { recording } = this;
    if (!recording?.sessionId || this.#local || (this.#remote.state === "complete" && recording.complete)) return;
    const held = earlier(recording.held, recording.end);
    const lead = leadSeconds(held, this.place, READING_RATE * this.speed, recording);
    this.#resumeAt(recording, lead < 0 || lead > MOST_IN_HAND ? this.place : held);
  }

  /** @param {Recording} recording @param {Place} [at] else where the session stands */
  #resumeAt(recording, at) {
    this.#telling += 1;
    this.#remote.resume(recording.sessionId, at ?? {}, this.#serverSpeed(), (ack) => {
      if (recording !== this.recording) return;
      if (ack.ok) {
        this.#untold = this.elsewhere = false;
        this.error = null;
        if (!at) this.#takeInstead(recording.sessionId);
      } else if (at && ack.error.code === "invalid_position") this.#resumeAt(recording);
      else this.#fail(ack);
      this.#changed();
    });
  }

  /** The server knows less, or another answer: what it knows counts. @param {string} session_id */
  #takeInstead(session_id) {
    this.#look(session_id, (session) => {
      if (session && this.recording?.sessionId === session_id) this.#show(session, { ...this.place, session_id, playing: !this.#resting });
      this.#changed();
    });
  }

  /** Lets the server rest where the student does. @param {boolean} [again] as it rested elsewhere already */
  #tellRest(again = false) {
    const { recording } = this;
    if (!recording?.sessionId || this.#local) return;
    const answered = this.#tell(recording), telling = this.#telling;
    if (this.connection !== "online") return;
    this.#remote.rest(recording.sessionId, again || recording.steps.length ? this.place : null, (ack) => {
      answered(ack);
      if (again || !ack.ok || !this.#resting || recording !== this.recording || telling !== this.#telling) return;
      const there = /** @type {any} */ (ack);
      if (isBefore(this.place, there) || isBefore(there, this.place)) this.#tellRest(true);
    });
  }

  #tellStop() {
    if (this.recording && !this.#local) this.#remote.stop(this.recording.sessionId, this.#tell(this.recording));
  }

  /**
   * Something is told that the server has to know, also after a reconnection; the last of several counts.
   * @param {Recording} recording @returns {(ack: Ack) => void} takes the answer
   */
  #tell(recording) {
    const telling = this.#telling += 1;
    this.#untold = true;
    return (ack) => {
      if (recording !== this.recording) return;
      if (!ack.ok) this.#fail(ack);
      else if (telling === this.#telling) this.#untold = false;
    };
  }

  /** @param {Recording} recording @param {Place} place @param {boolean} known */
  #tellSeek(recording, place, known) {
    const ours = !this.elsewhere && !this.#resting;
    if (ours && this.#remote.onAir !== recording.sessionId) { // it would play for nobody
      this.#resumeAt(recording, known ? place : earlier(recording.held, recording.end));
      if (known) return;
    }
    const pausing = this.#resting && !this.elsewhere && FINISHED.includes(this.#remote.state);
    const answered = this.#tell(recording);
    this.#remote.seek(recording.sessionId, place, { known, pausing }, (ack) => {
      if (ack.ok || !known || ack.error.code !== "invalid_position") answered(ack);
      const unheard = this.elsewhere || (ack.ok && !known && this.#remote.onAir !== recording.sessionId);
      if (unheard && recording === this.recording) this.recover();
    });
  }

  // --- What the server says ------------------------------------------------------------------------

  /** @param {string} event @param {any} payload @param {boolean} own */
  #hear(event, payload, own) {
    const { recording } = this;
    if (event === "error") {
      if (!EXPECTED.includes(payload.code)) this.error = payload;
    } else if (recording && !this.#local && [recording.sessionId, ""].includes(this.#remote.onAir)) this.#take(event, payload, own, recording);
    this.#changed();
  }

  /** @param {string} event @param {any} payload @param {boolean} own @param {Recording} recording */
  #take(event, payload, own, recording) {
    const { step, position } = payload;
    switch (event) {
      case "waiting_phrase":
        this.waitingPhrase = payload.message;
        break;
      case "streaming_resumed":
        recording.held = { step, position };
        break;
      case "explanation_seeked":
        recording.held = { step, position };
        if (!own) this.#goTo(payload);
        break;
      case "streaming_paused":
        if (payload.reason === "moved") this.#moved(payload, recording);
        else if (payload.reason === "user" && !own && !this.#resting) this.#restAt(payload);
        break;
      case "explanation_stopped":
        if (own) break;
        this.#resting = this.#stopped = true;
        this.#goTo(earlier(this.place, payload));
        this.#changed({ save: true });
        break;
      default:
        if (this.#mending === recording) break; // what comes before the snapshot is in it
        if (!recording.hear(event, payload, this.#remote.speed * this.#pace)) this.#mend(recording);
    }
  }

  /** Another tab or device wants it to rest. @param {Place} sent up to where we have been sent */
  #restAt(sent) {
    const ahead = isBefore(this.place, sent);
    this.#goTo(earlier(this.place, sent));
    this.#resting = true;
    if (ahead) this.#tellRest(); // it knows only what was sent
    this.#changed({ save: true });
  }

  /**
   * Another tab or device plays on from what was sent to us: it has to know what was shown.
   * @param {Place} sent @param {Recording} recording
   */
  #moved(sent, recording) {
    const { sessionId: session_id } = recording;
    if (!this.#resting && isBefore(this.place, sent)) this.#remote.send("seek_explanation", { session_id, ...this.place });
    this.elsewhere = this.#resting = true;
    this.#remote.onAir = "";
    this.#remote.state = "playing";
    this.#looked = this.#clock() - LOOK_EVERY + SETTLED;
    this.#changed({ save: true });
  }

  #connected() {
    if (this.connection !== "online") this.#lost = Math.min(this.#lost, this.#clock());
    if (this.connection === "online" && !this.#local) {
      if (this.#asking) this.#sendAsk();
      else this.recover();
    }
    this.#changed();
  }

  /** Finds out how things stand, and goes on; after anything that may have taken the connection away. */
  recover() {
    [this.#retryAt, this.#mending] = [Infinity, null];
    this.#looked = this.#clock();
    if (this.connection !== "online") return this.#remote.renew();
    if (this.#local || this.#asking) return;
    const present = () => this.recording?.sessionId ?? this.#wanted?.session_id;
    const id = present(), told = this.#telling;
    this.#look(id, (session) => {
      if (this.#local || this.#asking || present() !== id) return;
      if (told !== this.#telling) return this.recover(); // it was so before the student did something
      if (session) this.#show(session, this.recording ? null : this.#wanted);
      else if (this.recording) this.#resting || this.#resume(); // the refusal says why
      else if (id) {
        this.#wanted = null;
        this.recover();
      }
      this.#changed({ save: true });
    });
  }

  /** @param {string | undefined} session_id else the latest unfinished one @param {(session: Snapshot | null) => void} then */
  #look(session_id, then) {
    this.#remote.send("get_session", session_id ? { session_id } : {}, (ack) => {
      if (ack.ok) return then(ack.session);
      this.#mending = null;
      this.#fail(ack);
    });
  }

  /** @param {Wanted} wanted */
  #want(wanted) {
    [this.recording, this.place, this.#wanted] = [null, START, wanted];
    if (this.connection === "online") this.recover();
    this.#changed({ save: true });
  }

  /** @param {Snapshot} session @param {Wanted | null} wanted for one that is shown anew */
  #show(session, wanted) {
    const known = wanted ? null : this.recording;
    const recording = this.recording = known ?? new Recording();
    this.#absorb(session, recording);
    if (session.playing_here) this.#remote.onAir = session.session_id;
    const { place, elsewhere } = this;
    const before = { place, elsewhere, resting: this.#resting, stopped: this.#stopped, untold: this.#untold };
    const now = known ? seenAgain(before, session, this.#clock() - this.#lost > LET_GO) : seenAnew(wanted, session, recording);
    this.#lost = Infinity;
    if (now.place !== place) this.#goTo(now.place);
    [this.#resting, this.#stopped, this.#untold] = [now.resting, now.stopped, now.untold];
    [this.elsewhere, this.#wanted] = [now.elsewhere, null];
    if (now.next === "replay") this.replay();
    else if (now.next === "resume") this.#resume();
    else if (now.next === "rest") this.#tellRest();
    else if (now.next === "stop") this.#tellStop();
    if (wanted?.back && isBefore(this.place, wanted)) this.#bring(session.session_id, wanted); // it rests where was asked about
  }

  /** Goes to a place that is not known yet. @param {string} session_id @param {Place} place */
  #bring(session_id, { step, position }) {
    this.#remote.seek(session_id, { step, position }, { known: false, pausing: false }, (ack) => this.#fail(ack));
  }

  /** @param {Snapshot} session @param {Recording} recording */
  #absorb(session, recording) {
    recording.absorb(session, this.#pace);
    this.#remote.state = session.state;
  }

  /** Something has been missed: takes what the server knows. @param {Recording} recording */
  #mend(recording) {
    if (this.#mending === recording) return;
    this.#mending = recording;
    this.#look(recording.sessionId, (session) => {
      if (recording !== this.#mending) return;
      this.#mending = null;
      if (session && recording === this.recording) this.#absorb(session, recording);
      this.#changed();
    });
  }

  // --- What is kept --------------------------------------------------------------------------------

  /** @param {Place} place */
  #goTo({ step, position }) {
    [this.place, this.#due, this.starving] = [{ step, position }, 0, false];
  }

  /** Nothing of the present explanation is left but what the server keeps. */
  #leave({ pausing = true } = {}) {
    if (pausing && !this.elsewhere) this.pause();
    this.#stopped = this.all = this.elsewhere = this.#untold = this.#local = false;
    [this.#asking, this.#wanted, this.error, this.waitingPhrase, this.#retryAt] = [null, null, null, "", Infinity];
    this.#goTo(START);
  }

  /** @param {Ack} ack */
  #fail(ack) {
    if (ack.ok || isLost(ack)) return;
    if (PASSING.includes(ack.error.code)) this.#retryAt = this.#clock() + 1000 * (ack.error.retry_after ?? RETRY);
    this.error = ack.error;
    this.#changed();
  }

  #changed({ save = false } = {}) {
    if (save) this.#pack();
    for (const listener of this.#listeners) listener(this);
  }

  #pack() {
    const { recording, place } = this;
    if (this.#local || !(recording || this.#wanted)) return;
    const wanted = recording ? { session_id: recording.sessionId, ...place, playing: !this.#resting } : this.#wanted;
    const asked = this.#asking && { payload: this.#asking.payload, place: this.#asking.before.place };
    const journey = this.journey.map((stop) => ({ session_id: stop.sessionId, ...stop.place, playing: true }));
    this.#storage.setItem(KEPT, pack({ wanted, asked, context: this.#context, journey }));
    this.#saved = this.#clock();
  }

  #unpack() {
    const { wanted, asked, context, journey } = unpack(this.#storage.getItem(KEPT));
    this.#context = context;
    this.journey = journey.map(({ session_id: sessionId, step, position }) => ({ sessionId, place: { step, position }, recording: null }));
    if (asked) {
      const before = { recording: null, place: asked.place, resting: true, stopped: false, untold: false, local: false, journey: [] };
      this.#await({ payload: asked.payload, sent: 1, before });
      this.#resting = !wanted?.playing;
    } else if (wanted?.session_id) this.#wanted = wanted;
  }
}

/** @param {Ack} ack */
function isLost(ack) {
  return !ack.ok && ack.error.code === LOST;
}
