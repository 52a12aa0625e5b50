// The service worker: the page, its scripts and what was heard to the end are there without a connection too.

import { createKeeper, decide } from "./offline.js";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const { origin } = worker.location;
const keeper = createKeeper({ caches: worker.caches, fetch: (request) => worker.fetch(request), origin });

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (event) => event.waitUntil(keeper.greet(event.data)));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const decision = decide(request, origin);
  if (decision === "forget") event.waitUntil(keeper.forget());
  else if (decision === "drop") event.respondWith(keeper.drop(request));
  else if (decision) event.respondWith(keeper.answer(request, decision, (work) => event.waitUntil(work)));
});
