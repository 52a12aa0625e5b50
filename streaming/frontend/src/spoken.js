// Mathematics read aloud: simple LaTeX turned into words; what has none is dropped. As `answers/spoken.py` does it.

import table from "../../../answers/spoken_words.json" with { type: "json" };
import { formulas, slice } from "./text.js";

/** @typedef {"es" | "en" | "pt"} Language */

const MAX_DEPTH = 30; // of groups within one another; deeper ones are read flat
const TOKEN = /\\[A-Za-z]+|\\.|[0-9]+(?:[.,][0-9]+)*|[\p{L}\p{Nl}\p{No}]+|\s+|./gsu;
const ALPHANUMERIC = /^[\p{L}\p{N}]+$/u;
const ALPHABETIC = /^\p{L}+$/u;
const LINE_MARK = /^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+)+/gm;
const EMPHASIS = new RegExp(
  "\\*\\*|`|(?<![\\p{L}\\p{N}_])__(?=[^\\s_])|(?<=[^\\s_])__(?![\\p{L}\\p{N}_])" +
    "|(?<![\\p{L}\\p{N}_\\\\*])([*_])(?=[^\\s*_])((?:(?!\\1)[^\\n])+)(?<=[^\\s*_\\\\])\\1(?![\\p{L}\\p{N}_*])", "gu");
const COMMAND = /\\([A-Za-z]+|.?)/gsu;
const HERE = "\0"; // stands for a formula; no text that is stored contains it

const WITH_BOUNDS = ["\\sum", "\\prod", "\\int", "\\lim"];
const FRACTIONS = ["\\frac", "\\dfrac", "\\tfrac"];
const SPACES = ["", " ", ",", ";", ":", "!"];
const FOR_THE_EYE = ["\\begin", "\\href", "\\end", "\\color", "\\textcolor", "\\hspace", "\\label", "\\includegraphics"]; // so is their argument

const [WORDS, GREEK, PHRASES] = [table.words, table.greek, table.phrases].map((words) =>
  new Map(Object.entries(/** @type {Record<string, string[]>} */ (words))));

/**
 * A text with its formulas read aloud, without LaTeX commands and marks of Markdown.
 * @param {string} text @param {Language} language
 */
export function spokenText(text, language) {
  const found = formulas(text);
  let behind = 0;
  const pieces = found.map(({ from, to }) => [slice(text, behind, from), (behind = to)][0]);
  const words = found.map(({ tex }) => spoken(tex, language));
  return [...pieces, slice(text, behind)].join(HERE)
    .replace(LINE_MARK, "")
    .replace(EMPHASIS, (_, _mark, within = "") => within)
    .replace(COMMAND, (_, name) => (ALPHABETIC.test(name) ? command(name, language) : name === "\\" ? "" : name))
    .replaceAll(HERE, () => words.shift() ?? "")
    .split(/\s+/).filter(Boolean).join(" ");
}

/** LaTeX mathematics in words. @param {string} tex @param {Language} language */
export function spoken(tex, language) {
  return new Reader(tex, language).phrase()
    .replace(/\s+(?=[,.;:!?)\]|])/g, "")
    .replace(/(?<=[([])\s+/g, "")
    .replace(/^[ ,]+|[ ,]+$/g, "");
}

/** @param {string[]} words @param {Language} language */
const inLanguage = (words, language) => words[table.languages.indexOf(language)];

/** The word for a sign or the name of a command; a sign without one stands for itself. @param {string} name @param {Language} language */
function word(name, language) {
  const words = WORDS.get(name);
  if (words) return inLanguage(words, language);
  const letter = name.replace(/^var/, "");
  const greek = GREEK.get(letter.toLowerCase());
  if (!greek) return ALPHABETIC.test(name) ? "" : name;
  const found = inLanguage(greek, language);
  return /^[A-Z]/.test(letter) ? found[0].toUpperCase() + found.slice(1) : found;
}

/** @param {string} name @param {Language} language */
function command(name, language) {
  return SPACES.includes(name) ? "" : word(name, language);
}

/** Reads LaTeX from left to right; whatever is not well-formed is read as far as it goes. */
class Reader {
  #language;
  /** @type {string[]} the next one last */
  #tokens;
  #depth = 0;
  #bounded = ""; // the sign before, as long as its bounds may follow

  /** @param {string} tex @param {Language} language */
  constructor(tex, language) {
    this.#language = language;
    const tokens = tex.replaceAll("{,}", ",").match(TOKEN) ?? []; // as TeX writes a decimal comma
    this.#tokens = tokens.filter((token) => token.trim()).reverse();
  }

  /** Reads up to and with the token `end`. @param {string} [end] */
  phrase(end = "") {
    const words = [];
    for (let token; (token = this.#tokens.pop()) !== undefined && token !== end;) words.push(this.#read(token));
    return words.filter(Boolean).join(" ");
  }

  /** @param {string} sign @returns {string} */
  #read(sign) {
    const bounded = this.#bounded;
    this.#bounded = WITH_BOUNDS.includes(sign) ? sign : "";
    if (sign === "{") return this.#nested("}");
    if (sign === "^" || sign === "_") return this.#script(sign, bounded);
    if (FRACTIONS.includes(sign)) return `${this.#argument()} ${this.#say("over")} ${this.#argument()}`;
    if (sign === "\\sqrt") {
      if (!this.#nextIs("[")) return `${this.#say("square root")} ${this.#argument()}`;
      return `${this.#say("root")} ${this.#nested("]")} ${this.#say("of")} ${this.#argument()}`;
    }
    if (sign === "\\left" || sign === "\\right") this.#nextIs(".");
    else if (FOR_THE_EYE.includes(sign)) this.#argument();
    else if (sign.startsWith("\\")) return this.#function(command(sign.slice(1), this.#language));
    else if (sign !== "}" && sign !== "$") return ALPHANUMERIC.test(sign) ? sign : word(sign, this.#language);
    return "";
  }

  /** Reads what stands between a function and its argument: a power is the function's. @param {string} word */
  #function(word) {
    const of = ` ${this.#say("of")}`;
    if (!word.endsWith(of) || !this.#nextIs("^")) return word;
    return `${word.slice(0, -of.length)} ${this.#script("^", "")}${of}`;
  }

  /** @param {string} sign @param {string} bounded */
  #script(sign, bounded) {
    const argument = this.#argument();
    if (bounded) {
      this.#bounded = bounded;
      return `${this.#say(sign === "^" ? "until" : bounded === "\\lim" ? "as" : "from")} ${argument}`;
    }
    if (sign === "_") return `${this.#say("sub")} ${argument}`;
    if (argument === "2" || argument === "3") return this.#say(argument === "2" ? "squared" : "cubed");
    if (["circ", "prime"].some((name) => argument === word(name, this.#language))) return argument;
    return `${this.#say("power")} ${argument}`;
  }

  /** Reads one group, command or character; in brackets when it is more than a word. */
  #argument() {
    const sign = this.#tokens.pop();
    if (sign === undefined) return "";
    const [first, ...rest] = sign;
    if (rest.length && ALPHANUMERIC.test(first)) {
      this.#tokens.push(rest.join(""));
      return first;
    }
    if (sign === "{") {
      const words = this.#nested("}");
      return words.includes(" ") ? `(${words})` : words;
    }
    this.#tokens.push(sign);
    return this.#nested();
  }

  /** Reads up to `end`, or only the next sign. @param {string} [end] */
  #nested(end) {
    if (this.#depth >= MAX_DEPTH) return "";
    this.#depth += 1;
    const words = end === undefined ? this.#read(/** @type {string} */ (this.#tokens.pop())) : this.phrase(end);
    this.#depth -= 1;
    return words;
  }

  /** Takes the next token if it is `token`. @param {string} token */
  #nextIs(token) {
    const found = this.#tokens.at(-1) === token;
    if (found) this.#tokens.pop();
    return found;
  }

  /** @param {string} phrase */
  #say(phrase) {
    return inLanguage(/** @type {string[]} */ (PHRASES.get(phrase)), this.#language);
  }
}
