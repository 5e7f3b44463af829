/**
 * What the protocol's answers mean (docs/protocol.md, "Errors"). A refusal becomes a `Setback` when the
 * upload can get over it, an `UploadError` when it cannot.
 */

import { Setback, UploadError } from "./errors.js";

/** @typedef {import("./requests.js").Reply} Reply */

/**
 * What a status says by itself, whoever sends it: ours, or a proxy before it. Other ones of 500 and
 * more are failures that may not pass.
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
 * What is 400 and yet not the end, by the protocol's fixed texts.
 *
 * @type {Map<string, import("./errors.js").SetbackKind>}
 */
const BY_DETAIL = new Map([
  ["Offsets do not match", "moved"],
  ["Upload is not complete", "moved"],
  ['Upload has already been marked as "complete"', "complete"],
  ["Total size does not match", "different-file"],
]);

/**
 * @param {Reply} answer
 * @param {string} uploadId Of the upload that was asked for; empty when none was.
 * @returns {any} The JSON object of a success.
 * @throws {Setback}
 * @throws {UploadError}
 */
export function judge(answer, uploadId) {
  const { status, body } = answer;
  if (status === 204 || (status >= 200 && status < 300 && body)) return body;
  const { detail = "", offset = -1 } = body ?? {};
  const more = { status, detail, offset, retryAfter: answer.retryAfter };
  const kind = BY_STATUS.get(status) ?? BY_DETAIL.get(detail) ?? special(answer, detail, uploadId);
  if (kind) throw new Setback(kind, more);
  // Another server's page instead of our answer, a failure, a body that was cut on its way.
  if (status < 400 || status >= 500 || detail.startsWith("File size doesn't")) {
    throw new Setback("server", { ...more, lasting: true });
  }
  throw new UploadError(detail === "md5 checksum does not match" ? "checksum" : "refused", more);
}

/**
 * The cases that are told by more than one thing.
 *
 * @param {Reply} answer
 * @param {string} detail
 * @param {string} uploadId
 * @returns {import("./errors.js").SetbackKind | null}
 */
function special({ status, body, text, redirected }, detail, uploadId) {
  if (status === 404 && uploadId) return "missing";
  if (status === 403 && detail.startsWith("Authentication credentials")) return "sign-in";
  if (status < 400 && redirected) return "sign-in"; // to a page for signing in
  if (status === 413 && (!body || detail.startsWith("Size of chunk"))) return "chunk-too-large";
  return isCsrfRefusal({ status, detail: detail || text }) ? "sign-in" : null;
}

/**
 * Whether a CSRF token was missing or too old, in the words of Flask-WTF or our own.
 *
 * @param {{status: number, detail: string}} answer
 */
export function isCsrfRefusal({ status, detail }) {
  return (status === 400 || status === 403) && /csrf/i.test(detail);
}

/**
 * Whether the server no longer has the upload.
 *
 * @param {Setback} setback
 */
export function isGone(setback) {
  return setback.kind === "missing" || setback.kind === "expired";
}

/**
 * Why the upload has to begin anew; null when that would not help.
 *
 * @param {unknown} error
 * @returns {"expired" | "missing" | "different-file" | null}
 */
export function whyAnew(error) {
  if (!(error instanceof Setback)) return null;
  const { kind } = error;
  return kind === "expired" || kind === "missing" || kind === "different-file" ? kind : null;
}
