/**
 * What the template helper writes into a zone's attribute, and what the uploader and Dropzone get of it.
 */

/**
 * @typedef {object} ZoneOptions
 * @property {string} endpoint Where the service is.
 * @property {string | null} csrfToken Empty when none is needed, null when the service is to be asked.
 * @property {string} csrfTokenUrl Where to get a new one.
 * @property {string} fieldName
 * @property {number | null} maxBytes
 * @property {number | null} maxFiles
 * @property {string | null} accept
 * @property {number} parallel
 * @property {number | null} timeout
 * @property {number | null} chunkSize
 * @property {boolean} resume
 * @property {boolean} md5
 * @property {Record<string, string>} metadata
 * @property {boolean} thumbnails
 * @property {boolean} removeLinks
 * @property {string | null} redirect Where to go once all uploads have succeeded.
 * @property {string | null} button Id of the button that starts them.
 * @property {boolean} inForm
 * @property {string} uploadIdName
 * @property {Record<string, string>} texts Dropzone's `dict…` options and the module's own.
 */

/** Dropzone's texts that it puts into the page as HTML. */
const AS_HTML = ["dictDefaultMessage", "dictCancelUpload", "dictRemoveFile"];

/**
 * @param {ZoneOptions} options
 * @returns {import("./types.js").UploaderOptions}
 */
export function uploaderOptions(options) {
  const far = new URL(options.endpoint, location.href).origin !== location.origin;
  return {
    endpoint: options.endpoint,
    fieldName: options.fieldName,
    simultaneous: options.parallel,
    resume: options.resume,
    md5: options.md5,
    credentials: far ? "include" : "same-origin",
    csrf: options.csrfToken ? tokens(options.csrfToken, options.csrfTokenUrl) : null,
    ...(options.timeout && { stallTimeout: options.timeout }),
    ...(options.chunkSize && { chunkSize: options.chunkSize }),
  };
}

/**
 * Give the page's CSRF token, and new ones once it is older than its session.
 *
 * @param {string} token
 * @param {string} url
 * @returns {(asked: {refused: boolean}) => Promise<string>}
 */
function tokens(token, url) {
  return async ({ refused }) => {
    if (refused) token = (await (await fetch(url)).json()).csrf_token;
    return token;
  };
}

/** @param {ZoneOptions} options */
export function dropzoneOptions(options) {
  const texts = { ...options.texts };
  for (const name of AS_HTML) texts[name] = escape(texts[name]);
  return {
    ...texts,
    url: options.endpoint,
    paramName: options.fieldName,
    parallelUploads: options.parallel,
    maxFilesize: options.maxBytes === null ? null : options.maxBytes / 2 ** 20,
    maxFiles: options.maxFiles,
    acceptedFiles: options.accept,
    createImageThumbnails: options.thumbnails,
    addRemoveLinks: options.removeLinks,
    autoProcessQueue: !options.button,
  };
}

/** @param {string} text */
function escape(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element.innerHTML;
}
