/**
 * What the library says to people, in English. Every text has a code and data, so that a page with
 * another language (or other words) can take its own: see `ErrorCode`, `NoticeCode` and
 * `WaitReason` in types.js.
 */

/** @typedef {Record<string, unknown>} Data */

/** @type {Record<import("./types.js").ErrorCode, (data: Data) => string>} */
export const ERRORS = {
  type: ({ accept }) => `Files of this type are not accepted${accept ? `, only: ${accept}` : ""}.`,
  size: (data) =>
    `The file is too large: ${data.size} bytes, at most ${data.maxBytes} are accepted.`,
  changed: () => "The file was changed or moved while it was being uploaded. Choose it again.",
  unreadable: () => "The browser may not read the file. Choose it again.",
  checksum: () =>
    "What arrived is not what was sent: the checksums differ. Try again; everything is sent anew.",
  refused: (data) => `The server does not accept it: ${data.detail || `status ${data.status}`}.`,
  server: (data) => `The server failed again and again: ${data.detail || `status ${data.status}`}.`,
  network: () => "The server cannot be reached.",
  worker: () => "The checksum cannot be computed: its script could not be loaded.",
  internal: (data) => `Something went wrong in the page: ${data.detail}.`,
};

/** @type {Record<import("./types.js").NoticeCode, (data: Data) => string>} */
export const NOTICES = {
  resumed: (data) => `Goes on from ${data.offset} bytes that were uploaded before.`,
  expired: () => "The unfinished upload had expired on the server; it begins anew.",
  missing: () => "The unfinished upload is no longer on the server; it begins anew.",
  "different-file": () =>
    "An unfinished upload of this name is of a different file; this one begins anew.",
  elsewhere: () => "Another tab has uploaded this file in the meantime.",
};

/** @type {Record<import("./types.js").WaitReason, () => string>} */
export const WAITING = {
  network: () => "Waiting for the network.",
  server: () => "Waiting for the server.",
  "storage-full": () => "Waiting: the server's disk is full.",
  "sign-in": () => "Waiting: sign in to go on.",
  "other-tab": () => "Waiting: another tab is uploading this file.",
};
