/**
 * The library's messages, in English. Every message has a code and data, so that a page can show its
 * own text, for example in another language: see `ErrorCode`, `NoticeCode` and `WaitReason` in
 * types.js.
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
    "The uploaded bytes differ from the file: the checksums do not match. Try again to send the whole file.",
  refused: (data) => `The server refused the upload: ${data.detail || `status ${data.status}`}.`,
  server: (data) => `The server failed several times: ${data.detail || `status ${data.status}`}.`,
  network: () => "The server cannot be reached.",
  worker: () => "The checksum cannot be computed: its script could not be loaded.",
  internal: (data) => `Something went wrong in the page: ${data.detail}.`,
};

/** @type {Record<import("./types.js").NoticeCode, (data: Data) => string>} */
export const NOTICES = {
  resumed: (data) => `Resumed at ${data.offset} bytes.`,
  expired: () => "The unfinished upload has expired. The upload starts again.",
  missing: () => "The server no longer has the unfinished upload. The upload starts again.",
  "different-file": () =>
    "The unfinished upload of this name is of a different file. The upload starts again.",
  elsewhere: () => "Another tab has uploaded this file meanwhile.",
};

/** @type {Record<import("./types.js").WaitReason, () => string>} */
export const WAITING = {
  network: () => "Waiting for the network.",
  server: () => "Waiting for the server.",
  "storage-full": () => "Waiting: the server's disk is full.",
  "sign-in": () => "Waiting: sign in to continue.",
  "other-tab": () => "Waiting: another tab is uploading this file.",
};
