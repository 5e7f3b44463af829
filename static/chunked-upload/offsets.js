/**
 * The library's way of sending: Resumable Uploads for HTTP, the IETF's draft (docs/protocol.md). A request
 * appends bytes to an upload, and what arrived of it counts however it ends. No request says that the
 * upload is complete: the server completes it when the checksum is known to be right.
 */

import { Setback } from "./errors.js";
import { readReply } from "./replies.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {import("./requests.js").Reply} Reply */
/** @typedef {import("./chunks.js").Stored} Stored */

/** Largest file that is sent with the request that creates its upload. */
const SMALL = 2 ** 20;
/** Servers and proxies refuse longer headers. */
const LONGEST_HEADER = 6000;

export class Offsets {
  /** What arrives of a request that breaks off counts. */
  keepsPrefix = true;
  #server;
  #chunks;

  /**
   * @param {Server} server
   * @param {import("./chunks.js").Chunks} chunks Creates uploads whose metadata headers cannot hold.
   */
  constructor(server, chunks) {
    this.#server = server;
    this.#chunks = chunks;
  }

  /**
   * Create an upload. Bytes come with it only if the file is small, or another request would be needed
   * for them.
   *
   * @param {File} file
   * @param {number} most Bytes that a request may have.
   * @param {Record<string, string>} metadata
   * @param {import("./chunks.js").Sending & {key: string}} sending `key`: by it the server knows the request
   *   again. Browsers repeat one by themselves whose connection breaks.
   * @returns {Promise<Stored & {uploadId: string}>}
   */
  async create(file, most, metadata, { key, ...sending }) {
    const field = metadataField(metadata);
    // The server has no place for an upload yet that never gets bytes.
    if (field === null || file.size === 0) {
      return this.#chunks.create(file, most, metadata, sending);
    }
    const headers = {
      "Idempotency-Key": `"${key}"`,
      "Upload-Complete": "?0",
      "Upload-Length": String(file.size),
      "Content-Type": mediaType(file),
      "Content-Disposition": `attachment; filename*=UTF-8''${encoded(file.name)}`,
      ...(field && { "Upload-Metadata": field }),
    };
    const body = file.slice(0, file.size <= Math.min(SMALL, most) ? file.size : 0);
    const reply = await this.#server.send("POST", "", { body, headers, ...sending });
    readReply(reply, "");
    const uploadId = /([^/]+)\/?$/.exec(reply.headers.get("Location") ?? "")?.[1];
    if (!uploadId) throw new Setback("server", { detail: "no Location", lasting: true });
    return { uploadId, ...this.#read(reply) };
  }

  /**
   * Append bytes of the file, from the offset that the server has.
   *
   * @param {string} uploadId
   * @param {Blob} bytes
   * @param {{start: number}} range
   * @param {import("./chunks.js").Sending} sending
   * @returns {Promise<Stored>}
   */
  async append(uploadId, bytes, { start }, sending) {
    const headers = {
      "Content-Type": "application/partial-upload",
      "Upload-Offset": String(start),
      "Upload-Complete": "?0",
    };
    const reply = await this.#server.send("PATCH", uploadId, { body: bytes, headers, ...sending });
    readReply(reply, uploadId);
    return this.#read(reply);
  }

  /**
   * End an append that is under way, whose connection may be dead; what arrived of it counts.
   *
   * @param {string} uploadId
   * @param {AbortSignal} signal
   */
  async settle(uploadId, signal) {
    await this.#server.ask("HEAD", uploadId, { signal }); // its answer has no words; the state follows
  }

  /** @param {Reply} reply @returns {Stored} */
  #read({ headers }) {
    const offset = Number(headers.get("Upload-Offset") ?? NaN);
    const limit = headers.get("Upload-Limit") ?? "";
    const [age, most] = ["max-age", "max-append-size"].map((key) => number(limit, key));
    const now = Date.now() + (this.#server.clockOffset ?? 0);
    return {
      offset,
      expires: age === null ? null : new Date(now + age * 1000).toISOString(),
      most,
    };
  }
}

/**
 * @param {string} limit A structured dictionary of integers.
 * @param {string} key
 */
function number(limit, key) {
  const found = new RegExp(`(?:^|[,\\s])${key}=(\\d+)`).exec(limit)?.[1];
  return found === undefined ? null : Number(found);
}

/**
 * Return fields as `Upload-Metadata`, which tus has defined; null when it cannot hold them.
 *
 * @param {Record<string, string>} fields
 */
function metadataField(fields) {
  const names = Object.keys(fields);
  if (!names.every((name) => /^[\x21-\x2b\x2d-\x7e]+$/.test(name))) return null;
  const value = names.map((name) => `${name} ${base64(fields[name])}`).join(",");
  return value.length <= LONGEST_HEADER ? value : null;
}

/** @param {string} text */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/**
 * Percent-encode a text for a header's parameter (RFC 8187).
 *
 * @param {string} text
 */
function encoded(text) {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[\w.~-]/.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

/**
 * Return the file's media type, unless it would make the request a form.
 *
 * @param {File} file
 */
function mediaType({ type }) {
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) && !/^multipart\/|urlencoded$|partial-upload$/.test(type)
    ? type
    : "application/octet-stream";
}
