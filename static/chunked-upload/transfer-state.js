/**
 * What is known about one upload: its file, its place on the server, its state and progress. The modules
 * of the transfer read and change it; `Upload` shows it to the page and passes its events on.
 */

import { NOTICES } from "./messages.js";
import { Speedometer } from "./speed.js";

/** @typedef {import("./types.js").UploadState} UploadState */
/** @typedef {import("./types.js").Waiting} Waiting */

/** Milliseconds between `progress` events. */
const PROGRESS_INTERVAL = 100;

export class TransferState {
  /** Bytes that the server has confirmed. */
  offset = 0;
  /** The same, plus what has probably arrived since. */
  sent = 0;
  /** The server's id; null until the first chunk is stored. @type {string | null} */
  uploadId = null;
  /** When the server deletes the unfinished upload (ISO 8601). @type {string | null} */
  expires = null;
  /** Path of a file that was chosen alone, if it is known from before. */
  knownPath = "";
  /** @type {UploadState} */
  state = "queued";
  /** Why it waits, while `state` is `waiting`. @type {Waiting | null} */
  waiting = null;
  #speedometer = new Speedometer();
  #emit;
  #lastProgress = 0;

  /**
   * @param {File} file
   * @param {Required<import("./types.js").AddOptions>} options
   * @param {(type: "statechange" | "progress" | "notice", detail: object) => void} emit
   */
  constructor(file, { metadata, handle }, emit) {
    this.file = file;
    this.metadata = metadata;
    this.handle = handle;
    this.#emit = emit;
  }

  get name() {
    return this.file.name;
  }

  /** Path below the chosen folder, ending with the name; empty for a file chosen by itself. */
  get path() {
    return this.metadata.relative_path ?? (this.file.webkitRelativePath || this.knownPath);
  }

  get size() {
    return this.file.size;
  }

  get speed() {
    return this.state === "uploading" ? this.#speedometer.speed : 0;
  }

  /** @returns {number | null} Null while unknown. */
  get secondsLeft() {
    return this.speed ? (this.size - this.sent) / this.speed : null;
  }

  /**
   * @param {UploadState} state
   * @param {Waiting | null} [waiting]
   */
  enter(state, waiting = null) {
    const from = this.state;
    this.state = state;
    this.waiting = waiting;
    if (state === "uploading") this.#speedometer.start(this.sent);
    if (state !== from || waiting) this.#emit("statechange", { from, to: state, waiting });
  }

  /**
   * @param {number} offset Bytes that the server has confirmed.
   * @param {number} [sent] The same, plus what has probably arrived since.
   */
  move(offset, sent = offset) {
    this.offset = offset;
    this.sent = sent;
    this.#speedometer.measure(sent);
    const now = performance.now();
    if (now - this.#lastProgress < PROGRESS_INTERVAL && sent !== this.size) return;
    this.#lastProgress = now;
    const { size, speed, secondsLeft } = this;
    this.#emit("progress", { offset, sent, size, speed, secondsLeft });
  }

  /**
   * @param {import("./types.js").NoticeCode} code
   * @param {Record<string, unknown>} [data]
   */
  notice(code, data = {}) {
    this.#emit("notice", { code, data, message: NOTICES[code](data) });
  }
}
