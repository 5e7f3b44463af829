// @ts-check
/** An upload's state in words: what happens, and after a failure, what to do. */

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */
/** @typedef {import("../chunked-upload/types.js").UploadState} UploadState */
/** @typedef {import("../chunked-upload/types.js").ErrorCode} ErrorCode */
/** @typedef {import("../chunked-upload/types.js").NoticeCode} NoticeCode */
/** @typedef {import("../chunked-upload/types.js").WaitReason} WaitReason */
/** @typedef {import("./format.js").Texts} Texts */
/** @typedef {import("./text.js").MessageKey} MessageKey */

/** Running, or about to run without the user's help. @type {ReadonlySet<UploadState>} */
export const ACTIVE = new Set(["queued", "checking", "uploading", "waiting", "completing"]);
/** Ended. @type {ReadonlySet<UploadState>} */
export const OVER = new Set(["done", "failed", "canceled"]);

/** @type {Record<UploadState, MessageKey>} */
const STATES = {
  queued: "stateQueued",
  checking: "stateChecking",
  uploading: "stateUploading",
  waiting: "waitingServerSoon",
  paused: "statePaused",
  completing: "stateCompleting",
  done: "stateDone",
  failed: "errorInternal",
  canceled: "stateCanceled",
};

/** @type {Record<Exclude<WaitReason, "server">, MessageKey>} */
const WAITING = {
  network: "waitingNetwork",
  "storage-full": "waitingStorage",
  "sign-in": "waitingSignIn",
  "other-tab": "waitingOtherTab",
};

/** @type {Record<ErrorCode, MessageKey>} */
const ERRORS = {
  type: "errorType",
  size: "errorSize",
  changed: "errorChanged",
  unreadable: "errorUnreadable",
  checksum: "errorChecksum",
  refused: "errorRefused",
  server: "errorServer",
  network: "unreachable",
  worker: "errorWorker",
  internal: "errorInternal",
};

/** @type {Record<NoticeCode, MessageKey>} */
const NOTICES = {
  resumed: "noticeResumed",
  expired: "noticeExpired",
  missing: "noticeMissing",
  "different-file": "noticeDifferent",
  elsewhere: "noticeElsewhere",
};

/**
 * Return whether a retry may succeed. A file that was refused for its type or size is refused again.
 *
 * @param {Upload} upload
 */
export function canRetry({ state, error }) {
  return state === "failed" && error?.code !== "type" && error?.code !== "size";
}

/** @param {Upload} upload @param {Texts} texts @returns {string} */
export function stateWords(upload, texts) {
  if (upload.state === "failed" && upload.error) return errorWords(upload.error, texts);
  if (upload.state === "waiting") return waitingWords(upload, texts);
  const percent = texts.percent(upload.sent, upload.size);
  return texts.say(STATES[upload.state], { percent, size: texts.size(upload.size) });
}

/** @param {Upload} upload @param {Texts} texts */
function waitingWords(upload, texts) {
  const { reason, until } = upload.waiting ?? { reason: "server", until: null };
  if (reason !== "server") return texts.say(WAITING[reason]);
  if (until === null || until <= Date.now()) return texts.say("waitingServerSoon");
  return texts.say("waitingServer", { when: texts.until(until) });
}

/** @param {UploadError} error @param {Texts} texts @returns {string} */
export function errorWords(error, texts) {
  const { maxBytes, size } = error.data;
  const values = {
    detail: error.detail || error.message,
    limit: texts.size(Number(maxBytes ?? 0)),
    size: texts.size(Number(size ?? 0)),
  };
  return texts.say(ERRORS[error.code] ?? "errorInternal", values);
}

/**
 * @param {{code: NoticeCode, data: Record<string, unknown>}} notice
 * @param {Texts} texts
 */
export function noticeWords(notice, texts) {
  return texts.say(NOTICES[notice.code], { size: texts.size(Number(notice.data.offset ?? 0)) });
}

/**
 * Return speed and time left; empty where they are unknown.
 *
 * @param {{speed: number, secondsLeft: number | null}} progress
 * @param {Texts} texts
 */
export function speedWords({ speed, secondsLeft }, texts) {
  if (speed <= 0) return "";
  if (secondsLeft === null) return texts.speed(speed);
  return texts.say("speedAndTime", {
    speed: texts.speed(speed),
    time: texts.duration(secondsLeft),
  });
}

/**
 * Return why a request failed: the server's message, or that the server cannot be reached.
 *
 * @param {unknown} error
 * @param {Texts} texts
 */
export function problemWords(error, texts) {
  const { status, detail } = /** @type {UploadError} */ (error);
  return (status && detail) || texts.say("unreachable");
}
