// @ts-check
/** The page's configuration, as the server writes it, and the library's options that follow from it. */

import { dotted } from "./limits.js";

/**
 * Where the page runs and what the server accepts. Only the endpoint is required.
 *
 * @typedef {object} Config
 * @property {string} endpoint
 * @property {string | null} title Heading; null for none.
 * @property {string} fieldName
 * @property {number | null} maxBytes
 * @property {number | null} maxChunkBytes
 * @property {string[] | null} allowedExtensions
 * @property {string[]} deniedExtensions
 * @property {boolean} md5 Whether to send a checksum.
 * @property {"md5" | "sha256"} checksum
 * @property {string | null} csrfTokenUrl
 * @property {{with: "token" | "app" | null, url: string | null}} signIn
 */

/** @type {Omit<Config, "endpoint">} */
const DEFAULTS = {
  title: null,
  fieldName: "file",
  maxBytes: null,
  maxChunkBytes: null,
  allowedExtensions: null,
  deniedExtensions: [],
  md5: true,
  checksum: "md5",
  csrfTokenUrl: null,
  signIn: { with: null, url: null },
};

/** Largest chunk in bytes, where the server allows larger ones. */
const MAX_CHUNK = 8 * 2 ** 20;

/** @param {Partial<Config> & {endpoint: string}} config @returns {Config} */
export function withDefaults(config) {
  return { ...DEFAULTS, ...config };
}

/**
 * Return the options for `ChunkedUploader`.
 *
 * @param {Config} config
 * @param {() => Record<string, string>} headers
 */
export function uploaderOptions(config, headers) {
  const { endpoint, fieldName, md5, checksum, maxBytes, maxChunkBytes, csrfTokenUrl } = config;
  const { allowedExtensions, deniedExtensions } = config;
  return {
    endpoint,
    fieldName,
    md5,
    checksum,
    maxBytes: maxBytes ?? undefined,
    accept: allowedExtensions ? dotted(allowedExtensions).join(",") : undefined,
    refuse: dotted(deniedExtensions).join(","),
    chunkSize: maxChunkBytes ? Math.min(maxChunkBytes, MAX_CHUNK) : undefined,
    headers,
    csrf: csrfTokenUrl === null ? undefined : csrfTokenFrom(csrfTokenUrl),
  };
}

/**
 * Return the function that gets the CSRF token: it is fetched once, and again after a refusal.
 *
 * @param {string} url
 * @returns {(asked: {refused: boolean}) => Promise<string | null>}
 */
function csrfTokenFrom(url) {
  /** @type {Promise<string | null> | null} */
  let token = null;
  return ({ refused }) => {
    if (refused) token = null;
    token ??= fetch(url)
      .then((response) => response.json())
      .then((reply) => reply.csrf_token);
    token.catch(() => (token = null));
    return token;
  };
}
