// Text as the contract counts and cuts it. Positions are code points, as on the server; where JavaScript's own units
// are meant, the name says `unit`.

/** @typedef {{ from: number, to: number }} Range positions, `to` behind the last character */
/** @typedef {Range & { tex: string, display: boolean }} Formula */

const MAX_CLUSTER = 64;
const MAX_FORMULA = 300;
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"; // Python's

const SURROGATES = /[\ud800-\udfff]/;
const IS_SPACE = new RegExp(`^${SPACE}`);
const ENDS_IN_SPACE = new RegExp(`${SPACE}$`);
const BLANK_LINE = new RegExp(`\\n(?:(?!\\n)${SPACE})*\\n`);
const CLUSTERED = /\r\n|(?:[\x00-\x0c\x0e-\u02ff]?[^\x00-\u02ff]+)+[\x00-\x0c\x0e-\u02ff]?/gu; // else one by one
const TO_DOLLAR = /(?:[^\\$]|\\.)*/suy;
const TO_DOUBLE_DOLLAR = /(?:[^\\$]|\\.|\$(?!\$))*/suy;

const SENTENCE_END = new RegExp(`\\n|(?<![.!?…])[.!?…]+["'”’»›)\\]}*_\`]*(?=${SPACE}|$)`, "gu");
const WORD = /[\p{L}\p{N}.]*$/u;
const LONGEST_WORD = 12; // that could be an abbreviation
const INITIALS = /^(?:\p{Lu}|(?:\p{L}\.)+\p{L})$/u;
const LIST_NUMBER = /^\s*[\d.]+$/;
const GOES_ON = new RegExp(`^(?:(?!\\n)${SPACE})+\\p{Ll}`, "u");
const ABBREVIATIONS = new Set(
  ("sr sra srta sres dr dra drs prof profa mr mrs ms st ud uds vd vds ee ej ex p pp pág págs cap vol fig figs eq ec " +
    "núm vs cf aprox").split(" "));

const clusters = new Intl.Segmenter("und", { granularity: "grapheme" });

/** @param {string} text */
export function codePoints(text) {
  return Array.from(text);
}

/** @param {string} text */
export function length(text) {
  let count = text.length;
  if (SURROGATES.test(text)) for (let unit = 0; unit < text.length; unit += 1) count -= inPair(text, unit) ? 1 : 0;
  return count;
}

/** @param {string} text @param {number} from @param {number} [to] */
export function slice(text, from, to) {
  return text.slice(unitAt(text, from), to === undefined ? undefined : unitAt(text, to));
}

/**
 * The index in JavaScript's units of a position.
 * @param {string} text @param {number} position
 */
export function unitAt(text, position) {
  if (!SURROGATES.test(text)) return Math.min(Math.max(position, 0), text.length);
  let unit = 0;
  for (let left = position; left > 0 && unit < text.length; left -= 1) unit += inPair(text, unit + 1) ? 2 : 1;
  return unit;
}

/**
 * The position of an index in JavaScript's units.
 * @param {string} text @param {number} unit
 */
export function positionAt(text, unit) {
  return length(text.slice(0, unit));
}

/** Whether the second half of a surrogate pair stands there. @param {string} text @param {number} unit */
function inPair(text, unit) {
  const [before, here] = [text.charCodeAt(unit - 1), text.charCodeAt(unit)];
  return before >= 0xd800 && before < 0xdc00 && here >= 0xdc00 && here < 0xe000;
}

/** Turns rising indices in JavaScript's units into positions. @param {string} text */
function counter(text) {
  let counted = 0, position = 0;
  return (/** @type {number} */ unit) => {
    position += length(text.slice(counted, unit));
    counted = unit;
    return position;
  };
}

/**
 * The formulas of a text, by the contract: `$…$` or `$$…$$`, unescaped, no space just inside, no digit after the
 * closing `$`, one paragraph, at most 300 code points. The first unescaped delimiter after the opening one decides.
 */
export const formulas = ofTheSame((/** @type {string} */ text) => {
  const at = counter(text);
  return unitFormulas(text).map((formula) => ({ ...formula, from: at(formula.from), to: at(formula.to) }));
});

/** The same in JavaScript's units. */
const unitFormulas = ofTheSame((/** @type {string} */ text) => {
  /** @type {Formula[]} */
  const found = [];
  for (let unit = skip(TO_DOLLAR, text, 0); unit < text.length;) {
    if (text[unit] === "\\") break; // the last character, which escapes nothing
    const formula = formulaFrom(text, unit);
    if (formula) found.push(formula);
    unit = skip(TO_DOLLAR, text, formula ? formula.to : unit + 1);
  }
  return found;
});

/** @param {string} text @param {number} from where a `$` stands @returns {Formula | null} */
function formulaFrom(text, from) {
  const display = text.startsWith("$$", from);
  const [mark, body] = display ? ["$$", TO_DOUBLE_DOLLAR] : ["$", TO_DOLLAR];
  const near = text.slice(from, from + 2 * MAX_FORMULA); // a code point has two units at most
  const close = skip(body, near, mark.length);
  const tex = near.slice(mark.length, close), to = from + close + mark.length;
  if (!near.startsWith(mark, close) || length(tex) + 2 * mark.length > MAX_FORMULA) return null;
  if (!tex || IS_SPACE.test(tex) || ENDS_IN_SPACE.test(tex) || BLANK_LINE.test(tex)) return null;
  return /^\p{Nd}/u.test(text.slice(to, to + 2)) ? null : { from, to, tex, display };
}

/** Where the match of a pattern that begins at `unit` ends. @param {RegExp} pattern @param {string} text @param {number} unit */
function skip(pattern, text, unit) {
  pattern.lastIndex = unit;
  return pattern.test(text) ? pattern.lastIndex : unit;
}

/** The length, and what is longer than a code point and may not be cut: clusters and formulas, overlapping ones merged. */
const blocks = ofTheSame((/** @type {string} */ text) => {
  /** @type {Range[]} */
  const found = [...formulas(text)];
  const at = counter(text);
  for (const { 0: run, index: start } of text.matchAll(CLUSTERED)) {
    for (const { segment, index } of clusters.segment(run)) {
      if (segment.length === 1) continue;
      const from = at(start + index), end = from + length(segment);
      for (let to = from; to < end;) found.push({ from: to, to: (to = Math.min(to + MAX_CLUSTER, end)) });
    }
  }
  /** @type {Range[]} */
  const merged = [];
  for (const { from, to } of found.sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last && from < last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return { merged, end: at(text.length) };
});

/**
 * The first position behind `position` at which the text may be cut.
 * @param {string} text @param {number} position
 */
export function nextStop(text, position) {
  const { block, end } = blockAt(text, position);
  return block && block.from <= position ? block.to : Math.min(position + 1, end);
}

/**
 * The last position at or before `position` at which the text may be cut.
 * @param {string} text @param {number} position
 */
export function stopBefore(text, position) {
  const { block, end } = blockAt(text, position);
  return block && block.from < position ? block.from : Math.min(position, end);
}

/** The first block that ends behind a position. @param {string} text @param {number} position */
function blockAt(text, position) {
  const { merged, end } = blocks(text);
  let low = 0, high = merged.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (merged[middle].to > position) high = middle;
    else low = middle + 1;
  }
  return { block: /** @type {Range | undefined} */ (merged[low]), end };
}

/** What appears at once: clusters and formulas. @param {string} text @returns {Range[]} */
export function atoms(text) {
  /** @type {Range[]} */
  const found = [];
  const end = length(text);
  for (let from = 0, to = 0; from < end; from = to) {
    to = nextStop(text, from);
    found.push({ from, to });
  }
  return found;
}

/**
 * The sentences of a text, without the white space around them.
 *
 * A sentence ends with a line, and after `.`, `!`, `?` or `…` with the quotes and brackets that close there if white
 * space follows; not inside a formula, not if a small letter comes next, and not after the point of an initial, an
 * abbreviation or a number that begins a line.
 */
export const sentences = ofTheSame((/** @type {string} */ text) => {
  /** @type {Range[]} */
  const found = [];
  const held = unitFormulas(text);
  const at = counter(text);
  let begin = 0;
  const end = (/** @type {number} */ unit) => {
    while (begin < unit && IS_SPACE.test(text[begin])) begin += 1;
    let last = unit;
    while (last > begin && IS_SPACE.test(text[last - 1])) last -= 1;
    if (last > begin) found.push({ from: at(begin), to: at(last) });
    begin = unit;
  };
  for (const match of text.matchAll(SENTENCE_END)) {
    const { index } = match;
    if (held.some(({ from, to }) => from < index && to > index)) continue;
    const after = index + match[0].length;
    if (match[0] === "\n" || !goesOn(text, index, after)) end(after);
  }
  end(text.length);
  return found;
});

/** @param {string} text @param {number} mark where a mark stands that may end a sentence @param {number} after */
function goesOn(text, mark, after) {
  if (GOES_ON.test(text.slice(after))) return true;
  if (text[mark] !== "." || after - mark > 1) return false;
  const line = text.slice(text.lastIndexOf("\n", mark) + 1, mark);
  const word = WORD.exec(line.slice(-LONGEST_WORD))?.[0] ?? "";
  return INITIALS.test(word) || ABBREVIATIONS.has(word.toLowerCase()) || LIST_NUMBER.test(line);
}

/**
 * The sentence of which the character at `position` is part; the one before it for the space between two.
 * @param {string} text @param {number} position @returns {Range}
 */
export function sentenceAt(text, position) {
  const all = sentences(text);
  return all.findLast(({ from }) => from <= position) ?? all[0] ?? { from: 0, to: 0 };
}

/**
 * Remembers what came out for the last few texts: each frame asks for the same again.
 * @template T @param {(text: string) => T} work @returns {(text: string) => T}
 */
function ofTheSame(work) {
  /** @type {Map<string, T>} */
  const known = new Map();
  return (text) => {
    let result = known.get(text);
    if (result === undefined) {
      result = work(text);
      known.set(text, result);
      if (known.size > 8) known.delete(/** @type {string} */ (known.keys().next().value));
    }
    return result;
  };
}
