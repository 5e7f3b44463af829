// @ts-check
/**
 * Downloads where a link cannot carry the Bearer token. The page fetches the file. Where the browser can,
 * the bytes are written straight to the file that the user chose; otherwise the browser collects them
 * and then saves the file.
 */

import { stopSignal } from "./stopping.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

/**
 * Download a file with request headers.
 *
 * @param {UploadRecord} record A complete upload.
 * @param {Record<string, string>} headers
 * @throws {Error} whose message says why the download failed; none when the user canceled or signed out.
 */
export async function downloadWithHeaders(record, headers) {
  const target = await chooseTarget(record.filename);
  if (target === "none") return;
  const signal = stopSignal();
  try {
    await fetchInto(target, record, { headers, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * @param {FileSystemFileHandle | "browser"} target
 * @param {UploadRecord} record
 * @param {RequestInit} options
 */
async function fetchInto(target, record, options) {
  const response = await fetch(/** @type {string} */ (record.url), options);
  if (!response.ok || response.body === null) throw new Error(await reason(response));
  if (target === "browser") saveBlob(await response.blob(), record.filename);
  else await response.body.pipeTo(await target.createWritable());
}

/** @param {string} suggestedName @returns {Promise<FileSystemFileHandle | "browser" | "none">} */
async function chooseTarget(suggestedName) {
  const picker = /** @type {any} */ (window).showSaveFilePicker;
  if (!picker) return "browser";
  try {
    return await picker.call(window, { suggestedName });
  } catch (error) {
    // Only an AbortError means that the user canceled; a frame or a policy may forbid the dialog.
    return /** @type {Error} */ (error).name === "AbortError" ? "none" : "browser";
  }
}

/** @param {Blob} blob @param {string} name */
function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download starts after the click's task; a minute is on the safe side.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {Response} response */
async function reason(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return response.statusText;
  }
}
