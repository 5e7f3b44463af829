// @ts-check
/**
 * A file of the list, whichever way the page knows it: as an upload of this page, as an unfinished upload from
 * before, or as a finished file on the server.
 */

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("../chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

/**
 * - `uploading`: runs, will run, or was paused;
 * - `needs`: does not continue without the user: failed, signed out, or left from before;
 * - `done`: the server has the whole file.
 *
 * @typedef {"uploading" | "needs" | "done"} GroupName
 */

/**
 * An unfinished upload from before: remembered by this browser, known to the server, or both.
 *
 * @typedef {object} Resumable
 * @property {string | null} uploadId Null while the server does not know it.
 * @property {string} name
 * @property {string} path With the folder; the name alone when there is none.
 * @property {number | null} size
 * @property {number} offset
 * @property {string | null} expires
 * @property {Remembered | null} remembered
 */

/**
 * @typedef {object} UploadEntry
 * @property {string} key
 * @property {"upload"} kind
 * @property {Upload} upload
 * @property {string} notice What the library noticed last, in words; may be empty.
 */

/** @typedef {{key: string, kind: "unfinished", resumable: Resumable}} UnfinishedEntry */
/** @typedef {{key: string, kind: "finished", record: UploadRecord}} FinishedEntry */
/** @typedef {UploadEntry | UnfinishedEntry | FinishedEntry} Entry */

/** @param {Entry} entry @returns {GroupName} */
export function groupOf(entry) {
  if (entry.kind === "finished") return "done";
  if (entry.kind === "unfinished") return "needs";
  const { state, waiting } = entry.upload;
  if (state === "done") return "done";
  return state === "failed" || waiting?.reason === "sign-in" ? "needs" : "uploading";
}

/** Return a file's name with its folder, where it came with one. @param {Entry} entry */
export function pathOf(entry) {
  if (entry.kind === "upload") return uploadPath(entry.upload);
  if (entry.kind === "unfinished") return entry.resumable.path;
  return entry.record.metadata?.relative_path || entry.record.filename;
}

/** @param {Upload} upload */
export function uploadPath({ name, path }) {
  return path || name;
}

/** Return a file's name without its folder. @param {Entry} entry */
export function nameOf(entry) {
  if (entry.kind === "upload") return entry.upload.name;
  return entry.kind === "unfinished" ? entry.resumable.name : entry.record.filename;
}

/** Return a file's size in bytes; what is known of it where the whole is unknown. @param {Entry} entry */
export function sizeOf(entry) {
  if (entry.kind === "upload") return entry.upload.size;
  if (entry.kind === "finished") return entry.record.offset;
  return entry.resumable.size ?? entry.resumable.offset;
}

/** Return the server's record of a finished file; null while it is unfinished. @param {Entry} entry */
export function recordOf(entry) {
  if (entry.kind === "finished") return entry.record;
  return entry.kind === "upload" ? entry.upload.result : null;
}

/** Return the server's id; null while there is none. @param {Entry} entry */
export function uploadIdOf(entry) {
  if (entry.kind === "upload") return entry.upload.uploadId;
  return entry.kind === "unfinished" ? entry.resumable.uploadId : entry.record.upload_id;
}
