// @ts-check
/**
 * The upload zones of the template helper `{{ chunked_upload.dropzone(...) }}`: Dropzone draws them and
 * takes the files, `chunked-upload.js` sends the files. So uploads are chunked, checked by MD5, and resume
 * after a lost connection or a reload, which Dropzone's own requests cannot do.
 *
 * Every element with the attribute `data-chunked-upload` (JSON, see `ZoneOptions`) becomes a zone when
 * the page is loaded. For elements that are added later call `attach(element)`.
 *
 * A zone's element sends events that bubble: `chunked-upload:done` (detail: the server's record),
 * `chunked-upload:error` (`{file, error}`), `chunked-upload:complete` (`{uploads}`: all succeeded).
 */

import { Zone } from "./chunked-upload-dropzone/zone.js";

/**
 * Make an element an upload zone.
 *
 * @param {HTMLElement} element
 * @param {import("./chunked-upload-dropzone/zone-options.js").ZoneOptions} [options] By default those in
 *   its attribute.
 * @returns {Zone} A Dropzone.
 */
export function attach(element, options = JSON.parse(element.dataset.chunkedUpload ?? "{}")) {
  /** @type {any} */ (element).dropzone?.destroy(); // another Dropzone on the page found it first
  return new Zone(element, options);
}

for (const element of document.querySelectorAll("[data-chunked-upload]")) {
  attach(/** @type {HTMLElement} */ (element));
}
