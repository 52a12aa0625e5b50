// Sets a step's text: Markdown as elements, formulas by KaTeX. What needs these libraries is loaded when it is needed:
// this module by the page, KaTeX by the first formula.

import DOMPurify from "dompurify";
import { blocks, inline } from "./markdown.js";
import { Sheet } from "./reveal.js";

/** @typedef {import("./markdown.js").Piece} Piece */
/** @typedef {ReturnType<typeof createTypesetter>} Typesetter */
/** @typedef {{ attributes?: Record<string, string>, children?: Drawn[], type?: string }} Drawn KaTeX's nodes */
/** @typedef {{ __renderToDomTree: (tex: string, options: object) => Drawn & { toNode(): Element } }} Katex */

const DEEPEST = 150; // elements within one another; a browser's layout dies of thousands
const FORMULA = {
  trust: false, strict: "ignore", throwOnError: true, errorColor: "var(--bad)",
  maxExpand: 200, maxSize: 20, // em
};
const CLEAN = {
  IN_PLACE: true, USE_PROFILES: { mathMl: true, svg: true }, ADD_TAGS: ["span"],
  FORBID_TAGS: ["a", "image", "style", "use"], FORBID_ATTR: ["href", "id"],
};
const AT_ONCE = 50; // milliseconds of setting formulas before the page has its turn again

/** @param {{ spoken?: (tex: string) => string }} [options] `spoken`: a formula in words, for those who hear it */
export function createTypesetter({ spoken = () => "" } = {}) {
  /** @type {Katex | undefined} */
  let katex;
  /** @type {Map<Element, Piece>} */
  const waiting = new Map(); // formulas that are still as they were written
  /** @type {Promise<void> | undefined} */
  let working;
  let deadline = 0;

  const scrollers = globalThis.ResizeObserver && new ResizeObserver((entries) => {
    for (const { target } of entries) { // so that a keyboard can scroll it
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });

  async function work() {
    try {
      katex ??= /** @type {Katex} */ (/** @type {unknown} */ ((await import("katex")).default));
      while (waiting.size > 0) {
        deadline = performance.now() + AT_ONCE;
        for (const [element, piece] of waiting) {
          waiting.delete(element);
          setFormula(element, piece);
          if (performance.now() > deadline) break;
        }
        await new Promise((resolve) => setTimeout(resolve));
      }
    } catch (error) { // no network: formulas stay as they were written, and the next one tries again
      if (katex) throw error;
    } finally {
      working = undefined;
    }
  }

  /** @param {Element} element @param {Piece} piece */
  function setFormula(element, piece) {
    if (!katex || performance.now() > deadline) {
      writeSource(element, piece, "span");
      waiting.set(element, piece);
      working ??= work();
      return;
    }
    try {
      const output = element.hasAttribute("aria-label") ? "html" : "htmlAndMathml"; // is read once, not twice
      const tree = katex.__renderToDomTree(piece.tex ?? "", { ...FORMULA, output, displayMode: piece.display });
      setAside(tree);
      const node = tree.toNode();
      for (const styled of node.querySelectorAll("[data-style]")) {
        if (styled instanceof SVGElement) styled.style.cssText = styled.dataset.style ?? "";
        styled.removeAttribute("data-style");
      }
      DOMPurify.sanitize(node, CLEAN); // a second lock: KaTeX trusts no command that could link, load or style
      // A line may end behind a relation or an operation, but not between the formula and the comma after it.
      for (const part of node.querySelectorAll(".katex-html > :not(:last-child)")) {
        part.after(document.createElement("wbr"));
      }
      element.replaceChildren(node);
    } catch { // whatever it is that KaTeX cannot read, or a nesting deeper than the stack
      writeSource(element, piece, "code").className = "formula-failed";
    }
  }

  /** @param {Piece} piece @returns {Node} */
  function create(piece) {
    const { tag, text, className, start, display } = piece;
    if (tag === "#text") return document.createTextNode(text);
    const element = document.createElement(tag === "formula" ? "span" : tag);
    if (className) element.className = className;
    if (start !== undefined) element.setAttribute("start", String(start));
    if (tag === "formula") describe(element, piece);
    if (display || tag === "pre" || className === "wide") scrollers?.observe(element);
    return element;
  }

  /** @param {HTMLElement} element @param {Piece} piece */
  function describe(element, piece) {
    const words = spoken(piece.tex ?? "");
    element.className = piece.display ? "formula display" : "formula";
    element.dataset.source = piece.text;
    if (words) {
      element.setAttribute("role", "math");
      element.setAttribute("aria-label", words);
    }
    setFormula(element, piece);
  }

  return {
    /**
     * Sets what is known of a step's text. What is set already stays as it is; how far it is shown, too.
     * @param {Element} container @param {string} content @param {boolean} complete whether no more will come
     */
    update(container, content, complete) {
      deadline = performance.now() + AT_ONCE;
      const sheet = Sheet.of(container);
      sheet.set(blocks(content, complete, sheet.blocks), create);
    },

    /** Sets a line: a title, a label on the board. @param {Element} element @param {string} text */
    line(element, text) {
      deadline = performance.now() + AT_ONCE;
      const pieces = inline(text), nodes = pieces.map(create);
      element.replaceChildren(...nodes.filter((_, index) => pieces[index].parent < 0));
      nodes.forEach((node, index) => nodes[pieces[index].parent]?.appendChild(node));
    },

    /** Sets a formula that stands alone. @param {Element} element @param {string} tex @param {boolean} [display] */
    formula(element, tex, display = true) {
      deadline = performance.now() + AT_ONCE;
      setFormula(element, { tag: "formula", parent: -1, from: 0, to: 0, text: tex, at: [], tex, display });
    },

    /** Resolves when no formula waits for KaTeX any more. */
    async ready() {
      await working;
    },
  };
}

/**
 * Shows a formula as it was written, to those who see it.
 * @param {Element} element @param {Piece} piece @param {string} tag
 */
function writeSource(element, { text }, tag) {
  const source = document.createElement(tag);
  source.textContent = text;
  if (element.hasAttribute("aria-label")) source.setAttribute("aria-hidden", "true");
  element.replaceChildren(source);
  return source;
}

/**
 * Takes from KaTeX's tree the style attributes, which a strict Content-Security-Policy refuses, to be set by script;
 * they are why this isn't `katex.render`. And the LaTeX beside the MathML, which no screen reader should read out.
 * @param {Drawn} node @param {number} [depth]
 */
function setAside(node, depth = 0) {
  if (depth > DEEPEST) throw new RangeError("nested too deeply");
  const { style, ...others } = node.attributes ?? {};
  if (style) node.attributes = { ...others, "data-style": style };
  node.children = node.children?.filter(({ type }) => type !== "annotation");
  node.children?.forEach((child) => setAside(child, depth + 1));
}
