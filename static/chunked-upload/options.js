/** The uploader's options: defaults, and checks whose errors say what was expected. */

/** @typedef {import("./types.js").UploaderOptions} UploaderOptions */

/**
 * Options with every default filled in.
 *
 * @typedef {Required<Omit<UploaderOptions, "chunkSize" | "maxBytes" | "accept" | "refuse" | "csrf">> &
 *   {chunkSize: number | null, maxBytes: UploaderOptions["maxBytes"] | null, accept: string | null, refuse: string | null,
 *   csrf: UploaderOptions["csrf"] | null}} Options
 */

/** @returns {Options} */
function defaults() {
  return {
    endpoint: "/uploads/",
    chunkSize: null,
    protocol: "auto",
    simultaneous: 3,
    fieldName: "file",
    md5: true,
    checksum: "md5",
    resume: true,
    maxBytes: null,
    accept: null,
    refuse: null,
    metadata: {},
    headers: () => ({}),
    csrf: null,
    credentials: "same-origin",
    retryDelays: [500, 1000, 2000, 4000, 8000, 15000, 30000],
    stallTimeout: 60000,
    workerUrl: new URL("../md5-worker.js", import.meta.url),
  };
}

/** @param {unknown} value */
const isCount = (value) => Number.isSafeInteger(value) && Number(value) > 0;
/** @param {unknown} value */
const isBoolean = (value) => typeof value === "boolean";
/** @param {unknown} value */
const isFunction = (value) => typeof value === "function";
/** @param {unknown} value */
const isText = (value) => typeof value === "string" && value !== "";

/** Fields that the protocol uses itself. */
const RESERVED = ["upload_id", "md5", "sha256"];

/** @param {unknown} value */
const isFields = (value) =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(([k, v]) => typeof v === "string" && !RESERVED.includes(k));

/** @param {unknown} value */
const isDelays = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((delay) => delay >= 0);

/** @type {Record<keyof Options, [(value: unknown) => boolean, string]>} */
const RULES = {
  endpoint: [(value) => isText(value) && URL.canParse(String(value), document.baseURI), "a URL"],
  chunkSize: [(value) => value === null || isCount(value), "a whole number of bytes above 0"],
  protocol: [
    (value) => value === "auto" || value === "offsets" || value === "chunks",
    '"auto", "offsets" or "chunks"',
  ],
  simultaneous: [isCount, "a whole number above 0"],
  fieldName: [isText, "a name"],
  md5: [isBoolean, "true or false"],
  checksum: [(value) => value === "md5" || value === "sha256", '"md5" or "sha256"'],
  resume: [isBoolean, "true or false"],
  maxBytes: [
    (value) => value === null || isCount(value) || isFunction(value),
    "a whole number of bytes above 0, or a function that returns it",
  ],
  accept: [(value) => value === null || typeof value === "string", 'a text such as ".pdf,image/*"'],
  refuse: [(value) => value === null || typeof value === "string", 'a text such as ".exe,.bat"'],
  metadata: [isFields, "an object of texts, without upload_id, md5 and sha256"],
  headers: [isFunction, "a function that returns an object of headers"],
  csrf: [(value) => value === null || isFunction(value), "a function that returns the token"],
  credentials: [
    (value) => value === "same-origin" || value === "include",
    '"same-origin" or "include"',
  ],
  retryDelays: [isDelays, "an array of milliseconds, with at least one"],
  stallTimeout: [isCount, "milliseconds above 0"],
  workerUrl: [(value) => isText(value) || value instanceof URL, "a URL"],
};

/**
 * Check the options and fill in the defaults.
 *
 * @param {UploaderOptions} given
 * @returns {Options} `endpoint` is absolute and ends with a slash.
 * @throws {TypeError} for an unknown option or an invalid value.
 */
export function readOptions(given) {
  const options = defaults();
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(RULES, name)) {
      const known = Object.keys(RULES).join(", ");
      throw new TypeError(`ChunkedUploader has no option "${name}"; it has ${known}`);
    }
    if (value === undefined) continue;
    check(/** @type {keyof Options} */ (name), value);
    Object.assign(options, { [name]: value });
  }
  const endpoint = new URL(options.endpoint, document.baseURI);
  if (!endpoint.pathname.endsWith("/")) endpoint.pathname += "/";
  options.endpoint = endpoint.href;
  return options;
}

/**
 * Check one option's value.
 *
 * @param {keyof Options} name
 * @param {unknown} value
 * @throws {TypeError} when the value is invalid.
 */
export function check(name, value) {
  const [fits, expected] = RULES[name];
  if (!fits(value)) throw new TypeError(`ChunkedUploader's option "${name}" must be ${expected}`);
}
