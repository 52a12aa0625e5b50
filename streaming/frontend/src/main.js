// The student's page: puts its parts together round one player, and lets time pass. What is seen is always the
// recording up to the playhead; nothing else is kept anywhere.

import { Player } from "./player.js";
import { spoken } from "./spoken.js";
import { createWire } from "./wire.js";
import { createAnnouncer } from "./page/announcer.js";
import { listenToAccount } from "./page/account.js";
import { createAsking } from "./page/asking.js";
import { createBanner } from "./page/banner.js";
import { createControls } from "./page/controls.js";
import { button, calm, get, part, write } from "./page/dom.js";
import { createFollowing } from "./page/following.js";
import { createFollowUp } from "./page/follow_up.js";
import { languageOf } from "./page/language.js";
import { onlyOf } from "./page/kept.js";
import { createLibrary } from "./page/library.js";
import { createReadingAloud } from "./page/reading_aloud.js";
import { createRemarks } from "./page/remarks.js";
import { createSentenceMenu } from "./page/sentence_menu.js";
import { lastSentence } from "./page/sentences.js";
import { listenForShortcuts } from "./page/shortcuts.js";
import { createSteps } from "./page/steps.js";

const LOOK = 1000; // ms between two looks at the state while nothing moves
const PATIENCE = 1500; // ms from opening the page in which what comes back after a reload may gather, to be shown at once
const AGAIN = 3000; // ms until what could not be loaded is tried again

/** @typedef {import("./page/steps.js").Setting} Setting */

const main = part(document.body, "main", HTMLElement);
const config = JSON.parse(main.dataset.page ?? "{}");
const { language, words, urls } = config;

const wire = createWire({ tokenUrl: urls.token });
const player = new Player({
  wire,
  clock: () => performance.now(),
  pace: config.pace,
  storage: onlyOf(config.student.id, sessionStorage),
  settings: localStorage,
});

// On a slow network the first words come before it, and stand there as they were written until it is here.
/** @type {(setting: Setting) => void} */
let arrived;
/** @type {Promise<Setting>} */
const setting = new Promise((resolve) => { arrived = resolve; });
/** @type {ReturnType<typeof import("./board/board.js").createBoard> | null} */
let board = null;
let loading = false;
async function load() {
  if (loading) return;
  loading = true;
  const parts = await import("./setting.js").catch(() => null);
  if (!parts) { // the network is away
    setTimeout(() => { loading = false; }, AGAIN);
    return;
  }
  const typesetter = parts.createTypesetter({ spoken: (tex) => spoken(tex, spokenLanguage()) });
  board = parts.createBoard(get("board", HTMLElement), {
    renderText: typesetter.line,
    renderMath: (element, tex) => typesetter.formula(element, tex),
    words: words.board,
    reducedMotion: () => calm.matches,
  });
  const given = { typesetter, createReveal: parts.createReveal };
  steps.useSetting(given);
  arrived(given);
  render();
}

const [region, list, asked, boardSide, end] = ["player", "steps", "asked", "board-side", "end"].map((id) => get(id, HTMLElement));
const dock = part(region, ".dock", HTMLElement);
const waiting = get("waiting", HTMLElement);
const steps = createSteps(list);

// On paper everything is shown, and the boards as they are in the end. Before the board hears of it, so that it does.
addEventListener("beforeprint", () => {
  steps.showWhole(true);
  if (player.recording) board?.show(player.recording.commandsBefore({ step: Infinity, position: Infinity }));
});
addEventListener("afterprint", () => {
  steps.showWhole(false);
  drawn = "";
  render();
});

new ResizeObserver(() => region.style.setProperty("--board-bottom", `${dock.offsetHeight}px`)).observe(dock);

const following = createFollowing(button("follow"), {
  caret: steps.caret,
  top: () => (getComputedStyle(boardSide).position === "sticky" && boardSide.offsetWidth > region.offsetWidth / 1.5 ? boardSide.offsetHeight : 0),
  bottom: () => dock.getBoundingClientRect().top,
});
const banner = createBanner(player, { words, signIn: urls.login });
const announcer = createAnnouncer(get("live", HTMLElement), { player, words, languageOf: spokenLanguage });
const aloud = createReadingAloud(player, { words, languageOf: spokenLanguage, rangeOf: steps.rangeOf, tell: banner.tell });
const asking = createAsking(player, { onAsked: begin });
const remarks = createRemarks(player, { words, explanations: urls.explanations, tell: banner.tell, quote });
const followUp = createFollowUp(player, { words, quote, onAsked: begin, onBack: following.back });
const controls = createControls(player, { words, language, onJump: following.back });
const menu = createSentenceMenu(player, {
  list,
  steps,
  choose: {
    play({ step, from }) {
      player.seek({ step, position: from });
      if (player.state === "paused") player.play();
      following.back();
    },
    "follow-up": followUp.open,
    wrong: remarks.wrong,
  },
});
const library = createLibrary(get("library", HTMLElement), { words: words.library, urls, player, language, student: config.student.id, wire });
listenToAccount({ words, me: urls.me });
listenForShortcuts(region, controls, { followUp: notFollowed, sentenceMenu: menu.openHere });

button("not-followed").addEventListener("click", notFollowed);
button("library-toggle").addEventListener("click", () => void library.open());
button("print").addEventListener("click", () => print());
button("copy-link").addEventListener("click", async () => {
  const { answerId, sessionId } = player.recording ?? {};
  const path = answerId ? `answers/${answerId}/` : `explanations/${sessionId}/`;
  const link = new URL(urls.index + path, location.href).href;
  banner.tell(await navigator.clipboard.writeText(link).then(() => words.linkCopied, () => link)); // copied by hand then
});

function notFollowed() {
  const sentence = player.recording && lastSentence(player.recording, player.place);
  if (sentence) followUp.open(sentence);
}

/** A sentence in a dialog about it. @param {HTMLElement} element @param {import("./page/sentences.js").Sentence} sentence */
function quote(element, { text }) {
  write(element, text);
  void setting.then(({ typesetter }) => typesetter.line(element, text));
}

/** What was asked is now what counts: whoever asked hears it from its beginning. */
function begin() {
  region.focus({ preventScroll: true });
  scrollTo({ top: 0 });
  following.back();
}

/** The language of the explanation, which need not be the page's. */
function spokenLanguage() {
  return languageOf(player.recording?.steps[0]?.content ?? "", language);
}

const returning = sessionStorage.length > 1; // there is more than whose it is
let drawn = ""; // which place of which recording the board shows
/** @type {import("./recording.js").Recording | null} */
let shown = null;
let state = "";

function render() {
  const { recording, place } = player;
  if (returning && !board && performance.now() < PATIENCE) return;
  const begun = recording !== shown;
  shown = recording;
  if (player.state !== state) main.dataset.state = state = player.state;
  write(asked, recording?.question ?? "");
  document.title = recording?.question ? `${recording.question} – Tutor` : "Tutor";
  write(waiting, state === "waiting" ? player.waitingPhrase || words.waiting : "");
  steps.render(recording, place);
  if (recording ? recording.steps[0]?.content : player.connection !== "connecting") void load();
  if (recording) draw(recording, place, !begun && state === "playing" && !player.all);
  if (end.hidden !== (state !== "complete")) {
    end.hidden = state !== "complete";
    if (!end.hidden && !player.all) following.onTo(end);
  }
  for (const part of [controls, asking, banner, followUp, remarks]) part.render();
  announcer.render(aloud.on);
  following.render(state === "playing");
}

/** @param {import("./recording.js").Recording} recording @param {import("./recording.js").Place} place @param {boolean} animate */
function draw(recording, place, animate) {
  const commands = recording.commandsBefore(place);
  const key = [recording.sessionId, recording.version, commands.length, board !== null].join();
  if (key === drawn) return;
  drawn = key;
  boardSide.hidden = !board || recording.steps.every((step) => step.commands.length === 0);
  const tongue = spokenLanguage();
  if (list.lang !== tongue) list.lang = asked.lang = boardSide.lang = tongue;
  board?.show(commands, { animate });
}

// Time passes with the frames while something moves, and slowly otherwise: for what is said about the connection, and
// for a page that nobody sees but somebody hears.
let framed = false;
let leaving = false;
function frame() {
  framed = false;
  pass();
  if (player.state === "playing") schedule();
}
function schedule() {
  if (!framed) requestAnimationFrame(frame);
  framed = true;
}
function pass() {
  if (document.hidden && !leaving && !aloud.on && !player.elsewhere && player.state === "playing") player.pause(); // nobody looks
  aloud.tick();
  player.tick();
  render();
}
setInterval(pass, LOOK);
player.subscribe(schedule);

document.addEventListener("visibilitychange", () => (document.hidden ? pass() : player.recover()));
addEventListener("online", () => player.recover());
window.addEventListener("pagehide", () => { leaving = true; }); // whoever reloads does not look elsewhere
window.addEventListener("pageshow", ({ persisted }) => {
  leaving = false;
  if (persisted) player.recover();
});

// An address says what to play, for as long as nothing else is asked.
const { play } = config;
main.classList.toggle("returning", Boolean(play || returning));
if (returning) void load();
if (play?.session_id) player.open(play.session_id);
if (play?.question) player.ask(play.question, { context: play.context });
const stay = player.subscribe(() => {
  if (!play || !player.recording?.sessionId || player.recording.sessionId === play.session_id) return;
  history.replaceState(null, "", urls.index);
  stay();
});
schedule();
void setting.then(() => navigator.serviceWorker?.register(urls.worker, { scope: "/" })).catch(() => {}); // nothing plays offline then
