/** The protocol's requests (docs/protocol.md). replies.js interprets the replies. */

import { Setback } from "./errors.js";
import { isCsrfRefusal, isGone, readReply } from "./replies.js";
import { ask, send } from "./requests.js";

/** @typedef {import("./requests.js").Reply} Reply */
/** @typedef {import("./types.js").UploadRecord} UploadRecord */

/** Tries of a deletion; nobody waits for its result. */
const REMOVAL_TRIES = 3;

/** The service at one endpoint. */
export class Server {
  #options;
  /** CSRF token from the service. @type {string | null} */
  #token = null;

  /**
   * @param {Pick<import("./options.js").Options, "endpoint" | "fieldName" | "headers" | "csrf" |
   *   "credentials" | "stallTimeout" | "retryDelays">} options
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Send the first chunk, which creates the upload. It is a form, since it carries the metadata.
   *
   * @param {File} file
   * @param {number} stop
   * @param {Record<string, string>} metadata
   * @param {AbortSignal} signal
   * @param {(loaded: number) => void} onProgress
   * @returns {Promise<{upload_id: string, offset: number, expires: string}>}
   */
  create(file, stop, metadata, signal, onProgress) {
    const form = new FormData();
    for (const [name, value] of Object.entries(metadata)) form.append(name, value);
    form.append(this.#options.fieldName, file.slice(0, stop), file.name);
    return this.#send("POST", "", form, range(0, stop, file.size), signal, onProgress);
  }

  /**
   * Send a later chunk: the bytes alone.
   *
   * @param {string} uploadId
   * @param {File} file
   * @param {number} start
   * @param {number} stop
   * @param {AbortSignal} signal
   * @param {(loaded: number) => void} onProgress
   * @returns {Promise<{upload_id: string, offset: number, expires: string}>}
   */
  append(uploadId, file, start, stop, signal, onProgress) {
    const headers = {
      ...range(start, stop, file.size),
      "Content-Type": "application/octet-stream",
    };
    return this.#send("PUT", uploadId, file.slice(start, stop), headers, signal, onProgress);
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
   * @param {{page?: number, perPage?: number, status?: 1 | 2, signal?: AbortSignal}} query
   * @returns {Promise<import("./types.js").UploadPage>}
   */
  list({ page = 1, perPage, status, signal = new AbortController().signal }) {
    const query = new URLSearchParams({ page: String(page) });
    if (perPage !== undefined) query.set("per_page", String(perPage));
    if (status !== undefined) query.set("status", String(status));
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
   * @param {string} method
   * @param {string} path
   * @param {Blob | FormData} body
   * @param {Record<string, string>} more
   * @param {AbortSignal} signal
   * @param {(loaded: number) => void} onProgress
   */
  #send(method, path, body, more, signal, onProgress) {
    return this.#exchange(
      (headers) => send({ ...this.#request(method, path, signal), headers, body }, onProgress),
      { changes: true, more, of: path, signal },
    );
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{body?: BodyInit, signal: AbortSignal, of?: string, keepalive?: boolean}} more
   */
  #ask(method, path, { body, signal, of = "", keepalive = false }) {
    return this.#exchange(
      (headers) => ask({ ...this.#request(method, path, signal), headers, body, keepalive }),
      { changes: method !== "GET", more: {}, of, signal },
    );
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
   * @param {{changes: boolean, more: Record<string, string>, of: string, signal: AbortSignal}} what
   */
  async #exchange(request, { changes, more, of, signal }) {
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
    return readReply(reply, of);
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

/**
 * @param {number} start
 * @param {number} stop
 * @param {number} total
 * @returns {Record<string, string>} Empty for an empty file, which has no byte range.
 */
function range(start, stop, total) {
  return total ? { "Content-Range": `bytes ${start}-${stop - 1}/${total}` } : {};
}
