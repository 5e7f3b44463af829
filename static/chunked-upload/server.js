/** The protocol's requests (docs/protocol.md). replies.js interprets the replies. */

import { sleep } from "./abortable.js";
import { Chunks } from "./chunks.js";
import { Setback } from "./errors.js";
import { Offsets } from "./offsets.js";
import { isCsrfRefusal, isGone, readReply } from "./replies.js";
import { ask, send } from "./requests.js";

/** @typedef {import("./requests.js").Reply} Reply */
/** @typedef {import("./types.js").UploadRecord} UploadRecord */

/** Tries of a deletion; nobody waits for its result. */
const REMOVAL_TRIES = 3;
/** Longest `Retry-After` of a 429, in milliseconds, that nobody is told of. */
const SHORT_WAIT = 5000;
/** Repeats, after 429, of a request without a file's bytes; then its caller is told. */
const REPEATS = 10;

/** The service at one endpoint. */
export class Server {
  #options;
  /** CSRF token from the service. @type {string | null} */
  #token = null;
  /**
   * How far the server's clock is ahead of ours, in milliseconds; null while unknown.
   *
   * @type {number | null}
   */
  clockOffset = null;
  /** Milliseconds of the quickest request without a file's bytes: the way there and back. 0 while unknown. */
  latency = 0;
  /** @type {Promise<Offsets | Chunks> | null} */
  #protocol = null;

  /**
   * @param {Pick<import("./options.js").Options, "endpoint" | "fieldName" | "headers" | "csrf" |
   *   "credentials" | "stallTimeout" | "retryDelays" | "protocol">} options
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Return how this server receives bytes; it is asked once.
   *
   * @returns {Promise<Offsets | Chunks>}
   * @throws {Setback}
   */
  protocol() {
    const asked = (this.#protocol ??= this.#findProtocol());
    asked.catch(() => (this.#protocol = null));
    return asked;
  }

  /**
   * Complete the upload: the server checks the checksum and stores the file.
   *
   * @param {string} uploadId
   * @param {Record<string, string>} digests By name.
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord>}
   */
  complete(uploadId, digests, signal) {
    const body = new URLSearchParams({ upload_id: uploadId, ...digests });
    return this.#ask("POST", "complete", { body, signal, of: uploadId });
  }

  /**
   * Return an upload's record, with its offset.
   *
   * @param {string} uploadId
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord>}
   */
  state(uploadId, signal) {
    return this.#ask("GET", uploadId, { signal, of: uploadId });
  }

  /**
   * Return the caller's newest unfinished upload of that name and size.
   *
   * @param {string} name
   * @param {number} size Bytes of the whole file. Two files may have the same name.
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async find(name, size, signal) {
    const query = new URLSearchParams({ file: name, size: String(size) });
    const { file } = await this.#ask("GET", `?${query}`, { signal });
    if (!file) return null;
    try {
      return await this.state(file.upload_id, signal);
    } catch (error) {
      if (error instanceof Setback && isGone(error)) return null; // deleted between the two requests
      throw error;
    }
  }

  /**
   * @param {import("./types.js").ListQuery} query
   * @returns {Promise<import("./types.js").UploadPage>}
   */
  list({ page = 1, perPage, status, metadata = false, signal = new AbortController().signal }) {
    const query = new URLSearchParams({ page: String(page) });
    if (perPage !== undefined) query.set("per_page", String(perPage));
    if (status !== undefined) query.set("status", String(status));
    if (metadata) query.set("metadata", "1");
    return this.#ask("GET", `?${query}`, { signal });
  }

  /**
   * Abort an upload or delete a finished one. An upload that is gone already counts as deleted.
   *
   * @param {string} uploadId
   */
  async remove(uploadId) {
    const signal = new AbortController().signal;
    for (let left = REMOVAL_TRIES; ; left -= 1) {
      try {
        await this.#ask("DELETE", uploadId, { signal, of: uploadId, keepalive: true });
        return;
      } catch (error) {
        if (!(error instanceof Setback) || left === 1) throw error;
        if (isGone(error)) return;
        await new Promise((resolve) => setTimeout(resolve, this.#options.retryDelays[0]));
      }
    }
  }

  /**
   * Send bytes.
   *
   * @param {string} method
   * @param {string} path
   * @param {import("./chunks.js").Sending & {body: Blob | FormData, headers: Record<string, string>}} what
   * @returns {Promise<Reply>} Any answer; see replies.js.
   * @throws {Setback} `network`, `too-fast`; or the signal's reason.
   */
  async send(method, path, { body, headers: more, signal, onProgress, onSent }) {
    const reply = await this.#exchange(
      (headers) => {
        const request = { ...this.#request(method, path, signal), headers, body };
        return send(request, onProgress, onSent);
      },
      { changes: true, more, signal },
    );
    // Not repeated here: the time would count as that of the bytes, and make the next requests shorter.
    if (await waited(reply, signal)) throw new Setback("too-fast");
    return reply;
  }

  /**
   * Send a request without bytes of a file.
   *
   * @param {string} method
   * @param {string} path
   * @param {{body?: BodyInit, signal: AbortSignal, keepalive?: boolean}} more
   * @returns {Promise<Reply>} Any answer.
   * @throws {Setback} `network`; or the signal's reason.
   */
  async ask(method, path, { body, signal, keepalive = false }) {
    const exchange = () =>
      this.#exchange(
        async (headers) => {
          const began = performance.now();
          const request = { ...this.#request(method, path, signal), headers, body, keepalive };
          const reply = await ask(request);
          this.latency = Math.min(this.latency || Infinity, performance.now() - began);
          return reply;
        },
        { changes: !["GET", "HEAD", "OPTIONS"].includes(method), more: {}, signal },
      );
    let reply = await exchange();
    for (let left = REPEATS; left > 0 && (await waited(reply, signal)); left -= 1) {
      reply = await exchange();
    }
    return reply;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{body?: BodyInit, signal: AbortSignal, of?: string, keepalive?: boolean}} more
   * @returns {Promise<any>} The answer's JSON.
   */
  async #ask(method, path, { of = "", ...more }) {
    return readReply(await this.ask(method, path, more), of);
  }

  /** @returns {Promise<Offsets | Chunks>} */
  async #findProtocol() {
    const { protocol, fieldName } = this.#options;
    const chunks = new Chunks(this, fieldName);
    if (protocol === "chunks") return chunks;
    const offsets = new Offsets(this, chunks);
    if (protocol === "offsets") return offsets;
    const { signal } = new AbortController();
    const reply = await this.ask("OPTIONS", "", { signal });
    // A proxy without its server, or too many requests.
    if (reply.status >= 500 || reply.status === 429) return readReply(reply, "");
    return reply.headers.has("Upload-Limit") ? offsets : chunks;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {AbortSignal} signal
   */
  #request(method, path, signal) {
    const { endpoint, credentials, stallTimeout } = this.#options;
    return { method, url: endpoint + path, credentials, stallTimeout, signal };
  }

  /**
   * Send a request with the page's headers, and once more if only the CSRF token was wrong.
   *
   * @param {(headers: Record<string, string>) => Promise<Reply>} request
   * @param {{changes: boolean, more: Record<string, string>, signal: AbortSignal}} what
   */
  async #exchange(request, { changes, more, signal }) {
    const attempt = async (/** @type {boolean} */ refused) => {
      const token = changes ? await this.#csrfToken(refused, signal) : null;
      const headers = await this.#headers(token);
      signal.throwIfAborted();
      return request({ ...headers, ...more });
    };
    let reply = await attempt(false);
    if (changes && isCsrfRefusal({ ...reply, detail: reply.body?.detail ?? reply.text })) {
      reply = await attempt(true);
    }
    if (reply.date !== null) this.clockOffset = reply.date - Date.now();
    return reply;
  }

  /**
   * @param {string | null} token
   * @returns {Promise<Record<string, string>>}
   */
  async #headers(token) {
    const own = { Accept: "application/json", ...(token && { "X-CSRFToken": token }) };
    return { ...own, ...(await callPage(() => this.#options.headers())) };
  }

  /**
   * Return the page's token, or one from the service, which is requested after the first refusal.
   *
   * @param {boolean} refused
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>}
   */
  async #csrfToken(refused, signal) {
    const { csrf } = this.#options;
    if (csrf) return callPage(() => csrf({ refused }));
    if (refused) {
      const headers = await this.#headers(null);
      const reply = await ask({ ...this.#request("GET", "csrf-token", signal), headers });
      this.#token = readReply(reply, "").csrf_token;
    }
    return this.#token;
  }
}

/**
 * Wait as a server asks that gets requests too fast (429), unless that is long.
 *
 * @param {Reply} reply
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} Whether it was waited, so that the request may be repeated.
 * @throws the signal's reason
 */
async function waited({ status, retryAfter }, signal) {
  if (status !== 429 || retryAfter === null || retryAfter > SHORT_WAIT) return false;
  await sleep(retryAfter, { signal, events: [], onReady: () => {} });
  return true;
}

/**
 * Return what one of the page's functions returns. A function that fails is called again later: it may
 * send a request itself.
 *
 * @template T
 * @param {() => T | Promise<T>} callback
 * @returns {Promise<T>}
 */
async function callPage(callback) {
  try {
    return await callback();
  } catch (error) {
    throw new Setback("server", { detail: String(error), lasting: true });
  }
}
