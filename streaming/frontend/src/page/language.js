// In which language an explanation is: a student may ask in another one than the page's, and a voice must know.

/** @typedef {import("../spoken.js").Language} Language */

/** @type {Record<Language, Set<string>>} */
const COMMON = {
  es: new Set("el los las y en con una del es lo más si está qué cómo por se".split(" ")),
  en: new Set("the of is and to in that it you are with what how for on this".split(" ")),
  pt: new Set("o os as e em com uma do da é não mais se está como por ao".split(" ")),
};
const ENOUGH = 400; // JavaScript's units of text that tell the language

/** @param {string} text @param {Language} otherwise @returns {Language} */
export function languageOf(text, otherwise) {
  const words = text.slice(0, ENOUGH).toLowerCase().match(/\p{L}+/gu) ?? [];
  let [best, most] = [otherwise, words.filter((word) => COMMON[otherwise].has(word)).length];
  for (const language of /** @type {Language[]} */ (Object.keys(COMMON))) {
    const count = words.filter((word) => COMMON[language].has(word)).length;
    if (count > most) [best, most] = [language, count];
  }
  return best;
}
