/** A zone's options, as the template helper writes them into its attribute, for the uploader and Dropzone. */

import { Dropzone } from "./dropzone.js";

/**
 * @typedef {object} ZoneOptions
 * @property {string} endpoint URL of the service.
 * @property {string | null} csrfToken Empty when none is needed; null: get one from the service.
 * @property {string} csrfTokenUrl URL that returns a new token.
 * @property {string} fieldName
 * @property {number | null} maxBytes
 * @property {number | null} maxFiles
 * @property {string | null} accept
 * @property {number} parallel
 * @property {number | null} timeout
 * @property {number | null} chunkSize
 * @property {boolean} resume
 * @property {boolean} md5 Whether to send a checksum.
 * @property {"md5" | "sha256"} checksum
 * @property {Record<string, string>} metadata
 * @property {boolean} thumbnails
 * @property {boolean} removeLinks
 * @property {string | null} redirect Page to go to when all uploads have succeeded.
 * @property {string | null} button Id of the button that starts the uploads.
 * @property {boolean} inForm
 * @property {string} uploadIdName
 * @property {Record<string, string>} texts Dropzone's `dict…` options and the module's own.
 * @property {string[]} given Names of those that the app has set.
 * @property {string[]} htmlTexts Names of those that are HTML.
 * @property {boolean} whole Whether Dropzone sends the files itself.
 * @property {boolean} multiple Whether it then sends several in one request.
 * @property {Record<string, unknown>} dropzone More options for Dropzone.
 */

/**
 * Return the options for `ChunkedUploader`.
 *
 * @param {ZoneOptions} options
 * @returns {import("../chunked-upload/types.js").UploaderOptions}
 */
export function uploaderOptions(options) {
  const isOtherOrigin = new URL(options.endpoint, location.href).origin !== location.origin;
  return {
    endpoint: options.endpoint,
    fieldName: options.fieldName,
    simultaneous: options.parallel,
    resume: options.resume,
    md5: options.md5,
    checksum: options.checksum,
    credentials: isOtherOrigin ? "include" : "same-origin",
    csrf: options.csrfToken ? csrfTokens(options.csrfToken, options.csrfTokenUrl) : null,
    ...(options.timeout && { stallTimeout: options.timeout }),
    ...(options.chunkSize && { chunkSize: options.chunkSize }),
  };
}

/**
 * Return the function that returns the page's CSRF token, and a new one after a refusal.
 *
 * @param {string} token
 * @param {string} url
 * @returns {(asked: {refused: boolean}) => Promise<string>}
 */
function csrfTokens(token, url) {
  return async ({ refused }) => {
    if (refused) token = (await (await fetch(url)).json()).csrf_token;
    return token;
  };
}

/**
 * Return the options for Dropzone. The page's own (`Dropzone.options.<id>`) come before ours.
 *
 * @param {ZoneOptions} options
 * @param {HTMLElement} element
 * @param {import("./words.js").Words} words
 */
export function dropzoneOptions(options, element, words) {
  return {
    ...words.dictionary,
    url: options.endpoint,
    paramName: options.fieldName,
    parallelUploads: options.parallel,
    maxFilesize: options.maxBytes === null ? null : options.maxBytes / 2 ** 20,
    maxFiles: options.maxFiles,
    acceptedFiles: options.accept,
    createImageThumbnails: options.thumbnails,
    addRemoveLinks: options.removeLinks,
    autoProcessQueue: !options.button,
    ...options.dropzone,
    ...Dropzone.optionsForElement(element),
  };
}

/**
 * Return the options for Dropzone's own requests.
 *
 * @param {ZoneOptions} options
 */
export function wholeRequests(options) {
  return {
    uploadMultiple: options.multiple,
    ...(options.csrfToken && { headers: { "X-CSRF-Token": options.csrfToken } }),
    ...(options.timeout && { timeout: options.timeout }),
  };
}
