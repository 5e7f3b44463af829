// @ts-check
/** The page's configuration, as the server writes it, and the library's options that follow from it. */

import { dotted } from "./limits.js";

/**
 * Where the page runs and what the server accepts. Only the endpoint is required.
 *
 * @typedef {object} Config
 * @property {string} endpoint
 * @property {string | null} title Heading; null for none.
 * @property {string | null} logo Address of a picture; null for none.
 * @property {Record<string, string> | null} accent Shades of an accent colour; null for the page's own.
 * @property {string} fieldName
 * @property {number | null} maxBytes
 * @property {number | null} maxChunkBytes
 * @property {string[] | null} allowedExtensions
 * @property {string[]} deniedExtensions
 * @property {{bytes: number | null, files: number | null}} quota What a user's unfinished uploads may hold.
 * @property {Usage | null} usage Null where no limit of what a user may store or send needs to be shown.
 * @property {boolean} md5 Whether to send a checksum.
 * @property {"md5" | "sha256"} checksum
 * @property {string | null} csrfTokenUrl
 * @property {string | null} language For browsers that ask for none of the languages; null for English.
 * @property {string[] | null} languages Languages to choose from; null for all that the page has.
 * @property {string | null} account Address that says who is signed in and what is left of the quota.
 * @property {number | null} expiresAfter Seconds after which an unfinished upload is deleted.
 * @property {{maxAge: number} | null} share How long a link to a file may work, in seconds; null for no links.
 * @property {{with: "token" | "app" | null, url: string | null}} signIn
 */

/**
 * Where the server says how much of their limits a user has used, and the limits of who asked for the page.
 *
 * @typedef {{url: string, storedBytes: number | null, storedFiles: number | null, bytesPerDay: number | null}} Usage
 */

/** @type {Omit<Config, "endpoint">} */
const DEFAULTS = {
  title: null,
  logo: null,
  accent: null,
  fieldName: "file",
  maxBytes: null,
  maxChunkBytes: null,
  allowedExtensions: null,
  deniedExtensions: [],
  quota: { bytes: null, files: null },
  usage: null,
  md5: true,
  checksum: "md5",
  csrfTokenUrl: null,
  language: null,
  languages: null,
  account: null,
  expiresAfter: null,
  share: null,
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
 * @param {() => number | null} maxBytes
 */
export function uploaderOptions(config, headers, maxBytes) {
  const { endpoint, fieldName, md5, checksum, maxChunkBytes, csrfTokenUrl } = config;
  const { allowedExtensions, deniedExtensions } = config;
  return {
    endpoint,
    fieldName,
    md5,
    checksum,
    maxBytes,
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
export function csrfTokenFrom(url) {
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
