// The page's side of what the service worker keeps. Where browsers have none, nothing is kept.

import { DOCUMENTS, sessionOf } from "../offline.js";

const STUDENT = "student"; // the name under which a tab remembers whose it is

/**
 * What a tab remembers, if it is of this student: a tab outlives who is signed in.
 * @param {string} student @param {Storage} storage
 */
export function onlyOf(student, storage) {
  if (storage.getItem(STUDENT) !== student) storage.clear();
  storage.setItem(STUDENT, student);
  return storage;
}

/** @param {string} student whom the page is for */
export function createKept(student) {
  const workers = navigator.serviceWorker;
  const possible = Boolean(workers) && "caches" in globalThis;

  return {
    /** Tells the worker what the page has loaded so far, and for whom. */
    async greet() {
      if (!possible) return;
      const { active } = await workers.ready;
      const resources = performance.getEntriesByType("resource").map(({ name }) => name);
      active?.postMessage({ student, resources });
    },

    /** Waits until the worker sees what the page asks for. */
    async awake() {
      if (!possible) return;
      await workers.ready;
      if (!workers.controller) await new Promise((resolve) => workers.addEventListener("controllerchange", resolve, { once: true }));
    },

    /** The sessions that can be played without a connection. @returns {Promise<Set<string>>} */
    async sessions() {
      if (!possible) return new Set();
      const keys = await (await caches.open(DOCUMENTS)).keys();
      return new Set(keys.flatMap(({ url }) => sessionOf(url) ?? []));
    },
  };
}
