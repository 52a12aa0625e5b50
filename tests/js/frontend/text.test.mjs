import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as text from "../../../streaming/frontend/src/text.js";

const vectors = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), "utf8"));
const ASTRAL = "𝑥 y 👩‍👩‍👧!";

test("positions are code points", () => {
  assert.equal(text.length(ASTRAL), 10);
  assert.deepEqual(text.codePoints("a𝑥"), ["a", "𝑥"]);
  assert.equal(text.slice(ASTRAL, 0, 1), "𝑥");
  assert.equal(text.slice(ASTRAL, 2), "y 👩‍👩‍👧!");
  assert.equal(text.slice("plain", 1, 99), "lain");
  for (let position = 0; position <= 10; position += 1) {
    assert.equal(text.positionAt(ASTRAL, text.unitAt(ASTRAL, position)), position);
  }
  assert.equal(text.unitAt(ASTRAL, 99), ASTRAL.length);
});

test("text is cut where the server cuts it: the vectors are what its `Cuts` says of closed steps", () => {
  for (const { text: content, cuts } of vectors("cuts")) {
    assert.deepEqual([0, ...text.atoms(content).map(({ to }) => to)], cuts, JSON.stringify(content));
    for (let position = 0; position <= cuts.at(-1) + 2; position += 1) {
      assert.equal(text.stopBefore(content, position), cuts.findLast((cut) => cut <= position), content);
      assert.equal(text.nextStop(content, position), cuts.find((cut) => cut > position) ?? cuts.at(-1), content);
    }
  }
});

test("formulas are found by the contract's rule, with what stands between their marks", () => {
  assert.deepEqual(text.formulas("𝑥: $a_1$, $$b$$ y $5"), [
    { from: 3, to: 8, tex: "a_1", display: false },
    { from: 10, to: 15, tex: "b", display: true },
  ]);
});

test("sentences are those of the server", () => {
  for (const { text: content, sentences, at = [] } of vectors("sentences")) {
    assert.deepEqual(text.sentences(content).map(({ from, to }) => [from, to]), sentences, content);
    for (const [position, from, to] of at) assert.deepEqual(text.sentenceAt(content, position), { from, to }, content);
  }
});

test("hostile text is read in linear time", () => {
  for (const piece of ["$", "$a ", "$$a$ ", "\u0301", ".", ". B", "a.", "\n", "1", "👍🏽", ".)"]) {
    const content = piece.repeat(20_000 / piece.length) + "a";
    const began = performance.now();
    text.sentences(content);
    text.stopBefore(content, 15_000);
    assert(performance.now() - began < 1500, JSON.stringify(piece));
  }
});
