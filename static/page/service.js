// @ts-check
/** Requests of the page itself, beside those of the library: what holds for the user, links to files. */

import { stopSignal } from "./stopping.js";

/** Repeats of a request that the server gets too fast (429); then it failed. */
const REPEATS = 10;

/** Seconds of the longest `Retry-After` that is waited for. */
const LONGEST_WAIT = 5;

/** @typedef {(asked: {refused: boolean}) => Promise<string | null>} Csrf */

/** A request that failed; `status` is 0 where the server did not answer. */
export class ServiceError extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
    this.detail = detail;
  }
}

export class Service {
  #headers;
  #csrf;

  /**
   * @param {object} parts
   * @param {() => Record<string, string>} parts.headers
   * @param {Csrf} [parts.csrf] Undefined where the server wants no CSRF token.
   */
  constructor({ headers, csrf }) {
    this.#headers = headers;
    this.#csrf = csrf;
  }

  /**
   * Send a request and return the reply's JSON; null when it has none.
   *
   * @param {"GET" | "POST" | "DELETE"} method
   * @param {string} url
   * @param {object} [body]
   * @returns {Promise<any>}
   * @throws {ServiceError}
   */
  async ask(method, url, body) {
    const response = await this.#send(method, url, { body, refused: false });
    const reply = await response.json().catch(() => null);
    if (response.ok) return reply;
    const detail = reply?.detail ?? response.statusText;
    if (method === "GET" || !this.#csrf || !/csrf/i.test(detail)) {
      throw new ServiceError(response.status, detail);
    }
    const again = await this.#send(method, url, { body, refused: true });
    if (!again.ok) throw new ServiceError(again.status, again.statusText);
    return again.json().catch(() => null);
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {{body: object | undefined, refused: boolean}} options
   */
  async #send(method, url, { body, refused }) {
    const token = method === "GET" ? null : await this.#csrf?.({ refused });
    const headers = {
      Accept: "application/json",
      ...(body && { "Content-Type": "application/json" }),
      ...(token && { "X-CSRFToken": token }),
      ...this.#headers(),
    };
    const options = { method, headers, body: body && JSON.stringify(body), signal: stopSignal() };
    for (let left = REPEATS; ; left -= 1) {
      const response = await fetch(url, options).catch(() => {
        throw new ServiceError(0, "");
      });
      const seconds = Number(response.headers.get("Retry-After") ?? NaN);
      if (response.status !== 429 || !(seconds <= LONGEST_WAIT) || left === 0) return response;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}
