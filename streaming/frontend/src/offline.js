// What is kept for when the network is away, and for whom: all that the service worker decides, apart from its events.

export const STATIC = "tutor-static";
export const PAGES = "tutor-pages";
export const DOCUMENTS = "tutor-documents";
const STUDENT = "tutor-student"; // one entry: whose pages and documents these are

/** @type {Record<string, number>} how many are kept of each; the oldest go first */
const MOST = { [STATIC]: 120, [PAGES]: 20, [DOCUMENTS]: 60 };
const NAMED_BY_CONTENT = /[.-](?:[0-9a-f]{12}|[0-9A-Z]{8})\.\w+$/; // Django's names and the bundler's
const DOCUMENT = /^\/api\/explanations\/([0-9a-f-]{36})\/$/;
const LIST = "/api/explanations/";
const PAGE = /^\/(?:(?:explanations|answers)\/[0-9a-f-]{36}\/)?$/;
const ANY = { ignoreVary: true }; // an address has one answer, whatever headers asked for it
const DOOR = /\/log(?:in|out)\/$/; // the administration's too: it is the same session

/** @typedef {{ store: string, first: "cache" | "network" } | "forget" | "drop" | null} Decision null: not ours */

/**
 * What to do with a request. Tokens and whatever else is asked of the server pass by.
 * @param {{ method: string, url: string, mode?: string }} request @param {string} origin
 * @returns {Decision}
 */
export function decide({ method, url, mode }, origin) {
  const { origin: host, pathname } = new URL(url);
  if (host !== origin) return null;
  if (method === "POST") return DOOR.test(pathname) ? "forget" : null;
  if (method === "DELETE") return DOCUMENT.test(pathname) ? "drop" : null;
  if (method !== "GET") return null;
  if (pathname.startsWith("/static/")) return { store: STATIC, first: NAMED_BY_CONTENT.test(pathname) ? "cache" : "network" };
  if (pathname === LIST || DOCUMENT.test(pathname)) return { store: DOCUMENTS, first: "network" };
  return mode === "navigate" && PAGE.test(pathname) ? { store: PAGES, first: "network" } : null;
}

/** Whether a response may be kept. @param {Pick<Response, "status" | "type" | "redirected" | "headers">} response */
export function keepable({ status, type, redirected, headers }) {
  return status === 200 && type === "basic" && !redirected && !/no-store/i.test(headers.get("Cache-Control") ?? "");
}

/** The session that a document is of, null for another address. @param {string} url */
export const sessionOf = (url) => DOCUMENT.exec(new URL(url).pathname)?.[1] ?? null;

/** @param {{ caches: CacheStorage, fetch: (request: Request | string) => Promise<Response>, origin: string }} world */
export function createKeeper({ caches, fetch, origin }) {
  let student = 0; // counts changes: what was asked for by one is not kept for the next

  async function forget() {
    student += 1;
    await Promise.all([PAGES, DOCUMENTS, STUDENT].map((name) => caches.delete(name)));
  }

  /** @param {string} store @param {Request | string} request @param {Response} response @param {number} asker */
  async function keep(store, request, response, asker) {
    const cache = await caches.open(store);
    await cache.put(request, response);
    if (asker !== student) await cache.delete(request, ANY);
    const keys = await cache.keys();
    await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST[store])).map((key) => cache.delete(key, ANY)));
  }

  /** @param {string} store @param {Request | string} request */
  async function kept(store, request) {
    return (await caches.open(store)).match(request, ANY);
  }

  /** @param {string} store @param {Request | string} request @param {(work: Promise<void>) => void} later */
  async function fromNetwork(store, request, later) {
    const asker = student;
    const response = await fetch(request);
    if (store === DOCUMENTS && response.status === 401) later(forget()); // signed out elsewhere
    else if (keepable(response)) later(keep(store, request, response.clone(), asker));
    return response;
  }

  return {
    forget,

    /**
     * Answers a request; what goes on after the answer is handed to `later`.
     * @param {Request} request @param {{ store: string, first: "cache" | "network" }} decision
     * @param {(work: Promise<void>) => void} later
     */
    async answer(request, { store, first }, later) {
      const known = first === "cache" ? await kept(store, request) : undefined;
      if (known) return known;
      try {
        return await fromNetwork(store, request, later);
      } catch (error) {
        const found = (await kept(store, request)) ?? (store === PAGES ? await kept(PAGES, `${origin}/`) : undefined);
        if (found) return found;
        throw error;
      }
    },

    /** Takes a document away with its explanation, and the lists that name it. @param {Request} request */
    async drop(request) {
      const response = await fetch(request);
      if (response.ok) {
        const cache = await caches.open(DOCUMENTS);
        const gone = (await cache.keys()).filter(({ url }) => url === request.url || new URL(url).pathname === LIST);
        await Promise.all(gone.map((key) => cache.delete(key, ANY)));
      }
      return response;
    },

    /**
     * The page says for whom it is and what it has loaded, perhaps before there was a worker to see it.
     * @param {{ student: string, resources: string[] }} page
     */
    async greet({ student: name, resources }) {
      const known = await kept(STUDENT, `${origin}/`);
      if ((await known?.text()) !== name) {
        await forget();
        await (await caches.open(STUDENT)).put(`${origin}/`, new Response(name));
      }
      /** @type {Promise<void>[]} */
      const works = [];
      await Promise.all([`${origin}/`, ...resources].map(async (url) => {
        const decision = decide({ method: "GET", url, mode: url === `${origin}/` ? "navigate" : "no-cors" }, origin);
        if (decision === null || typeof decision === "string" || decision.store === DOCUMENTS) return;
        if (!(await kept(decision.store, url))) await fromNetwork(decision.store, url, (work) => works.push(work));
      }));
      await Promise.all(works);
    },
  };
}
