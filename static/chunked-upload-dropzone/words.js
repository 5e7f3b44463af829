/**
 * What a zone says. Texts that the app has set are shown as they are. All others are the page's own
 * (page/describe.js, page/texts/), so that a zone and the page say the same of an upload.
 */

import {
  canRetry,
  errorWords,
  noticeWords,
  reasonWords,
  speedWords,
  stateWords,
} from "../page/describe.js";
import { serverWords } from "../page/server-words.js";

/** @typedef {import("../page/format.js").Texts} Texts */
/** @typedef {import("../page/format.js").MessageKey} MessageKey */
/** @typedef {import("./tile.js").Shown} Shown */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */

/** The texts of a zone that are not about one upload. @type {Record<string, MessageKey>} */
const TEXTS = {
  dictDefaultMessage: "zoneMessage",
  dictFallbackMessage: "zoneFallback",
  dictInvalidFileType: "zoneType",
  dictMaxFilesExceeded: "zoneMaxFiles",
  dictResponseError: "zoneServerError",
  dictCancelUpload: "cancelConfirm",
  dictRemoveFile: "zoneRemove",
  dictCancelUploadConfirmation: "zoneCancelQuestion",
  dictUploadCanceled: "zoneCanceled",
  retry: "tryAgain",
};

/** What an app may say instead, by the reason why an upload waits. @type {Record<string, string>} */
const WAITING = {
  offline: "waitingNetwork",
  unreachable: "waitingServer",
  server: "waitingServer",
  "storage-full": "waitingServer",
  "sign-in": "waitingSignIn",
  "other-tab": "waitingOtherTab",
  "same-file": "waitingOtherTab",
};

/** The same by error code. @type {Record<string, string>} */
const ERRORS = {
  changed: "fileChanged",
  unreadable: "fileChanged",
  checksum: "checksumError",
  type: "dictInvalidFileType",
};

/** Texts that Dropzone inserts as HTML. */
const AS_HTML = ["dictDefaultMessage", "dictCancelUpload", "dictRemoveFile"];

export class Words {
  #texts;
  #app;
  #html;

  /**
   * @param {import("./zone-options.js").ZoneOptions} options
   * @param {Texts} texts
   */
  constructor(options, texts) {
    this.#texts = texts;
    const given = Object.entries(options.texts).filter(([name]) => options.given.includes(name));
    /** @type {Record<string, string>} */
    this.#app = Object.fromEntries(given);
    this.#html = new Set(options.htmlTexts);
  }

  /** Dropzone's `dict…` options. */
  get dictionary() {
    /** @type {Record<string, string>} */
    const texts = { dictFileTooBig: this.#app.dictFileTooBig };
    for (const name of Object.keys(TEXTS)) texts[name] = this.text(name);
    for (const name of AS_HTML) if (!this.#html.has(name)) texts[name] = escape(texts[name]);
    delete texts.retry;
    if (texts.dictFileTooBig === undefined) delete texts.dictFileTooBig;
    return texts;
  }

  /** @param {string} name One of `TEXTS`. */
  text(name) {
    return this.#app[name] ?? this.#texts.say(TEXTS[name]);
  }

  get retryNow() {
    return this.#app.retry ?? this.#texts.say("zoneRetryNow");
  }

  get pause() {
    return this.#texts.say("zonePause");
  }

  get resume() {
    return this.#texts.say("goOn");
  }

  /** What is said of a file that is not sent yet. @param {number} size */
  ready(size) {
    return this.#texts.say("zoneReady", { size: this.#texts.size(size) });
  }

  /** The upload's state, with speed and time left. @param {Shown} upload */
  state(upload) {
    if (upload.state === "waiting" && upload.waiting) return this.waiting(upload.waiting);
    const said = [stateWords(/** @type {any} */ (upload), this.#texts)];
    if (upload.state === "uploading") said.push(speedWords(upload, this.#texts));
    return said.filter(Boolean).join(" · ");
  }

  /** What an upload waits for. @param {import("../chunked-upload/types.js").Waiting} waiting */
  waiting(waiting) {
    const upload = /** @type {any} */ ({ state: "waiting", waiting });
    return this.#app[WAITING[waiting.reason]] ?? stateWords(upload, this.#texts);
  }

  /** The same without when it is tried again. @param {import("../chunked-upload/types.js").Waiting} waiting */
  reason(waiting) {
    return this.#app[WAITING[waiting.reason]] ?? reasonWords(waiting, this.#texts);
  }

  /** @param {any} notice */
  notice(notice) {
    return noticeWords(notice, this.#texts);
  }

  /** What went wrong, and what to do. @param {UploadError} error */
  error(error) {
    const own = ERRORS[error.code];
    if (own in this.#app || error.code === "type") return this.text(own);
    if (error.code === "refused" && error.detail) return serverWords(error.detail, this.#texts);
    if (error.code !== "refused") return errorWords(error, this.#texts);
    return this.text("dictResponseError").replace("{{statusCode}}", String(error.status));
  }

  /** @param {UploadError} error */
  canRetry(error) {
    return canRetry(/** @type {any} */ ({ state: "failed", error }));
  }

  /**
   * Return why a file is too large; undefined where the app has a text of its own.
   *
   * @param {number} size
   * @param {number} limit
   */
  tooLarge(size, limit) {
    if (this.#app.dictFileTooBig !== undefined) return undefined;
    const values = { size: this.#texts.size(size), limit: this.#texts.size(limit) };
    return this.#texts.say("errorSize", values);
  }

  /**
   * What is said of an upload that an earlier page has left.
   *
   * @param {{name: string, size: number}} upload
   */
  earlier({ name, size }) {
    return this.#texts.say("zoneEarlier", { name, size: this.#texts.size(size) });
  }
}

/** @param {string} text */
function escape(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element.innerHTML;
}
