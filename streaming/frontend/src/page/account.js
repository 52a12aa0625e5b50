// Who is learning: language and credits.

import { fill, get, request, write } from "./dom.js";

/** @param {{ words: Record<string, any>, me: string }} page */
export function listenToAccount({ words, me }) {
  const language = get("language", HTMLSelectElement);
  const credits = get("credits", HTMLElement);

  language.addEventListener("change", async () => {
    const changed = await request("PATCH", me, { language: language.value }).catch(() => null);
    if (changed?.ok) location.reload(); // what plays goes on
    else write(credits, words.notSent);
  });

  async function count() {
    const answer = await request("GET", me).catch(() => null);
    if (!answer?.ok) return;
    const { credits: left } = await answer.json();
    write(credits, left === 1 ? words.oneCredit : fill(words.credits, { credits: left }));
  }

  get("account", HTMLElement).addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "open") void count();
  });
}
