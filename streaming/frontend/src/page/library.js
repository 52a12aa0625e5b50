// "My explanations": what the student asked, how far each was heard; to go on with, replay, hand on, or remove.

import { fill, request } from "./dom.js";
import { createKept } from "./kept.js";

/** @typedef {import("../player.js").Player} Player */
/**
 * @typedef {{
 *   session_id: string, question: string, answer_id: string | null, state: string, heard: number | null,
 *   created_at: string, clear: boolean | null, link: string,
 * }} Entry
 */

const PAGE = 30; // as many as the server sends at a time
const UNFINISHED = ["playing", "paused"];

/**
 * @param {HTMLElement} host
 * @param {{ words: Record<string, string>, urls: { explanations: string }, player: Player, language: string, student: string, wire?: { send: (event: string, payload: object) => unknown } }} page
 */
export function createLibrary(host, { words, urls, player, language, student, wire }) {
  const kept = createKept(student);
  const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  /** @type {Entry[]} */
  let entries = [];
  /** @type {Set<string>} */
  let playable = new Set(); // without a connection
  let online = player.connection === "online";
  let finished = "";

  const title = make("h2", { id: "library-title", textContent: words.title });
  const close = make("button", { type: "button", className: "quiet", textContent: words.close });
  const status = make("p", { role: "status" });
  const list = make("ol", { role: "list" });
  const older = make("button", { type: "button", className: "quiet", textContent: words.older, hidden: true });
  const dialog = make("dialog", { className: "library" }, make("header", {}, title, close), status, list, older);
  dialog.setAttribute("aria-labelledby", title.id);
  host.append(dialog);

  const address = (/** @type {Entry} */ entry) => `${urls.explanations}${entry.session_id}/`;
  const say = (/** @type {string} */ text) => { status.textContent = text; };

  /**
   * A request whose refusal is said in the server's words.
   * @param {string} method @param {string} url @param {object} [body]
   * @returns {Promise<Response | null>}
   */
  async function ask(method, url, body) {
    const response = await request(method, url, body).catch(() => null);
    if (response?.ok) return response;
    const refusal = await response?.json().catch(() => null);
    say(refusal?.message ?? words.failed);
    return null;
  }

  /** @param {string} [before] */
  async function load(before) {
    const response = await ask("GET", before ? `${urls.explanations}?before=${encodeURIComponent(before)}` : urls.explanations);
    if (!response) return;
    /** @type {Entry[]} */
    const found = await response.json();
    entries = before ? [...entries, ...found] : found;
    older.hidden = found.length < PAGE;
    playable = await kept.sessions();
    say(online ? (entries.length ? "" : words.empty) : words.no_connection);
    list.replaceChildren(...entries.map(row));
  }

  /** @param {Entry} entry */
  function row(entry) {
    const offline = playable.has(entry.session_id);
    const whole = entry.state === "complete";
    const heard = whole ? words.whole
      : entry.heard === null ? words.begun : fill(words.heard, { percent: Math.round(entry.heard * 100) });
    const facts = [dates.format(new Date(entry.created_at)), heard, offline ? words.offline : online ? "" : words.needs_connection];
    const action = whole ? words.replay : words.continue;
    const go = make("button", { type: "button", className: "primary", textContent: action, disabled: !online && !offline });
    go.setAttribute("aria-label", `${action}: ${entry.question}`);
    go.addEventListener("click", () => void play(entry));
    const copy = make("button", { type: "button", className: "quiet", textContent: words.copy });
    copy.addEventListener("click", () => void copyLink(entry));
    const remove = make("button", { type: "button", className: "quiet", textContent: words.remove, disabled: !online });
    remove.addEventListener("click", () => void removeOnSecond(entry, remove));
    const bar = make("progress", { max: 1, value: whole ? 1 : entry.heard ?? 0 });
    bar.setAttribute("aria-hidden", "true"); // the words beside it say as much
    const item = make("li", {},
      make("h3", { textContent: entry.question }), bar,
      make("p", { className: "facts", textContent: facts.filter(Boolean).join(" · ") }),
      make("div", { className: "acts" }, go, copy, remove), ...(entry.answer_id && online ? [verdict(entry)] : []));
    item.dataset.session = entry.session_id;
    item.classList.toggle("kept", offline);
    return item;
  }

  /** "Was this clear?" @param {Entry} entry */
  function verdict(entry) {
    const group = make("div", { className: "verdict", role: "group" }, make("span", { textContent: words.clear }));
    group.setAttribute("aria-label", words.clear);
    const choices = [true, false].map((clear) => {
      const choice = make("button", { type: "button", className: "quiet", textContent: clear ? words.yes : words.no });
      choice.addEventListener("click", async () => {
        if (!(await ask("POST", `${address(entry)}remarks/`, { kind: clear ? "clear" : "unclear" }))) return;
        entry.clear = clear;
        show();
        say(words.noted);
      });
      return choice;
    });
    const show = () => choices.forEach((choice, n) => choice.setAttribute("aria-pressed", String(entry.clear === (n === 0))));
    show();
    group.append(...choices);
    return group;
  }

  /** @param {Entry} entry */
  async function play(entry) {
    if (player.connection === "online") player.open(entry.session_id);
    else {
      const response = await ask("GET", address(entry));
      if (!response) return;
      player.playDocument(await response.json());
    }
    dialog.close();
    scrollTo({ top: 0 });
  }

  /** @param {Entry} entry */
  async function copyLink(entry) {
    const link = new URL(entry.link, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      say(words.copied);
    } catch { // not allowed, or the page is not served securely: then it can be copied by hand
      say(link);
    }
  }

  /** @param {Entry} entry @param {HTMLButtonElement} button */
  async function removeOnSecond(entry, button) {
    if (button.textContent !== words.really) {
      button.textContent = words.really;
      button.addEventListener("blur", () => { button.textContent = words.remove; }, { once: true });
      return;
    }
    if (player.recording?.sessionId === entry.session_id) player.stop();
    // Else a new window would bring it back. What plays may be a copy, of which the server knows nothing.
    if (UNFINISHED.includes(entry.state)) wire?.send("stop_explanation", { session_id: entry.session_id });
    if (!(await ask("DELETE", address(entry)))) return;
    void request("GET", urls.explanations).catch(() => null); // the list as it is now is kept instead
    entries = entries.filter((other) => other !== entry);
    const item = button.closest("li");
    const next = item?.nextElementSibling ?? item?.previousElementSibling;
    item?.remove();
    (next?.querySelector("button") ?? close).focus(); // the place of who removes one after the other
    say(words.removed);
  }

  /** What has been heard to the end is kept, with all that it took to show it. @param {string} sessionId */
  async function keep(sessionId) {
    await kept.awake();
    const addresses = [`${urls.explanations}${sessionId}/`, urls.explanations]; // the list that has it, too
    const responses = await Promise.all(addresses.map((url) => request("GET", url).catch(() => null)));
    if (responses.every((response) => response?.ok)) await kept.greet();
  }

  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); }); // beside it
  older.addEventListener("click", () => void load(entries.at(-1)?.created_at));
  player.subscribe(() => {
    const sessionId = player.recording?.sessionId;
    if (player.state === "complete" && sessionId && sessionId !== finished && player.connection === "online") {
      finished = sessionId;
      void keep(sessionId);
    }
    const connected = player.connection === "online";
    if (connected === online) return;
    online = connected;
    if (dialog.open) void load();
  });
  void kept.greet();

  return {
    /** Shows the list as it is now. */
    async open() {
      dialog.showModal();
      await load();
    },
  };
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} properties @param {...Element} children
 */
function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
