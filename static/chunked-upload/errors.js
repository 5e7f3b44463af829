/**
 * What can go wrong. `UploadError` ends an upload and is shown; the others stay inside: a `Setback` is
 * something the transfer gets over by waiting, moving or beginning anew, `Stopped` is the user's wish.
 */

import { ERRORS } from "./messages.js";

/** Why an upload failed: `code` for programs, `message` in English; `status` and `detail` are the server's. */
export class UploadError extends Error {
  /**
   * @param {import("./types.js").ErrorCode} code
   * @param {{status?: number, detail?: string, data?: Record<string, unknown>, cause?: unknown}} [more]
   */
  constructor(code, { status = 0, detail = "", data = {}, cause } = {}) {
    super(ERRORS[code]({ status, detail, ...data }), { cause });
    this.name = "UploadError";
    this.code = code;
    /** HTTP status of the refusal; 0 where there was none. */
    this.status = status;
    /** What the server said, in its own words. */
    this.detail = detail;
    this.data = data;
  }
}

/**
 * - a `WaitReason` (`network`, `server`, `storage-full`, `sign-in`): try again later;
 * - `moved`: the server stands at `offset`;
 * - `expired`, `missing`, `different-file`: begin anew;
 * - `complete`: the server has all of it;
 * - `chunk-too-large`: send less at a time.
 *
 * @typedef {"network" | "server" | "storage-full" | "sign-in" | "moved" | "expired" | "missing" |
 *   "different-file" | "complete" | "chunk-too-large"} SetbackKind
 */

/** Something that an upload gets over by itself. */
export class Setback extends Error {
  /**
   * @param {SetbackKind} kind
   * @param {object} [more]
   * @param {number} [more.status] HTTP status; 0 where there was none.
   * @param {string} [more.detail] What the server said.
   * @param {number} [more.offset] Where the server stands.
   * @param {number | null} [more.retryAfter] Milliseconds that the server asks for.
   * @param {boolean} [more.lasting] Repeating it is not likely to help: give up after some tries.
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
 * Whether the server may have taken a request of which only this is known.
 *
 * @param {unknown} error
 */
export function isUnanswered(error) {
  return error instanceof Stopped || (error instanceof Setback && error.kind === "network");
}
