// What the page's parts reckon out without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<div id=live></div>");
Object.assign(globalThis, { window, document: window.document, HTMLElement: window.HTMLElement, matchMedia: () => ({ matches: false }) });

const src = "../../../streaming/frontend/src/";
const { Recording } = await import(`${src}recording.js`);
const { besideSentence, lastSentence, sentenceOf } = await import(`${src}page/sentences.js`);
const { languageOf } = await import(`${src}page/language.js`);
const { onlyOf } = await import(`${src}page/kept.js`);
const { clock, fill } = await import(`${src}page/dom.js`);

const FIRST = "El cielo es azul. Es por el aire, que dispersa la luz. ¿Y de noche? No.";
const SECOND = "La luz roja sigue recto.";
const steps = [FIRST, SECOND].map((content, n) => ({ title: `Paso ${n + 1}`, type: "text", content, canvas_commands: [] }));
const whole = () => Recording.fromDocument({ session_id: "s", question: "?", total_steps: 2, steps });

test("a place belongs to one sentence", () => {
  assert.equal(sentenceOf(whole(), { step: 1, position: 20 }).text, "Es por el aire, que dispersa la luz.");
  assert.equal(sentenceOf(whole(), { step: 3, position: 0 }), null);
});

for (const [step, position, text] of [
  [1, 30, "Es por el aire, que dispersa la luz."],
  [1, 21, "El cielo es azul."], // three letters of the next one are read by nobody
  [1, 18, "El cielo es azul."],
  [1, FIRST.length, "No."],
  [2, 0, "No."],
  [2, 5, "No."],
  [1, 0, "El cielo es azul."],
]) {
  test(`who is lost at ${step}, ${position} means "${text}"`, () => {
    assert.equal(lastSentence(whole(), { step, position }).text, text);
  });
}

for (const [from, direction, to] of [
  [[1, 0], 1, [1, 18]],
  [[1, 20], 1, [1, 55]],
  [[1, FIRST.length], 1, [2, 0]],
  [[2, 3], 1, [2, SECOND.length]],
  [[1, 50], -1, [1, 18]],
  [[1, 20], -1, [1, 0]], // just begun: the one before
  [[2, 0], -1, [1, FIRST.indexOf("No.")]],
  [[1, 0], -1, [1, 0]],
]) {
  test(`${direction > 0 ? "on" : "back"} by a sentence from ${from} is ${to}`, () => {
    const [step, position] = from;
    assert.deepEqual(Object.values(besideSentence(whole(), { step, position }, direction)), to);
  });
}

for (const [text, language] of [
  ["The sky is blue because of the air.", "en"],
  ["El cielo es azul por la dispersión de la luz.", "es"],
  ["O céu não é uma cor, e a luz do sol é branca.", "pt"],
  ["$x^2$", "es"],
]) {
  test(`${text} is read in ${language}`, () => assert.equal(languageOf(text, "es"), language));
}

test("seconds are said as minutes, and a missing name stands as it is", () => {
  assert.deepEqual([0, 9.2, 80, 3600].map(clock), ["0:00", "0:10", "1:20", "60:00"]);
  assert.equal(fill("Step {step} of {total}", { step: 2 }), "Step 2 of {total}");
});

test("what a tab remembers of one student is not for the next", () => {
  const storage = new JSDOM("", { url: "https://school.example/" }).window.sessionStorage;
  onlyOf("ana@school.example", storage).setItem("player", "Ana's");
  assert.equal(onlyOf("ana@school.example", storage).getItem("player"), "Ana's");
  assert.equal(onlyOf("bob@school.example", storage).getItem("player"), null);
});
