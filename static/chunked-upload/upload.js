/** One upload as the page sees it: state, progress, events and controls. */

import { sleep } from "./abortable.js";
import { Stopped, UploadError } from "./errors.js";
import { TransferState } from "./transfer-state.js";

/** @typedef {import("./types.js").UploadState} UploadState */
/** @typedef {import("./types.js").UploadRecord} UploadRecord */
/** @typedef {import("./transfer.js").Transfer} Transfer */

/** States in which an upload runs, or will run without the user's help. @type {ReadonlySet<UploadState>} */
export const ACTIVE = new Set(["queued", "checking", "uploading", "waiting", "completing"]);

/** Milliseconds in which the last bytes of a request that was ended reach the server. */
const LAST_BYTES = 200;

/**
 * What an upload needs from its uploader.
 *
 * @typedef {object} Owner
 * @property {(state: TransferState) => Transfer} createTransfer
 * @property {(upload: Upload) => void} onChange Its state changed, or there is a notice.
 * @property {() => void} onProgress
 * @property {(upload: Upload) => void} onCanceled
 */

/**
 * One upload. Created by `uploader.add`.
 *
 * Events: `statechange` (detail: `StateChange`), `progress` (`Progress`), `done` (`{result}`),
 * `error` (`{error}`), `notice` (`Notice`).
 */
export class Upload extends EventTarget {
  #owner;
  #order;
  #state;
  #transfer;
  /** @type {AbortController | null} */
  #run = null;
  /** The previous run; the next one starts when it has ended. @type {Promise<unknown>} */
  #previousRun = Promise.resolve();
  /** Ends the question for the offset after a pause. */
  #settling = new AbortController();
  /** @type {UploadError | null} */
  #error = null;
  /** @type {UploadRecord | null} */
  #result = null;

  /**
   * @param {File} file
   * @param {Required<import("./types.js").AddOptions>} options
   * @param {number} order
   * @param {Owner} owner
   */
  constructor(file, options, order, owner) {
    super();
    this.#owner = owner;
    this.#order = order;
    this.#state = new TransferState(file, options, (type, detail) => this.#emit(type, detail));
    this.#transfer = owner.createTransfer(this.#state);
    // Listeners that are added in the same task miss no event.
    queueMicrotask(() => this.state === "queued" && this.#start());
  }

  /** Unique within this page. */
  get id() {
    return `upload-${this.#order}`;
  }

  /** Position in the order in which files were added. */
  get order() {
    return this.#order;
  }

  get file() {
    return this.#state.file;
  }

  /** Fields to store with this upload; read when the first chunk is sent. */
  get metadata() {
    return this.#state.metadata;
  }

  set metadata(fields) {
    this.#state.metadata = fields;
  }

  get handle() {
    return this.#state.handle;
  }

  get name() {
    return this.#state.name;
  }

  /** Path below the chosen folder, ending with the name; empty for a file chosen by itself. */
  get path() {
    return this.#state.path;
  }

  /** In bytes. */
  get size() {
    return this.#state.size;
  }

  /** The server's id; null until the first chunk is stored. */
  get uploadId() {
    return this.#state.uploadId;
  }

  /** Bytes that the server has confirmed. */
  get offset() {
    return this.#state.offset;
  }

  /** The same, plus what has probably arrived since; for progress bars. */
  get sent() {
    return this.#state.sent;
  }

  /** Bytes per second, smoothed; 0 while unknown or not uploading. */
  get speed() {
    return this.#state.speed;
  }

  /** Null while unknown. */
  get secondsLeft() {
    return this.#state.secondsLeft;
  }

  get state() {
    return this.#state.state;
  }

  /** Why it waits, while `state` is `waiting`. */
  get waiting() {
    return this.#state.waiting;
  }

  /** When the server deletes the unfinished upload (ISO 8601). */
  get expires() {
    return this.#state.expires;
  }

  /** Why it failed. */
  get error() {
    return this.#error;
  }

  /** The server's record of the finished file. */
  get result() {
    return this.#result;
  }

  /** Stop sending. What has arrived stays on the server, which is asked how much that is. */
  pause() {
    if (!ACTIVE.has(this.state)) return;
    const isUntouched = this.state === "queued" && this.uploadId === null;
    this.#stop("paused");
    if (isUntouched) return; // there is nothing to ask the server for
    const settling = (this.#settling = new AbortController());
    this.#previousRun = this.#previousRun.then(() => this.#settle(settling.signal));
  }

  /** Pause, and send no further request. */
  close() {
    this.pause();
    this.#settling.abort();
    this.#transfer.close();
  }

  /**
   * Continue after `pause()`. While the upload is `waiting`, try again now (after signing in, for
   * example). If a request is under way and fails, the next try follows at once.
   */
  resume() {
    if (this.state === "paused") this.#start();
    else this.#transfer.retryNow();
  }

  /**
   * Try again after `failed`, from the bytes that the server has. After a checksum mismatch the upload
   * is deleted on the server and the whole file is sent again.
   */
  retry() {
    if (this.state === "failed") this.#start(this.#error?.code ?? null);
  }

  /**
   * Cancel the upload and delete it on the server.
   *
   * @returns {Promise<boolean>} Whether the server confirmed; if not, the upload expires there.
   */
  async cancel() {
    if (this.state === "done" || this.state === "canceled") return false;
    this.#stop("canceled");
    this.#owner.onCanceled(this);
    return this.#transfer.cancel();
  }

  /**
   * Start, or start again.
   *
   * @param {import("./types.js").ErrorCode | null} [after] The error of the previous run.
   */
  #start(after = null) {
    const run = new AbortController();
    this.#settling.abort();
    this.#run = run;
    this.#error = null;
    this.#state.enter("queued");
    this.#previousRun = this.#previousRun
      .then(() => this.#transfer.run(run.signal, after))
      .then(
        (result) => this.#finish(run, result),
        (error) => this.#fail(run, error),
      );
  }

  /**
   * Ask the server how much it has. Nothing depends on the answer: it is asked again on resuming.
   *
   * @param {AbortSignal} signal
   */
  async #settle(signal) {
    try {
      await sleep(LAST_BYTES, { signal, events: [], onReady: () => {} });
      await this.#transfer.settle(signal);
    } catch {
      // The upload shows what was sent, as far as this page knows.
    }
  }

  /** @param {"paused" | "canceled"} state */
  #stop(state) {
    this.#run?.abort(new Stopped(state));
    this.#run = null;
    this.#settling.abort();
    if (!this.#transfer.keepsPrefix) this.#state.sent = this.offset;
    this.#state.enter(state);
  }

  /**
   * @param {AbortController} run
   * @param {UploadRecord} result
   */
  #finish(run, result) {
    if (this.#run !== run) return;
    this.#run = null;
    this.#result = result;
    this.#state.expires = null;
    this.#state.move(this.size);
    this.#state.enter("done");
    this.#emit("done", { result });
  }

  /**
   * @param {AbortController} run
   * @param {unknown} error
   */
  #fail(run, error) {
    if (this.#run !== run) return; // paused or canceled, which #stop has announced
    this.#run = null;
    if (!this.#transfer.keepsPrefix) this.#state.sent = this.offset;
    this.#error =
      error instanceof UploadError
        ? error
        : new UploadError("internal", { detail: String(error), cause: error });
    this.#state.enter("failed");
    this.#emit("error", { error: this.#error });
  }

  /**
   * @param {"statechange" | "progress" | "notice" | "done" | "error"} type
   * @param {object} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
    if (type === "statechange" || type === "notice") this.#owner.onChange(this);
    if (type === "progress") this.#owner.onProgress();
  }
}
