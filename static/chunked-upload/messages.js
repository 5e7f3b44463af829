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
  changed: () => "The file was changed or moved during the upload. Choose it again.",
  unreadable: () => "The browser can no longer read the file. Choose it again.",
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
  expired: () => "The earlier upload has expired. This one starts from the beginning.",
  missing: () => "The server no longer has the earlier upload. This one starts from the beginning.",
  "different-file": () =>
    "The file is not the same as in the earlier upload. This one starts from the beginning.",
  elsewhere: () => "Another tab has already uploaded this file.",
  "same-file": () => "This file is in the list twice. It was uploaded once.",
  "not-remembered": () =>
    "This browser keeps no data for this site. After a reload, choose the files again to resume.",
};

/** @type {Record<import("./types.js").WaitReason, () => string>} */
export const WAITING = {
  offline: () => "No network. The upload will resume by itself.",
  unreachable: () => "The server is not responding. Trying again.",
  server: () => "Waiting for the server.",
  "storage-full": () => "Waiting: the server's disk is full.",
  "sign-in": () => "Waiting: sign in to resume.",
  "other-tab": () => "Waiting: another tab is uploading this file.",
  "same-file": () => "Waiting: this file is in the list twice.",
};
