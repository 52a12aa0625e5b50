// The state of the connection in words, and what the server would not do.

import { button, get, write } from "./dom.js";

const UNNOTICED = 2000; // ms without a connection that nobody needs to hear of
const NEWS = 5000; // ms for which good news stays

/**
 * @param {import("../player.js").Player} player
 * @param {{ words: Record<string, any>, signIn: string }} page
 */
export function createBanner(player, { words, signIn }) {
  const banner = get("banner", HTMLElement);
  const error = get("error", HTMLElement);
  const here = button("continue-here");
  const link = document.createElement("a");
  link.href = signIn;
  link.textContent = words.signIn;
  here.addEventListener("click", () => player.continueHere());

  let wasOnline = false;
  let [news, newsUntil] = ["", 0];
  /** @type {number | null} */
  let awaySince = null;
  /** @type {number | null} */
  let starvingSince = null;

  /** Says something for a few seconds. @param {string} text */
  function tell(text) {
    [news, newsUntil] = [text, performance.now() + NEWS];
  }

  /** @param {number} now */
  function said(now) {
    const { connection, elsewhere, state } = player;
    if (connection === "signed-out") return words.signedOut;
    if (connection !== "online") {
      awaySince ??= now;
      if (now - awaySince < UNNOTICED) return "";
      return wasOnline ? (state === "idle" ? words.lostIdle : words.lost) : words.connecting;
    }
    if (wasOnline && awaySince !== null && now - awaySince >= UNNOTICED) tell(words.online);
    [awaySince, wasOnline] = [null, true];
    if (elsewhere) return words.elsewhere;
    if (now < newsUntil) return news;
    starvingSince = player.starving && state === "playing" ? (starvingSince ?? now) : null;
    return starvingSince !== null && now - starvingSince >= UNNOTICED ? words.starving : "";
  }

  return {
    tell,
    render() {
      const text = said(performance.now());
      if (banner.dataset.said !== text) {
        banner.dataset.said = text;
        banner.replaceChildren(text, ...(player.connection === "signed-out" ? [" ", link] : []));
      }
      here.hidden = !player.elsewhere || player.connection !== "online";
      write(error, player.error?.message ?? "");
    },
  };
}
