/**
 * The board as data: a pure fold over canvas commands, so that seeking, resuming and playing show the same.
 *
 * @typedef {Readonly<Record<string, unknown>>} Command
 * @typedef {{title: string, things: Map<string, Command>, camera: Command | null}} Page
 * @typedef {{pages: Page[], focus: Command | null, count: number}} Scene  `count`: commands folded so far
 */

import { strings, words } from "./values.js";

/** @type {Scene} */
const BLANK = { pages: [], focus: null, count: 0 };

/**
 * Returns the scene after `commands`, going on from `scene`, which stays as it is.
 *
 * @param {Iterable<Command>} commands
 * @param {Scene} [scene]
 * @returns {Scene}
 */
export function fold(commands, scene = BLANK) {
  const pages = [...scene.pages];
  const last = pages.pop();
  if (last) pages.push({ ...last, things: new Map(last.things) });
  const next = { ...scene, pages };
  for (const command of commands) take(next, command);
  return next;
}

/** @param {Scene} scene @param {Command} command */
function take(scene, command) {
  scene.count += 1;
  switch (command?.op) {
    case undefined:
      break;
    case "page":
      if (!scene.pages.at(-1)?.things.size) scene.pages.pop();
      begin(scene, words(command.title));
      break;
    case "erase":
      for (const id of strings(command.ids)) scene.pages.at(-1)?.things.delete(id);
      break;
    case "camera":
      current(scene).camera = command;
      break;
    case "focus":
      scene.focus = command;
      break;
    default:
      scene.focus = null;
      // A known id keeps its place among the others.
      current(scene).things.set(words(command.id) || `#${scene.count}`, command);
  }
}

/** @param {Scene} scene @returns {Page} */
function current(scene) {
  return scene.pages.at(-1) ?? begin(scene, "");
}

/** @param {Scene} scene @param {string} title @returns {Page} */
function begin(scene, title) {
  /** @type {Page} */
  const page = { title, things: new Map(), camera: null };
  scene.focus = null;
  scene.pages.push(page);
  return page;
}
