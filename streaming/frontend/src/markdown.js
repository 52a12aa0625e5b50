// A step's Markdown as pieces: what stands on the page, inside what, and from which positions of the text it comes.
// Without DOM, and nothing is ever a string of HTML.

import MarkdownIt from "markdown-it";
import { formulas } from "./text.js";

/** @typedef {import("markdown-it").Token} Token */
/** @typedef {import("./text.js").Formula} Formula */

/**
 * One node to be: an element by its tag, "#text" or "formula". Positions are code points; `at` has the position of each
 * of JavaScript's units of `text`. An element begins with the first thing in it; `parent` is the index of another.
 * @typedef {{ tag: string, parent: number, from: number, to: number, className?: string, start?: number, text: string,
 *   at: number[], tex?: string, display?: boolean }} Piece
 */

/** @typedef {{ key: string, pieces: Piece[] }} Block held by its first piece; the same key, the same pieces */

/**
 * A text to be read: in `masked`, as long as it, formulas are hidden from Markdown behind a letter that it does not
 * have. `positions` gives each unit its code point; `formulas` are found by the unit where they begin.
 * @typedef {{ content: string, masked: string, mask: string, positions: Uint32Array,
 *   formulas: Map<number, Formula & { end: number }> }} Source
 */

const HEADING = "h4"; // whatever its size: the step's title is the one above
const PRIVATE_USE = 0xe000;
const HELD = " \t\n*_`\\"; // may turn out to open, close or escape something
const MARKS_ALONE = /^[ \t>+#|\d.)-]+$/; // may turn out to begin a list, a heading, a quotation, a rule
const NESTING = /^[ \t]*(?:[-+*>]|\d{1,9}[.)])/gm;
const TABLE_RULE = /^[\s|:-]+$/;
const OPENING = "([{¿¡«“‘\"'"; // as what closes, it stays on the line of the formula that it touches
const CLOSING = ")]}»”’\"',.;:!?…%°";

// A closed set: what links, embeds or is HTML stays text. So do a line under a line, which would make a heading of a
// paragraph already read, and indented code, because authors indent formulas.
const DEEPEST = 20; // what is nested deeper, markdown-it drops
const markdown = new MarkdownIt("zero", { maxNesting: DEEPEST }).enable([
  "blockquote", "fence", "heading", "hr", "list", "table", "backticks", "emphasis", "escape", "newline",
]);
markdown.core.ruler.enableOnly(["block"]);
markdown.inline.ruler2.after("balance_pairs", "unclosed", ({ delimiters, tokens, env }) => {
  env.unclosed = delimiters
    .filter(({ open, end, token }) => open && end < 0 && !/[\p{L}\p{N}]$/u.test(tokens[token - 1]?.content ?? ""))
    .map(({ marker }) => String.fromCharCode(marker));
});

/**
 * The blocks of a step's text, in order; those of `known` whose text is still the same are given back as they are.
 *
 * Of a text that still grows, what only more of it can explain is left out, a lone mark at its end or the head of a
 * table, and emphasis or code that has not been closed is taken for closed there.
 * @param {string} content @param {boolean} complete @param {Block[]} [known] @returns {Block[]}
 */
export function blocks(content, complete, known = []) {
  const source = read(content);
  if (!complete) source.masked = settled(source.masked);
  const lines = lineStarts(source.masked);
  let tokens = markdown.parse(source.masked, {});
  if (tokens.some(({ level }) => level >= DEEPEST - 2)) { // nobody means that: shown as it was written
    source.masked = source.masked.replace(NESTING, (mark) => source.mask.repeat(mark.length));
    tokens = markdown.parse(source.masked, {});
  }
  const groups = topLevel(tokens);
  return groups.map((group, index) => {
    const from = lines[line(group)], next = groups[index + 1];
    const to = next ? lines[line(next)] : source.masked.length;
    const growing = !complete && !next;
    const texts = [source.masked, content].map((text) => text.slice(from, to));
    const key = [growing, source.positions[from], ...texts].join("\0");
    return known[index]?.key === key ? known[index] : { key, pieces: pieces(group, source, lines, growing) };
  });
}

/** The pieces of a line without blocks: a title, a label on the board. @param {string} content @returns {Piece[]} */
export function inline(content) {
  const source = read(content);
  const token = /** @type {Token} */ ({ type: "inline", content: source.masked });
  return pieces([token], source, [0], false);
}

/** @param {string} content @returns {Source} */
function read(content) {
  const positions = new Uint32Array(content.length + 1), units = [0];
  for (const character of content) {
    const unit = units[units.length - 1];
    positions.fill(units.length - 1, unit, unit + character.length);
    units.push(unit + character.length);
  }
  positions[content.length] = units.length - 1;

  let code = PRIVATE_USE;
  while (content.includes(String.fromCharCode(code))) code += 1;
  const mask = String.fromCharCode(code);
  const found = new Map();
  let masked = "";
  for (const formula of formulas(content)) {
    const start = units[formula.from], end = units[formula.to];
    masked += content.slice(masked.length, start) + mask.repeat(end - start);
    found.set(start, { ...formula, end });
  }
  masked = (masked + content.slice(masked.length)).replaceAll("\r", " ").replaceAll("\0", "\ufffd");
  return { content, masked, mask, positions, formulas: found };
}

/** The part of a growing text that more of it will not turn into something else. @param {string} text */
function settled(text) {
  let end = text.length;
  while (end > 0 && HELD.includes(text[end - 1])) end -= 1;
  const lines = text.slice(0, end).split("\n");
  if (MARKS_ALONE.test(/** @type {string} */ (lines.at(-1)))) lines.pop();
  const rows = lines.length - 1 - lines.findLastIndex((row) => !row.trimStart().startsWith("|"));
  if (rows === 1 || (rows === 2 && TABLE_RULE.test(/** @type {string} */ (lines.at(-1))))) lines.splice(-rows);
  return lines.join("\n");
}

/** @param {string} text */
function lineStarts(text) {
  const starts = [0];
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return starts;
}

/** @param {Token[]} tokens */
function topLevel(tokens) {
  /** @type {Token[][]} */
  const groups = [];
  for (const token of tokens) {
    if (token.level === 0 && token.nesting >= 0) groups.push([]);
    groups[groups.length - 1].push(token);
  }
  return groups;
}

/** The line where they begin. @param {Token[]} tokens */
function line([first]) {
  return first.map?.[0] ?? 0;
}

/** What would close the emphasis and the code that a text leaves open. @param {string} text */
function closers(text) {
  const mark = /\\[^]|`+/g;
  let code = "";
  for (let found; !code && (found = mark.exec(text)); ) {
    const [run] = found;
    if (run[0] === "\\") continue;
    const close = new RegExp(`(?<!\`)${run}(?!\`)`, "g");
    close.lastIndex = mark.lastIndex;
    if (close.test(text)) mark.lastIndex = close.lastIndex;
    else code = run;
  }
  const env = { unclosed: [""] };
  markdown.inline.parse(text + code, markdown, env, []);
  return code + env.unclosed.reverse().join("");
}

/**
 * @param {Token[]} tokens of blocks @param {Source} source @param {number[]} lines where they begin
 * @param {boolean} growing
 */
function pieces(tokens, { content, masked, mask, positions, formulas: hidden }, lines, growing) {
  /** @type {Piece[]} */
  const made = [];
  /** @type {number[]} */
  const path = []; // the open elements
  let at = 0; // the unit of the source up to which everything is placed

  /** @param {string} tag @param {number} start @param {number} end @param {Partial<Piece>} [more] */
  function leaf(tag, start, end, more) {
    const [from, to] = [positions[start], positions[end]];
    for (const index of path) if (made[index].from < 0) made[index].from = from;
    made.push({ tag, parent: path.at(-1) ?? -1, from, to, text: "", at: [], ...more });
  }

  /** @param {string} tag @param {Partial<Piece>} [more] */
  function enter(tag, more) {
    made.push({ tag, parent: path.at(-1) ?? -1, from: -1, to: -1, text: "", at: [], ...more });
    path.push(made.length - 1);
  }

  function leave() {
    for (const index of path) if (made[index].from < 0) made[index].from = positions[at]; // an empty one
    made[/** @type {number} */ (path.pop())].to = positions[at];
  }

  /** @param {string} character @param {number} unit where it stands in the source */
  function append(character, unit) {
    const last = made.at(-1);
    if (last?.tag !== "#text" || last.parent !== (path.at(-1) ?? -1)) leaf("#text", unit, unit);
    const piece = made[made.length - 1];
    piece.text += character;
    piece.at.push(positions[unit]);
    piece.to = positions[unit] + 1;
  }

  /** Finds the next place of a character: Markdown drops marks and white space, and adds but white space. */
  function find(/** @type {string} */ character) {
    let unit = at;
    if (masked[at] !== character && !/\s/.test(character)) unit = masked.indexOf(character, at);
    if (unit < 0) return Math.max(at - 1, 0);
    if (masked[unit] === character || /\s/.test(masked[unit])) at = unit + 1;
    return unit;
  }

  /** @param {string} character */
  function place(character) {
    const unit = find(character);
    append(character === mask ? content[unit] : character, unit);
  }

  /** @param {string} text @param {boolean} literal whether formulas are shown as they were written */
  function write(text, literal) {
    for (let unit = 0; unit < text.length; ) {
      const opens = OPENING.includes(text[unit]) && text[unit + 1] === mask ? 1 : 0;
      const start = !literal && text[unit + opens] === mask ? masked.indexOf(mask, at) : -1;
      const formula = hidden.get(start);
      if (!formula) {
        place(text[unit]);
        unit += 1;
        continue;
      }
      const { tex, display, end } = formula;
      if (!display) enter("span", { className: "whole" });
      if (opens) place(text[unit]);
      leaf("formula", start, end, { text: content.slice(start, end), tex, display });
      at = end;
      unit += opens + end - start;
      if (display) continue;
      for (; unit < text.length && CLOSING.includes(text[unit]); unit += 1) place(text[unit]);
      leave();
    }
  }

  /** @param {string} markup */
  function pass(markup) {
    if (masked.startsWith(markup, at)) at += markup.length;
  }

  /** The unit of the next line's end, passing it. */
  function newline() {
    const end = masked.indexOf("\n", at);
    at = end < 0 ? at : end + 1;
    return Math.max(at - 1, 0);
  }

  /** @param {Token} token */
  function writeInline({ type, tag, nesting, markup, content: text }) {
    if (type === "text") write(text, false);
    else if (type === "softbreak") append("\n", newline());
    else if (type === "hardbreak") leaf("br", newline(), at);
    else if (type === "code_inline") {
      pass(markup);
      enter("code");
      write(text, true);
      leave();
      const close = masked.indexOf(markup, at);
      if (close >= 0) at = close + markup.length;
    } else if (nesting === 0) {
      pass(markup.slice(0, markup.length - text.length)); // what was escaped
      write(text, false);
    } else {
      pass(markup);
      if (nesting > 0) enter(tag);
      else leave();
    }
  }

  /** Goes to where a block's first line begins, behind the marks of what it is in. @param {Token} token */
  function goTo({ map, content: text }) {
    if (!map) while (/[\s|]/.test(masked[at] ?? "")) at += 1; // a table's cell
    else {
      const first = text.split("\n", 1)[0].trimEnd();
      const end = masked.slice(at, lines[map[0] + 1] ?? masked.length).trimEnd().length + at;
      if (masked.endsWith(first, end)) at = Math.max(at, end - first.length);
    }
  }

  const last = growing ? tokens.findLastIndex(({ nesting }) => nesting >= 0) : -1;
  tokens.forEach((token, index) => {
    const { type, tag, nesting, map } = token;
    if (map) at = Math.max(at, lines[map[0]]);
    if (type === "inline") {
      goTo(token);
      /** @type {Token[]} */
      const children = [];
      const text = token.content + (index === last ? closers(token.content) : "");
      markdown.inline.parse(text, markdown, {}, children);
      children.forEach(writeInline);
    } else if (type === "fence") {
      at = lines[(map?.[0] ?? 0) + 1] ?? masked.length;
      enter("pre");
      enter("code");
      write(token.content.replace(/\n$/, ""), true);
      leave();
      leave();
    } else if (nesting === 0) leaf(tag, at, at);
    else if (!token.hidden) {
      if (tag === "table" && nesting > 0) enter("div", { className: "wide" });
      if (nesting < 0) leave();
      else enter(type === "heading_open" ? HEADING : tag, attributes(token));
      if (tag === "table" && nesting < 0) leave();
    }
  });
  return made;
}

/** What a list's or a table's element says of itself. @param {Token} token @returns {Partial<Piece>} */
function attributes(token) {
  const start = token.attrGet("start"), style = token.attrGet("style");
  return {
    ...(start && { start: Number(start) }),
    ...(style && { className: String(style).replace("text-align:", "align-") }),
  };
}
