/**
 * Interprets the server's replies (docs/protocol.md, "Errors"). A refusal becomes a `Setback` when the
 * upload can recover from it, an `UploadError` when it cannot.
 */

import { Setback, UploadError } from "./errors.js";

/** @typedef {import("./requests.js").Reply} Reply */

/**
 * Statuses whose meaning does not depend on the body; a proxy may have sent them. Any other status from
 * 500 on is a failure that may be lasting.
 *
 * @type {Map<number, import("./errors.js").SetbackKind>}
 */
const BY_STATUS = new Map([
  [401, "sign-in"],
  [408, "server"],
  [410, "expired"],
  [425, "server"],
  [429, "server"],
  [502, "server"],
  [503, "server"],
  [504, "server"],
  [507, "storage-full"],
]);

/**
 * Refusals with status 400 from which the upload can recover, by the protocol's fixed texts.
 *
 * @type {Map<string, import("./errors.js").SetbackKind>}
 */
const BY_DETAIL = new Map([
  ["Offsets do not match", "moved"],
  ["Upload is not complete", "moved"],
  ['Upload has already been marked as "complete"', "complete"],
  ["Total size does not match", "different-file"],
]);

/** Successes that need no body: an upload was created, or bytes were appended. */
const EMPTY = new Set([201, 204]);

/**
 * Return the JSON object of a successful reply.
 *
 * @param {Reply} reply
 * @param {string} uploadId The upload that the request was about; empty when there was none.
 * @returns {any}
 * @throws {Setback}
 * @throws {UploadError}
 */
export function readReply(reply, uploadId) {
  const { status, body } = reply;
  if (EMPTY.has(status) || (status >= 200 && status < 300 && body)) return body;
  const { detail = "", offset = -1 } = body ?? {};
  const more = { status, detail, offset, retryAfter: reply.retryAfter };
  const kind =
    BY_STATUS.get(status) ?? BY_DETAIL.get(detail) ?? specialCase(reply, detail, uploadId);
  if (kind) throw new Setback(kind, more);
  // Another server's page instead of our reply, a failure, or a body that was cut off on its way.
  if (status < 400 || status >= 500 || detail.startsWith("File size doesn't")) {
    throw new Setback("server", { ...more, lasting: true });
  }
  throw new UploadError(
    /^\w+ checksum does not match$/.test(detail) ? "checksum" : "refused",
    more,
  );
}

/**
 * Cases that depend on more than the status or the text.
 *
 * @param {Reply} reply
 * @param {string} detail
 * @param {string} uploadId
 * @returns {import("./errors.js").SetbackKind | null}
 */
function specialCase({ status, body, text, redirected }, detail, uploadId) {
  if (status === 404 && uploadId) return "missing";
  if (status === 403 && detail.startsWith("Authentication credentials")) return "sign-in";
  if (status < 400 && redirected) return "sign-in"; // to a sign-in page
  if (status === 413 && (!body || detail.startsWith("Size of chunk"))) return "chunk-too-large";
  return isCsrfRefusal({ status, detail: detail || text }) ? "sign-in" : null;
}

/**
 * Return whether a CSRF token was missing or too old, by the texts of Flask-WTF or our own.
 *
 * @param {{status: number, detail: string}} reply
 */
export function isCsrfRefusal({ status, detail }) {
  return (status === 400 || status === 403) && /csrf/i.test(detail);
}

/**
 * Return whether the server no longer has the upload.
 *
 * @param {Setback} setback
 */
export function isGone(setback) {
  return setback.kind === "missing" || setback.kind === "expired";
}

/**
 * Return why the upload has to start again; null when that would not help.
 *
 * @param {unknown} error
 * @returns {"expired" | "missing" | "different-file" | null}
 */
export function restartReason(error) {
  if (!(error instanceof Setback)) return null;
  const { kind } = error;
  return kind === "expired" || kind === "missing" || kind === "different-file" ? kind : null;
}
