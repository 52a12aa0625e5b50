import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { spoken, spokenText } from "../../../streaming/frontend/src/spoken.js";

const LANGUAGES = ["es", "en", "pt"];

test("a text is spoken as the server speaks it", () => {
  for (const vector of JSON.parse(readFileSync(new URL("spoken.json", import.meta.url), "utf8"))) {
    for (const language of LANGUAGES) assert.equal(spokenText(vector.text, language), vector[language]);
  }
});

test("no command is ever spoken, in no sample answer and in nothing hostile", () => {
  const lines = readFileSync(new URL("../../../answers/samples/answers.jsonl", import.meta.url), "utf8").trim().split("\n");
  const samples = lines.flatMap((line) => JSON.parse(line).answer_steps.map(({ title, content, parts }) =>
    [title, content ?? parts.filter((part) => typeof part === "string").join("")].join("\n")));
  assert(samples.length > 30);
  const hostile = ["\\", "$\\$", "$x\\$", "\\\\foo", "\\**\\foo", "$\\constructor$", "$\\__proto__$", "$\\frac$", "$^$ $_{$"];
  for (const text of [...samples, ...hostile]) {
    for (const language of LANGUAGES) {
      const words = spokenText(text, language);
      assert.equal(/\\|\*\*|undefined|function/.test(words), false, `${text} → ${words}`);
    }
  }
});

test("what is nested beyond reason is read flat", () => {
  assert(spoken("\\sqrt".repeat(5000) + "x", "en").startsWith("square root of square root"));
  assert.equal(spoken("{".repeat(5000) + "x" + "}".repeat(5000), "en"), "x");
});
