/**
 * One HTTP request and its reply. Chunks are sent by XMLHttpRequest, because only it reports how much of
 * a body is sent; all other requests use fetch. Both time out when nothing moves: after a change of
 * network, a dead connection would otherwise hang for many minutes.
 */

import { Setback } from "./errors.js";

/**
 * @typedef {object} Reply
 * @property {number} status
 * @property {any} body The JSON object; null when it is none.
 * @property {string} text The body as text.
 * @property {boolean} redirected
 * @property {number | null} retryAfter Milliseconds.
 * @property {number | null} date The server's time; null where CORS hides it.
 * @property {Headers} headers
 */

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {BodyInit | null} [body]
 * @property {RequestCredentials} credentials
 * @property {AbortSignal} signal
 * @property {number} stallTimeout Milliseconds.
 * @property {boolean} [keepalive] Finish the request even when the user leaves the page.
 */

/**
 * Send a request and return its reply.
 *
 * @param {Request} request
 * @returns {Promise<Reply>}
 * @throws {Setback} `network`; or the signal's reason.
 */
export async function ask({ url, signal, stallTimeout, ...init }) {
  const timeout = AbortSignal.timeout(stallTimeout);
  try {
    const both = AbortSignal.any([signal, timeout]);
    const response = await fetch(url, { ...init, signal: both, cache: "no-store" });
    const { status, redirected, headers } = response;
    return reply(status, await response.text(), redirected, headers);
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted && !(error instanceof TypeError)) throw error;
    throw new Setback("network");
  }
}

/**
 * Send a body and report how much of it is sent.
 *
 * @param {Request & {body: Blob | FormData}} request
 * @param {(loaded: number) => void} onProgress
 * @param {() => void} [onSent] The whole body is sent, as far as the browser knows.
 * @returns {Promise<Reply>}
 * @throws {Setback} `network`; or the signal's reason.
 */
export function send(request, onProgress, onSent = () => {}) {
  const { signal, stallTimeout } = request;
  const xhr = new XMLHttpRequest();
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  let stalled = false;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stalled = true;
      xhr.abort();
    }, stallTimeout);
  };
  const abort = () => xhr.abort();
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    xhr.upload.onprogress = (event) => {
      watch();
      onProgress(event.loaded);
    };
    xhr.upload.onload = onSent;
    xhr.onload = () =>
      resolve(reply(xhr.status, xhr.responseText, wasRedirected(xhr, request.url), headersOf(xhr)));
    xhr.onerror = () => reject(new Setback("network"));
    xhr.onabort = () => reject(stalled ? new Setback("network") : signal.reason);
    open(xhr, request);
    watch();
    xhr.send(request.body);
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}

/**
 * @param {XMLHttpRequest} xhr
 * @param {Request} request
 */
function open(xhr, { method, url, headers, credentials }) {
  xhr.open(method, url);
  xhr.withCredentials = credentials === "include";
  for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
}

/**
 * @param {XMLHttpRequest} xhr
 * @param {string} url
 */
function wasRedirected(xhr, url) {
  return xhr.responseURL !== "" && xhr.responseURL !== url;
}

/**
 * The headers that may be read; asked for by name, browsers warn where CORS does not expose one.
 *
 * @param {XMLHttpRequest} xhr
 */
function headersOf(xhr) {
  const lines = xhr
    .getAllResponseHeaders()
    .trim()
    .split(/[\r\n]+/);
  const pairs = lines.filter(Boolean).map((line) => {
    const [name, ...value] = line.split(":");
    return /** @type {[string, string]} */ ([name, value.join(":").trim()]);
  });
  return new Headers(pairs);
}

/**
 * @param {number} status
 * @param {string} text
 * @param {boolean} redirected
 * @param {Headers} headers
 * @returns {Reply}
 */
function reply(status, text, redirected, headers) {
  const date = Date.parse(headers.get("Date") ?? "");
  return {
    ...{ status, body: parseObject(text), text, redirected, headers },
    retryAfter: delay(headers.get("Retry-After")),
    date: Number.isNaN(date) ? null : date,
  };
}

/** @param {string} text */
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Retry-After in milliseconds: seconds or a date (RFC 9110 10.2.3).
 *
 * @param {string | null} header
 */
function delay(header) {
  if (header === null) return null;
  const given = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(given) ? null : Math.min(Math.max(given, 0), 3_600_000);
}
