// Small things that every part of the page needs.

/**
 * The element of that id; a page without it is a mistake, and said to be one.
 * @template {Element} T
 * @param {string} id @param {new () => T} kind
 * @returns {T}
 */
export function get(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page lacks #${id}.`);
  return found;
}

/**
 * The element that a selector finds in another.
 * @template {Element} T
 * @param {Element} within @param {string} selector @param {new () => T} kind
 * @returns {T}
 */
export function part(within, selector, kind) {
  const found = within.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`#${within.id} lacks ${selector}.`);
  return found;
}

/** @param {string} id */
export const button = (id) => get(id, HTMLButtonElement);

/**
 * A text with its `{names}` filled in.
 * @param {string} text @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Seconds as minutes and seconds: 80 is "1:20". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Sets a text only where it changes: live regions announce what is set, and selections end. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** What Django wants to see with each request that changes something. */
export function csrf() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/**
 * A request with a JSON body, as the signed-in student.
 * @param {string} method @param {string} address @param {object} [body]
 */
export function request(method, address, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf() };
  return fetch(address, { method, headers, body: body && JSON.stringify(body) });
}
