// @ts-check
/** An upload's state in words: what happens, and after a failure, what to do. */

import { serverWords } from "./server-words.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */
/** @typedef {import("../chunked-upload/types.js").UploadState} UploadState */
/** @typedef {import("../chunked-upload/types.js").ErrorCode} ErrorCode */
/** @typedef {import("../chunked-upload/types.js").NoticeCode} NoticeCode */
/** @typedef {import("../chunked-upload/types.js").WaitReason} WaitReason */
/** @typedef {import("./format.js").Texts} Texts */
/** @typedef {import("./format.js").MessageKey} MessageKey */

/** Running, or about to run without the user's help. @type {ReadonlySet<UploadState>} */
export const ACTIVE = new Set(["queued", "checking", "uploading", "waiting", "completing"]);
/** Ended. @type {ReadonlySet<UploadState>} */
export const OVER = new Set(["done", "failed", "canceled"]);

/** Bytes from which on a percent alone would stand still. */
const LARGE = 100_000_000;

/** @type {Record<UploadState, MessageKey>} */
const STATES = {
  queued: "stateQueued",
  checking: "stateChecking",
  uploading: "stateUploading",
  waiting: "tryingNow",
  paused: "statePaused",
  completing: "stateCompleting",
  done: "stateDone",
  failed: "errorInternal",
  canceled: "stateCanceled",
};

/** @type {Record<WaitReason, MessageKey>} */
const WAITING = {
  offline: "waitingOffline",
  unreachable: "waitingUnreachable",
  server: "waitingServer",
  "storage-full": "waitingStorage",
  "sign-in": "waitingSignIn",
  "other-tab": "waitingOtherTab",
  "same-file": "waitingSameFile",
};

/** Reasons that a new try may overcome. */
const TRIED_AGAIN = /** @type {Set<WaitReason>} */ (
  new Set(["unreachable", "server", "storage-full"])
);

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
  "same-file": "noticeSameFile",
  "not-remembered": "noticeNotRemembered",
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
  const { state, sent, size } = upload;
  if (state === "failed" && upload.error) return errorWords(upload.error, texts);
  if (state === "waiting") return waitingWords(upload, texts);
  const values = {
    percent: texts.percent(sent, size),
    sent: texts.size(sent),
    size: texts.size(size),
  };
  const large = state === "uploading" && size >= LARGE;
  return texts.say(large ? "stateUploadingLarge" : STATES[state], values);
}

/** @param {Upload} upload @param {Texts} texts */
function waitingWords({ waiting }, texts) {
  const { reason, until, detail } = waiting ?? { reason: "server", until: null, detail: "" };
  const words = reasonWords({ reason, detail }, texts);
  if (!TRIED_AGAIN.has(reason)) return words;
  if (until === null || until <= Date.now()) return `${words} ${texts.say("tryingNow")}`;
  return `${words} ${texts.say("tryingAgain", { when: texts.until(until) })}`;
}

/**
 * Return why an upload waits, without when it is tried again.
 *
 * @param {{reason: WaitReason, detail: string}} waiting
 * @param {Texts} texts
 */
export function reasonWords({ reason, detail }, texts) {
  const key = reason === "server" && detail === "" ? "waitingServerSilent" : WAITING[reason];
  return texts.say(key, { detail: serverWords(detail, texts) });
}

/** @param {UploadError} error @param {Texts} texts @returns {string} */
export function errorWords(error, texts) {
  const [limit, size] = [Number(error.data.maxBytes ?? 0), Number(error.data.size ?? 0)];
  const [saidLimit, saidSize] = texts.sizes(limit, size);
  const values = {
    detail: serverWords(error.detail || error.message, texts),
    limit: saidLimit,
    size: saidSize,
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
  return (status && serverWords(detail, texts)) || texts.say("unreachable");
}
