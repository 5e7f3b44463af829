/** Checks of the user's file: may it be uploaded, and is it unchanged since it was chosen? */

import { UploadError } from "./errors.js";

/**
 * Check a file against the limits.
 *
 * @param {File} file
 * @param {Pick<import("./options.js").Options, "accept" | "refuse" | "maxBytes">} options
 * @throws {UploadError} `type` or `size`.
 */
export function assertWanted(file, { accept, refuse, maxBytes: most }) {
  const unlisted = accept !== null && !isOneOf(file, accept);
  if (unlisted || (refuse !== null && isOneOf(file, refuse))) {
    throw new UploadError("type", { data: { accept, refuse } });
  }
  const maxBytes = typeof most === "function" ? most() : (most ?? null);
  if (maxBytes !== null && file.size > maxBytes) {
    throw new UploadError("size", { data: { size: file.size, maxBytes } });
  }
}

/**
 * Return whether a file keeps to the limits.
 *
 * @param {File} file
 * @param {Parameters<typeof assertWanted>[1]} options
 */
export function isWanted(file, options) {
  try {
    assertWanted(file, options);
    return true;
  } catch {
    return false;
  }
}

/**
 * Return whether a file has one of the types of an `accept` attribute (HTML, "file upload state").
 *
 * @param {File} file
 * @param {string} types
 */
function isOneOf(file, types) {
  const name = file.name.toLowerCase();
  const type = file.type.toLowerCase();
  const wanted = types.split(",").map((part) => part.trim().toLowerCase());
  return wanted.filter(Boolean).some((part) => {
    if (part.startsWith(".")) return name.endsWith(part);
    if (part === "*/*") return true;
    return part.endsWith("/*") ? type.startsWith(part.slice(0, -1)) : type === part;
  });
}

/**
 * Open a file by its handle, if there is one and the user permits it.
 *
 * @param {FileSystemFileHandle | null} handle
 * @returns {Promise<File | null>}
 */
export async function openAgain(handle) {
  try {
    const permission = await handle?.requestPermission?.({ mode: "read" });
    if (!handle || permission === "denied" || permission === "prompt") return null;
    return await handle.getFile();
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/**
 * Check that the file can still be read and has not changed. Browsers notice a change when they read the
 * file; where one does not, the file's handle shows it, if there is one.
 *
 * @param {{file: File, handle: FileSystemFileHandle | null}} source
 * @throws {UploadError} `changed` or `unreadable`.
 */
export async function assertUnchanged({ file, handle }) {
  try {
    if (file.size) await file.slice(file.size - 1).arrayBuffer();
    const now = await handle?.getFile();
    if (now && !isSameVersion(now, file)) throw new UploadError("changed");
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === "NotAllowedError") return; // the permission of the handle has ended, not that of the file
    throw readingError(error.name) ?? new UploadError("unreadable", { cause: error });
  }
}

/**
 * Return whether a file has the size and the date that it had before.
 *
 * @param {File} file
 * @param {File} before
 */
export function isSameVersion(file, before) {
  return file.size === before.size && file.lastModified === before.lastModified;
}

/**
 * Return why a file could not be read; null when the error has another cause.
 *
 * @param {string} name The error's name.
 */
export function readingError(name) {
  if (name === "NotReadableError" || name === "NotFoundError") return new UploadError("changed");
  if (name === "NotAllowedError" || name === "SecurityError") return new UploadError("unreadable");
  return null;
}
