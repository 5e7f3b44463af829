/**
 * One file on its way, as the page sees it: state, progress, events and controls. How it gets there
 * is in transfer.js; the methods below `// For the transfer` are for that module alone.
 */

import { Stopped, UploadError } from "./errors.js";
import { NOTICES } from "./messages.js";
import { Speedometer } from "./speed.js";
import { Transfer } from "./transfer.js";

/** @typedef {import("./types.js").UploadState} UploadState */
/** @typedef {import("./types.js").UploadRecord} UploadRecord */
/** @typedef {import("./types.js").Waiting} Waiting */

/** Milliseconds between `progress` events. */
const PROGRESS_INTERVAL = 100;

/** States in which it is at work, or will be without anybody's help. @type {ReadonlySet<UploadState>} */
export const ACTIVE = new Set(["queued", "checking", "uploading", "waiting", "completing"]);

/**
 * One file on its way. Made by `uploader.add`.
 *
 * Events: `statechange` (detail: `StateChange`), `progress` (`Progress`), `done` (`{result}`),
 * `error` (`{error}`), `notice` (`Notice`).
 */
export class Upload extends EventTarget {
  #parts;
  #transfer;
  #speedometer = new Speedometer();
  /** @type {AbortController | null} */
  #running = null;
  /** The run before this one, which must have ended first. @type {Promise<unknown>} */
  #last = Promise.resolve();
  #reported = 0;

  /**
   * @param {import("./types.js").Parts} parts
   * @param {File} file
   * @param {Required<import("./types.js").AddOptions>} options
   * @param {number} order
   */
  constructor(parts, file, { metadata, handle }, order) {
    super();
    this.#parts = parts;
    /** Unique within this page. */
    this.id = `upload-${order}`;
    /** In which order uploads were added. */
    this.order = order;
    this.file = file;
    this.metadata = metadata;
    this.handle = handle;
    /** The server's id; null until the first chunk is stored. @type {string | null} */
    this.uploadId = null;
    /** Bytes the server has confirmed. */
    this.offset = 0;
    /** Those and the ones on their way; for progress bars. */
    this.sent = 0;
    /** @type {UploadState} */
    this.state = "queued";
    /** Why it waits, while `state` is `waiting`. @type {Waiting | null} */
    this.waiting = null;
    /** @type {UploadError | null} */
    this.error = null;
    /** The server's record of the finished file. @type {UploadRecord | null} */
    this.result = null;
    /** When the server gives up the unfinished upload (ISO 8601). @type {string | null} */
    this.expires = null;
    this.#transfer = new Transfer(parts, this);
  }

  get name() {
    return this.file.name;
  }

  /** In bytes. */
  get size() {
    return this.file.size;
  }

  /** Bytes per second, smoothed; 0 while unknown or not uploading. */
  get speed() {
    return this.state === "uploading" ? this.#speedometer.speed : 0;
  }

  /** @returns {number | null} Null while unknown. */
  get secondsLeft() {
    return this.speed ? (this.size - this.sent) / this.speed : null;
  }

  /** Stop sending; what the server has stays. */
  pause() {
    if (ACTIVE.has(this.state)) this.#stop("paused");
  }

  /**
   * Go on after `pause()`; while it waits, try right now (after signing in, say). While a request is
   * under way that fails, the next try comes right after it.
   */
  resume() {
    if (this.state === "paused") this.begin();
    else this.#transfer.hurry();
  }

  /**
   * After `failed`: try again. What the server has is used, but not after a checksum mismatch: then
   * it is removed there, and all is sent anew.
   */
  retry() {
    if (this.state === "failed") this.begin(this.error?.code ?? null);
  }

  /**
   * Give up, and remove it from the server.
   *
   * @returns {Promise<boolean>} Whether the server confirmed; if not, it expires there.
   */
  async cancel() {
    if (this.state === "done" || this.state === "canceled") return false;
    this.#stop("canceled");
    this.#parts.onCanceled(this);
    return this.#transfer.discard();
  }

  // For the transfer and the uploader

  /**
   * Start, or start again.
   *
   * @param {import("./types.js").ErrorCode | null} [after] What it failed with before.
   */
  begin(after = null) {
    const running = new AbortController();
    this.#running = running;
    this.error = null;
    this.enter("queued");
    this.#last = this.#last
      .then(() => this.#transfer.run(running.signal, after))
      .then(
        (result) => this.#finish(running, result),
        (error) => this.#fail(running, error),
      );
  }

  /** End without a word: the page lets go of the uploader. */
  close() {
    this.pause();
    this.#transfer.close();
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
    this.#parts.onChange(this);
  }

  /**
   * @param {number} offset Bytes the server has confirmed.
   * @param {number} [sent] With those on their way.
   */
  move(offset, sent = offset) {
    this.offset = offset;
    this.sent = sent;
    this.#speedometer.measure(sent);
    const now = performance.now();
    if (now - this.#reported < PROGRESS_INTERVAL && sent !== this.size) return;
    this.#reported = now;
    const { size, speed, secondsLeft } = this;
    this.#emit("progress", { offset, sent, size, speed, secondsLeft });
    this.#parts.onProgress();
  }

  /**
   * @param {import("./types.js").NoticeCode} code
   * @param {Record<string, unknown>} [data]
   */
  notice(code, data = {}) {
    this.#emit("notice", { code, data, message: NOTICES[code](data) });
    this.#parts.onChange(this);
  }

  /** @param {"paused" | "canceled"} state */
  #stop(state) {
    this.#running?.abort(new Stopped(state));
    this.#running = null;
    this.sent = this.offset;
    this.enter(state);
  }

  /**
   * @param {AbortController} running
   * @param {UploadRecord} result
   */
  #finish(running, result) {
    if (this.#running !== running) return;
    this.#running = null;
    this.result = result;
    this.expires = null;
    this.move(this.size);
    this.enter("done");
    this.#emit("done", { result });
  }

  /**
   * @param {AbortController} running
   * @param {unknown} error
   */
  #fail(running, error) {
    if (this.#running !== running) return; // stopped meanwhile, as it says itself
    this.#running = null;
    this.sent = this.offset;
    this.error =
      error instanceof UploadError
        ? error
        : new UploadError("internal", { detail: String(error), cause: error });
    this.enter("failed");
    this.#emit("error", { error: this.error });
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
