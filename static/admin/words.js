// @ts-check
/** What is said about an upload, and about what the server refused. */

/** @typedef {import("../page/format.js").Texts} Texts */

/**
 * An upload in a list (docs/operating.md).
 *
 * @typedef {object} Listed
 * @property {string} upload_id
 * @property {string} filename
 * @property {"uploading" | "complete"} status
 * @property {boolean} expired
 * @property {number} offset
 * @property {number | null} length
 * @property {string | null} owner
 * @property {string} upload_set
 * @property {string | null} storage
 * @property {string} created_on
 * @property {string | null} expires
 * @property {"waiting" | "returned" | null} on_completion
 */

/** @param {Listed} upload @param {Texts} texts */
export function statusOf(upload, texts) {
  if (upload.expired) return texts.say("adminExpired");
  if (upload.on_completion === "waiting") return texts.say("adminHookWaiting");
  return texts.say(upload.status === "complete" ? "adminComplete" : "adminUploading");
}

/** @param {Pick<Listed, "status" | "offset" | "length">} upload @param {Texts} texts */
export function receivedOf({ status, offset, length }, texts) {
  const received = texts.size(offset);
  if (status === "complete") return received;
  if (length === null) return texts.say("adminOfUnknown", { offset: received });
  return texts.say("adminReceived", { offset: received, length: texts.size(length) });
}

/** @param {Listed} upload @param {Texts} texts */
export function expiryOf({ expires }, texts) {
  return expires === null ? "–" : texts.date(expires);
}

/** @param {unknown} error @param {Texts} texts */
export function problemOf(error, texts) {
  const detail = error instanceof Error ? error.message : "";
  return detail || texts.say("adminNoAnswer");
}
