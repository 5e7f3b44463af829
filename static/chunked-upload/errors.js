/**
 * Errors. An `UploadError` ends an upload and is shown to the user. The others stay inside the library: a
 * `Setback` is handled by waiting, by moving to another offset or by starting again; `Stopped` means
 * that the user paused or canceled.
 */

import { ERRORS } from "./messages.js";

/** Why an upload failed: `code` for programs, `message` in English; `status` and `detail` come from the server. */
export class UploadError extends Error {
  /**
   * @param {import("./types.js").ErrorCode} code
   * @param {{status?: number, detail?: string, data?: Record<string, unknown>, cause?: unknown}} [more]
   */
  constructor(code, { status = 0, detail = "", data = {}, cause } = {}) {
    super(ERRORS[code]({ status, detail, ...data }), { cause });
    this.name = "UploadError";
    this.code = code;
    /** HTTP status of the refusal; 0 when there was none. */
    this.status = status;
    /** The server's message. */
    this.detail = detail;
    this.data = data;
  }
}

/**
 * - `network` (no answer), `server`, `storage-full`, `sign-in`: try again later;
 * - `moved`: the server has another offset, `offset`;
 * - `expired`, `missing`, `different-file`: start again from the first byte;
 * - `complete`: the server has the whole file;
 * - `chunk-too-large`: send shorter requests;
 * - `buffered`: likewise, since requests are collected whole on their way;
 * - `too-fast`: the same again, at once: it was waited already.
 *
 * @typedef {"network" | "server" | "storage-full" | "sign-in" | "moved" | "expired" | "missing" |
 *   "different-file" | "complete" | "chunk-too-large" | "buffered" | "too-fast"} SetbackKind
 */

/** A failure from which an upload may recover without the user. */
export class Setback extends Error {
  /**
   * @param {SetbackKind} kind
   * @param {object} [more]
   * @param {number} [more.status] HTTP status; 0 when there was none.
   * @param {string} [more.detail] The server's message.
   * @param {number} [more.offset] The server's offset.
   * @param {number | null} [more.retryAfter] Milliseconds that the server asks us to wait.
   * @param {boolean} [more.lasting] Retrying is not likely to help: give up after some tries.
   */
  constructor(
    kind,
    { status = 0, detail = "", offset = -1, retryAfter = null, lasting = false } = {},
  ) {
    super(`${kind} ${status} ${detail}`);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    this.offset = offset;
    this.retryAfter = retryAfter;
    this.lasting = lasting;
  }
}

/** The user paused or canceled, or the uploader was closed. */
export class Stopped extends Error {}

/**
 * Turn a setback that cannot be handled into the error that the user sees.
 *
 * @param {Setback} setback
 */
export function asUploadError({ kind, status, detail }) {
  const code = kind === "server" || kind === "network" ? kind : "refused";
  return new UploadError(code, { status, detail });
}

/**
 * Return whether a request that ended with this error may have reached the server.
 *
 * @param {unknown} error
 */
export function isUnanswered(error) {
  return error instanceof Stopped || (error instanceof Setback && error.kind === "network");
}

/**
 * @template T
 * @param {Promise<T>} reply
 * @returns {Promise<T>}
 * @throws {UploadError} also where an upload would wait and retry.
 */
export async function withUploadErrors(reply) {
  try {
    return await reply;
  } catch (error) {
    throw error instanceof Setback ? asUploadError(error) : error;
  }
}
