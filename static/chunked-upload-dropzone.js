// @ts-check
/**
 * The upload zones of the template helper `{{ chunked_upload.dropzone(...) }}`: Dropzone draws them and
 * takes the files, `chunked-upload.js` sends the files. So uploads are chunked, checked by MD5, and resume
 * after a lost connection or a reload, which Dropzone's own requests cannot do.
 *
 * Where the options say `whole`, Dropzone sends the files itself, to a view of the app's own.
 *
 * Every element with the attribute `data-chunked-upload` (JSON, see `ZoneOptions`) becomes a zone when
 * the page is loaded. For elements that are added later call `attach(element)`.
 *
 * A zone's element sends events that bubble: `chunked-upload:done` (detail: the server's record),
 * `chunked-upload:error` (`{file, error}`), `chunked-upload:complete` (`{uploads}`: all succeeded).
 */

import { WholeZone } from "./chunked-upload-dropzone/whole-zone.js";
import { Zone } from "./chunked-upload-dropzone/zone.js";

/** @typedef {import("./chunked-upload-dropzone/zone-options.js").ZoneOptions} ZoneOptions */

/**
 * Make an element an upload zone.
 *
 * @param {HTMLElement} element
 * @param {ZoneOptions} [options] By default those in its attribute, or in that of the element with
 *   `data-chunked-upload-for="<its id>"`.
 * @returns {Zone | WholeZone} A Dropzone.
 */
export function attach(element, options = optionsOf(element)) {
  /** @type {any} */ (element).dropzone?.destroy(); // another Dropzone on the page found it first
  const zone = options.whole ? new WholeZone(element, options) : new Zone(element, options);
  element.querySelector(".chunked-upload-not-loaded")?.remove();
  return zone;
}

/**
 * @param {HTMLElement} element
 * @returns {ZoneOptions}
 */
function optionsOf(element) {
  const configured = document.querySelectorAll(
    `[data-chunked-upload-for="${CSS.escape(element.id)}"]`,
  );
  const source = /** @type {HTMLElement} */ ([element, ...configured].at(-1));
  return JSON.parse(source.dataset.chunkedUpload ?? "{}");
}

for (const element of document.querySelectorAll(
  "[data-chunked-upload]:not([data-chunked-upload-for])",
)) {
  attach(/** @type {HTMLElement} */ (element));
}
