// The connection to the server: official client, a new token for each connection, and trying again for as long as it takes.

import { io } from "socket.io-client";
import { LOST } from "./remote.js";

/** @typedef {import("./remote.js").Ack} Ack */
/** @typedef {import("./remote.js").Answered} Answered */
/** @typedef {import("./remote.js").Connection} Connection */

const ANSWER = 12_000; // ms after which a connection without an answer is taken for dead
const STEADY = 10_000; // ms after which a connection counts as a good one
const [FIRST_PAUSE, LONGEST_PAUSE] = [500, 15_000]; // ms between tries
const NO_LONGER_VALID = ["token_expired", "unauthorized"];

/** @type {Ack} */
const NO_ANSWER = { ok: false, error: { code: LOST, message: "" } };

/**
 * @param {object} options
 * @param {string} options.tokenUrl where a signed-in student gets a token
 * @param {string} [options.url] of the server, else the page's own
 * @param {(url: string, request: RequestInit) => Promise<Response>} [options.fetch]
 * @param {() => string} [options.cookies]
 * @returns {import("./remote.js").Wire & { close: () => void }}
 */
export function createWire({ tokenUrl, url = "", fetch = (...request) => globalThis.fetch(...request), cookies = () => document.cookie }) {
  /** @type {import("./remote.js").Ears} */
  let ears;
  /** @type {Connection} */
  let state = "connecting";
  /** @type {Promise<string> | null} */
  let ahead = null; // a token on its way while the connection opens
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let [failures, since] = [0, 0];

  const socket = io(url, {
    autoConnect: false, forceNew: true,
    transports: ["websocket", "polling"], tryAllTransports: true, // what polls needs one process, or a sticky proxy
    reconnectionDelay: FIRST_PAUSE, reconnectionDelayMax: 5000,
    auth: async (give) => {
      const { engine } = socket.io;
      const token = await (ahead ?? getToken()).catch(refused);
      ahead = null;
      if (token && engine === socket.io.engine) give({ token });
    },
  });

  async function getToken() {
    const csrf = /csrftoken=([^;]+)/.exec(cookies())?.[1] ?? "";
    const response = await fetch(tokenUrl, { method: "POST", headers: { "X-CSRFToken": csrf } });
    if (!response.ok) throw new Error("no token", { cause: response.status });
    return (await response.json()).access;
  }

  /** @param {Error} error */
  function refused({ cause }) {
    if (cause !== 401 && cause !== 403) return again();
    socket.disconnect();
    become("signed-out");
  }

  /** @param {Connection} next */
  function become(next) {
    if (next === state) return;
    state = next;
    ears.changed(next);
  }

  function connect() {
    clearTimeout(timer);
    become("connecting");
    ahead = getToken();
    ahead.catch(() => {}); // said again where it is waited for
    socket.connect();
  }

  /** Connects anew after a pause that grows as long as that fails. */
  function again() {
    socket.disconnect();
    become("lost");
    failures = since && performance.now() - since > STEADY ? 1 : failures + 1;
    since = 0;
    clearTimeout(timer);
    timer = setTimeout(connect, failures === 1 ? 0 : Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE) * (0.5 + Math.random()));
  }

  socket.on("connect", () => {
    since = performance.now();
    become("online");
  });
  socket.on("disconnect", (reason) => {
    if (state === "online") become("lost");
    if (reason === "io server disconnect") again();
  });
  socket.on("connect_error", (/** @type {Error & { data?: { code: string, message: string } }} */ { data }) => {
    become("lost");
    if (!data) return; // the client tries again by itself
    if (!NO_LONGER_VALID.includes(data.code)) ears.heard("error", data);
    again();
  });
  socket.onAny((event, payload) => {
    ears.heard(event, payload);
    if (event === "error" && NO_LONGER_VALID.includes(payload.code)) again();
  });

  return {
    open(given) {
      ears = given;
      connect();
    },
    renew() {
      if (state === "connecting") return;
      failures = 0;
      socket.disconnect();
      connect();
    },
    send(event, payload, answered = () => {}) {
      if (!socket.connected) return answered(NO_ANSWER);
      socket.timeout(ANSWER).emit(event, payload, (/** @type {Error | null} */ error, /** @type {Ack} */ ack) => {
        if (error && socket.connected) again();
        answered(error ? NO_ANSWER : (ack ?? NO_ANSWER));
      });
    },
    close() {
      clearTimeout(timer);
      socket.disconnect();
    },
  };
}
