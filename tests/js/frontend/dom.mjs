// A document for modules that need one, and the sample answers' texts.

import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html><html><body></body></html>");
for (const name of ["document", "Element", "HTMLElement", "Node", "Range", "SVGElement", "Text"]) globalThis[name] = window[name];
globalThis.window = window;

const samples = readFileSync(new URL("../../../answers/samples/answers.jsonl", import.meta.url), "utf8");

/** The text of each step of each sample answer. */
export const texts = samples.trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ answer_steps: steps }) =>
  steps.map(({ content, parts }) => content ?? parts.filter((part) => typeof part === "string").join("")));

/** What a node shows, formulas as they were written. @param {Node} node */
export function visible(node) {
  if (node instanceof Text) return node.data;
  if (node.dataset.source !== undefined) return node.dataset.source;
  return [...node.childNodes].map(visible).join("");
}
