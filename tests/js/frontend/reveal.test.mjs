import assert from "node:assert/strict";
import { test } from "node:test";
import { texts, visible } from "./dom.mjs";
import { atoms } from "../../../streaming/frontend/src/text.js";

const { createTypesetter } = await import("../../../streaming/frontend/src/typeset.js");
const { createReveal } = await import("../../../streaming/frontend/src/reveal.js");

const typesetter = createTypesetter();

function set(content, complete = true) {
  const container = document.body.appendChild(document.createElement("div"));
  typesetter.update(container, content, complete);
  return { container, reveal: createReveal(container) };
}

const bare = (text) => text.replace(/[\s*_`#>|\\-]/g, "");
const unmarked = (text) => bare(text.replace(/^ *(?:\d+\.?|-)(?: |$)|^[\s|:-]+$/gm, ""));

test("at every place of every sample exactly what stands before it is in the document", () => {
  for (const content of texts) {
    const { container, reveal } = set(content);
    const characters = [...content];
    let before = "";
    for (const { from } of [...atoms(content), { from: characters.length }]) {
      reveal.show(from);
      const shown = visible(container);
      assert.equal(bare(shown), unmarked(characters.slice(0, from).join("")), `${from} of ${content}`);
      assert.ok(shown.startsWith(before), "what was shown stays");
      before = shown;
    }
    assert.equal(container.querySelector(":empty:not(hr, br, .katex *)"), null, "nothing waits invisibly");
  }
});

test("going back and forth shows the same as going there at once", () => {
  for (const content of texts.slice(0, 4)) {
    const { container, reveal } = set(content);
    const stops = atoms(content).map(({ from }) => from);
    const seen = new Map(stops.map((stop) => [stop, (reveal.show(stop), container.innerHTML)]));
    for (let n = 0; n < 100; n += 1) {
      const stop = stops[(n * 7919) % stops.length];
      reveal.show(stop);
      assert.equal(container.innerHTML, seen.get(stop));
    }
  }
});

test("clusters, formulas, list numbers and what looks like a mark are counted right", () => {
  const cases = [
    ["👩‍🏫 **é** x", 4, "👩‍🏫 "],
    ["👩‍🏫 **é** x", 8, "👩‍🏫 é"],
    ["1. 1 apple", 3, ""],
    ["1. 1 apple", 4, "1"],
    ["a **\\*b** c", 5, "a "],
    ["a **\\*b** c", 6, "a *"],
    ["| n | m |\n|---|---|\n| n | m |", 3, "n"],
    ["| n | m |\n|---|---|\n| n | m |", 21, "nm"],
    ["| n | m |\n|---|---|\n| n | m |", 23, "nmn"],
    ["## C# is #1 ##", 5, "C#"],
    ["> a\n> > b", 4, "a"],
    ["`` ` `` x", 4, "`"],
    ["```py\np = 1\n```\nend", 7, "p"],
    ["x $a*b$ y *c*", 7, "x $a*b$"],
    ["so  \nthat", 6, "sot"],
    ["`$x$` is code", 4, "$x$"],
  ];
  for (const [content, position, expected] of cases) {
    const { container, reveal } = set(content);
    reveal.show(position);
    assert.equal(visible(container).trimEnd(), expected.trimEnd(), `${position} of ${content}`);
  }
});

test("a click's place is the place of the character there", () => {
  const content = "Uno **dos** tres $x^2$ cuatro.\n\n- 😀 cinco\n- seis";
  const { container, reveal } = set(content);
  const walker = document.createTreeWalker(container, 4);
  for (let node; (node = walker.nextNode()); ) {
    if (node.parentNode.closest(".formula")) continue;
    for (let unit = 0; unit < node.length; unit += node.data.codePointAt(unit) > 0xffff ? 2 : 1) {
      const place = reveal.place(node, unit);
      assert.equal([...content][place], String.fromCodePoint(node.data.codePointAt(unit)));
    }
  }
  const formula = container.querySelector(".formula");
  assert.equal(reveal.place(formula.firstChild, 0), content.indexOf("$"));
  assert.equal(reveal.place(container, 1), content.length - [..."😀 cinco\n- seis"].length - 1);
  assert.equal(reveal.place(container, 2), [...content].length);
  assert.equal(reveal.place(document.body, 0), null);
  reveal.show(2);
  assert.equal(reveal.place(container, 1), 2, "never behind what is shown");
});

test("a stretch of the text has its range in the document, as far as it is shown", () => {
  const content = "Uno **dos** tres $x^2$ cuatro.";
  const { reveal } = set(content);
  const text = (from, to) => {
    const range = reveal.rangeOf(from, to);
    if (!range) return null;
    const holder = document.createElement("div");
    holder.append(range.cloneContents());
    return visible(holder);
  };
  assert.equal(text(0, 3), "Uno");
  assert.equal(text(2, 8), "o do");
  assert.equal(text(12, 25), "tres $x^2$ cu");
  assert.equal(text(18, 20), "$x^2$");
  assert.equal(text(9, 11), null, "marks are not shown");
  reveal.show(14);
  assert.equal(text(12, 25), "tr");
  assert.equal(text(20, 25), null);
});

test("a selection survives while its text goes on", () => {
  const { container, reveal } = set("one two three");
  reveal.show(5);
  const text = container.querySelector("p").firstChild;
  const selected = new Range();
  selected.setStart(text, 1);
  selected.setEnd(text, 3);
  for (let position = 5; position <= 13; position += 1) reveal.show(position);
  assert.equal(selected.toString(), "ne");
});

test("to show the next character touches a node or two, however long the step is", () => {
  const content = Array.from({ length: 200 }, (_, n) => `Paragraph **${n}** of a $x_{${n}}$ long step.`).join("\n\n");
  const { container, reveal } = set(content);
  reveal.show(4000);
  const observer = new window.MutationObserver(() => {});
  observer.observe(container, { childList: true, characterData: true, subtree: true });
  let most = 0, all = 0;
  for (let position = 4001; position <= 5000; position += 1) {
    reveal.show(position);
    const changes = observer.takeRecords().length;
    [most, all] = [Math.max(most, changes), all + changes];
  }
  assert.ok(most <= 6 && all <= 1200, `${most} at most, ${all} in all`);
});
