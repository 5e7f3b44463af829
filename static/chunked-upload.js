/**
 * Resumable uploads from a browser to the chunked-upload service. No framework, no build step:
 *
 *     import { ChunkedUploader } from "/static/chunked-upload.js";
 *
 *     const uploader = new ChunkedUploader({ endpoint: "/uploads/" });
 *     const upload = uploader.add(input.files[0]);
 *     upload.addEventListener("progress", ({ detail }) => (bar.value = detail.sent / detail.size));
 *     upload.addEventListener("done", ({ detail }) => show(detail.result.url));
 *     upload.addEventListener("error", ({ detail }) => show(detail.error.message));
 *
 * Several files are sent at a time, and what has arrived is never sent again. After a lost connection, a restarted server or a page
 * reload, and in another browser of the same user, an upload resumes from what the server has. A worker
 * computes the MD5 meanwhile, so that the server can check it at the end. docs/client-library.md has
 * the recipes, chunked-upload/types.js the types.
 */

import { withUploadErrors } from "./chunked-upload/errors.js";
import { Hasher } from "./chunked-upload/hasher.js";
import { check, readOptions } from "./chunked-upload/options.js";
import { ResumeStore } from "./chunked-upload/resume-store.js";
import { openAgain } from "./chunked-upload/source.js";
import { Server } from "./chunked-upload/server.js";
import { totalProgress } from "./chunked-upload/total-progress.js";
import { transferFactory } from "./chunked-upload/transfer-factory.js";
import { ACTIVE, Upload } from "./chunked-upload/upload.js";

export { UploadError } from "./chunked-upload/errors.js";
export { ERRORS, NOTICES, WAITING } from "./chunked-upload/messages.js";
export { Upload } from "./chunked-upload/upload.js";

/** @typedef {import("./chunked-upload/types.js").AddOptions} AddOptions */
/** @typedef {import("./chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("./chunked-upload/transfer.js").Transfer} Transfer */

/** Milliseconds between `progress` events. */
const PROGRESS_INTERVAL = 100;

/**
 * Uploads files, a limited number at a time.
 *
 * Events: `added` and `removed` (detail: `{upload}`), `change` (`{upload}`: it has another state, or a
 * notice), `progress` (`TotalProgress`), `idle` (no upload continues without the user's help).
 */
export class ChunkedUploader extends EventTarget {
  #server;
  #hasher;
  #store;
  #createTransfer;
  /** @type {Set<Upload>} */
  #uploads = new Set();
  /** @type {WeakMap<Upload, Transfer>} */
  #transfers = new WeakMap();
  /** Keys of the resume store's entries that belong to `uploads`. @type {Set<string>} */
  #claimed = new Set();
  #added = 0;
  /** Uploads that run, or will run without the user's help. @type {Set<Upload>} */
  #active = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #progressTimer;

  /**
   * @param {import("./chunked-upload/types.js").UploaderOptions} [options]
   * @throws {TypeError} for an unknown option or an invalid value, saying what is expected.
   */
  constructor(options = {}) {
    super();
    const read = readOptions(options);
    this.#server = new Server(read);
    this.#hasher = new Hasher(read.workerUrl);
    this.#store = new ResumeStore(read.endpoint);
    const parts = { server: this.#server, hasher: this.#hasher, store: this.#store };
    this.#createTransfer = transferFactory(read, { ...parts, claimed: this.#claimed });
  }

  /**
   * All uploads in the order they were added, without canceled and dismissed ones.
   *
   * @returns {readonly Upload[]}
   */
  get uploads() {
    return [...this.#uploads];
  }

  /**
   * Queue a file. The upload starts after the current task, so listeners added in it miss nothing.
   *
   * @param {File} file
   * @param {AddOptions} [options]
   * @returns {Upload}
   * @throws {TypeError} when it is not a file, or the metadata is invalid.
   */
  add(file, options = {}) {
    return this.#add(file, options, null);
  }

  /**
   * @param {File} file
   * @param {AddOptions} options
   * @param {string | null} remembered Key of the resume store's entry, if it is known.
   */
  #add(file, { metadata = {}, handle = null }, remembered) {
    if (!(file instanceof File)) {
      throw new TypeError("ChunkedUploader.add takes a File, as <input type=file> gives it");
    }
    check("metadata", metadata);
    this.#added += 1;
    const order = this.#added;
    /** @type {Transfer | undefined} */
    let transfer;
    const upload = new Upload(file, { metadata, handle }, order, {
      createTransfer: (state) => (transfer = this.#createTransfer(state, order)),
      onChange: (changed) => this.#change(changed),
      onProgress: () => this.#progress(),
      onCanceled: (canceled) => this.dismiss(canceled),
    });
    if (transfer) this.#transfers.set(upload, transfer);
    transfer?.remember(remembered);
    this.#uploads.add(upload);
    this.#active.add(upload);
    this.#emit("added", { upload });
    this.#progress();
    return upload;
  }

  /** How many files this browser is still storing: if the page were left now, they would be forgotten. */
  get unstored() {
    return this.#store.unstored;
  }

  /**
   * Remove a done or failed upload from the list. Nothing changes on the server.
   *
   * @param {Upload} upload
   * @throws {TypeError} when it is active or paused: cancel it instead.
   */
  dismiss(upload) {
    if (ACTIVE.has(upload.state) || upload.state === "paused") {
      throw new TypeError(`an upload that is ${upload.state} cannot be dismissed; cancel it`);
    }
    if (!this.#uploads.delete(upload)) return;
    this.#transfers.get(upload)?.dismiss();
    this.#emit("removed", { upload });
    this.#progress();
  }

  /** Whose files are remembered; null for nobody in particular. What was added before becomes this user's. */
  get user() {
    return this.#store.user;
  }

  set user(name) {
    const before = this.#store.user;
    if (name === before) return;
    if (before !== null) this.leaveAll();
    this.#store.user = name;
    for (const upload of this.uploads) this.#transfers.get(upload)?.adopt();
  }

  /** Take all uploads off the list, and send no further request for them. They stay remembered for their user. */
  leaveAll() {
    const left = this.uploads;
    this.#uploads.clear();
    for (const upload of [...left].reverse()) {
      upload.close();
      this.#transfers.get(upload)?.dismiss();
    }
    for (const upload of left) this.#emit("removed", { upload });
    this.#progress();
  }

  pauseAll() {
    // The last one first: otherwise each pause would start the next upload.
    for (const upload of [...this.uploads].reverse()) upload.pause();
  }

  resumeAll() {
    for (const upload of this.uploads) upload.resume();
  }

  retryAll() {
    for (const upload of this.uploads) upload.retry();
  }

  /** Cancel all uploads that are not done. @returns {Promise<void>} */
  async cancelAll() {
    await Promise.all([...this.uploads].reverse().map((upload) => upload.cancel()));
  }

  /**
   * List the caller's uploads on the server, newest first.
   *
   * @param {import("./chunked-upload/types.js").ListQuery} [query]
   * @returns {Promise<import("./chunked-upload/types.js").UploadPage>}
   * @throws {import("./chunked-upload/errors.js").UploadError}
   */
  async list(query = {}) {
    return withUploadErrors(this.#server.list(query));
  }

  /**
   * Delete an upload, finished or not, on the server.
   *
   * @param {string} uploadId
   * @throws {import("./chunked-upload/errors.js").UploadError}
   */
  async remove(uploadId) {
    await withUploadErrors(this.#server.remove(uploadId));
    for (const record of await this.#store.all(null)) {
      if (record.uploadId === uploadId) await this.#store.forget(record.id);
    }
  }

  /**
   * How far the server's clock is ahead of this browser's, in milliseconds; 0 before the first reply.
   * `Date.parse(expires) - (Date.now() + clockOffset)` is the time that is left.
   */
  get clockOffset() {
    return this.#server.clockOffset ?? 0;
  }

  /**
   * Return the files in this browser's resume store that are not in `uploads`, newest first. They were
   * queued or begun before the page was reloaded; those without `uploadId` have sent nothing yet. A
   * file that is added again takes over its entry.
   *
   * @returns {Promise<Remembered[]>}
   */
  async remembered() {
    await Promise.all(this.uploads.map((upload) => this.#transfers.get(upload)?.remembering));
    const { clockOffset } = this.#server;
    const records = await this.#store.all(clockOffset === null ? null : Date.now() + clockOffset);
    return records.filter((record) => !this.#claimed.has(record.id));
  }

  /** Remove a file from the resume store; the server keeps what it has. @param {Remembered} remembered */
  async forget(remembered) {
    await this.#store.forget(remembered.id);
  }

  /**
   * Open a remembered file by its File System Access handle and resume its upload. Call it from a click
   * handler: the browser may ask the user for permission.
   *
   * @param {Remembered} remembered
   * @returns {Promise<Upload | null>} Null when there is no handle, no permission, or the file is gone:
   *   let the user choose the file, and `add` it.
   */
  async reopen({ id, handle, path }) {
    const file = await openAgain(handle);
    /** @type {Record<string, string>} */
    const metadata = path ? { relative_path: path } : {};
    return file && this.#add(file, { handle, metadata }, id);
  }

  /**
   * Reopen several files with one click.
   *
   * @param {Remembered[]} list
   * @returns {Promise<Remembered[]>} Those that the user must choose again.
   */
  async reopenAll(list) {
    const left = [];
    // One after the other: the browser asks for one permission at a time.
    for (const remembered of list) if (!(await this.reopen(remembered))) left.push(remembered);
    return left;
  }

  /**
   * Pause all uploads, send no further request, and close the worker and the database. The uploads can be
   * resumed later.
   */
  close() {
    for (const upload of [...this.uploads].reverse()) upload.close();
    this.#hasher.close();
    this.#store.close();
    clearTimeout(this.#progressTimer);
  }

  /** @param {Upload} upload */
  #change(upload) {
    this.#emit("change", { upload });
    this.#progress();
    if (ACTIVE.has(upload.state)) this.#active.add(upload);
    else if (this.#active.delete(upload) && this.#active.size === 0) this.#emit("idle", {});
  }

  /** Report the total progress, soon. */
  #progress() {
    this.#progressTimer ??= setTimeout(() => {
      this.#progressTimer = undefined;
      this.#emit("progress", totalProgress(this.uploads));
    }, PROGRESS_INTERVAL);
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
