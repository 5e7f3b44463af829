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
 * Files are sent in chunks, several files at a time. After a lost connection, a restarted server or a page
 * reload, and in another browser of the same user, an upload resumes from what the server has. A worker
 * computes the MD5 meanwhile, so that the server can check it at the end. docs/client-library.md has
 * the recipes, chunked-upload/types.js the types.
 */

import { Setback, asUploadError } from "./chunked-upload/errors.js";
import { Hasher } from "./chunked-upload/hasher.js";
import { check, readOptions } from "./chunked-upload/options.js";
import { ResumeStore } from "./chunked-upload/resume-store.js";
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
  /** @type {Upload[]} */
  #uploads = [];
  /** @type {WeakMap<Upload, Transfer>} */
  #transfers = new WeakMap();
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
    const shared = { server: this.#server, hasher: this.#hasher, store: this.#store };
    this.#createTransfer = transferFactory(read, shared);
  }

  /**
   * All uploads in the order they were added, without canceled and dismissed ones.
   *
   * @returns {readonly Upload[]}
   */
  get uploads() {
    return this.#uploads;
  }

  /**
   * Queue a file. The upload starts after the current task, so listeners added in it miss nothing.
   *
   * @param {File} file
   * @param {AddOptions} [options]
   * @returns {Upload}
   * @throws {TypeError} when it is not a file, or the metadata is invalid.
   */
  add(file, { metadata = {}, handle = null } = {}) {
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
    this.#uploads = [...this.#uploads, upload];
    this.#active.add(upload);
    this.#emit("added", { upload });
    this.#progress();
    return upload;
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
    if (!this.#uploads.includes(upload)) return;
    this.#uploads = this.#uploads.filter((other) => other !== upload);
    this.#transfers.get(upload)?.close();
    this.#emit("removed", { upload });
    this.#progress();
  }

  pauseAll() {
    // The last one first: otherwise each pause would start the next upload.
    for (const upload of [...this.#uploads].reverse()) upload.pause();
  }

  resumeAll() {
    for (const upload of this.#uploads) upload.resume();
  }

  retryAll() {
    for (const upload of this.#uploads) upload.retry();
  }

  /** Cancel all uploads that are not done. @returns {Promise<void>} */
  async cancelAll() {
    await Promise.all([...this.#uploads].reverse().map((upload) => upload.cancel()));
  }

  /**
   * List the caller's uploads on the server, newest first.
   *
   * @param {{page?: number, perPage?: number, status?: 1 | 2, signal?: AbortSignal}} [query] `status`
   *   1: only unfinished ones; 2: only finished ones.
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
    await this.#store.forget(uploadId);
  }

  /**
   * Return the unfinished uploads in this browser's resume store that are not in `uploads`, newest first.
   *
   * @returns {Promise<Remembered[]>}
   */
  async remembered() {
    const present = new Set(this.#uploads.map((upload) => upload.uploadId));
    return (await this.#store.all()).filter((record) => !present.has(record.uploadId));
  }

  /**
   * Remove one from the resume store. The server keeps it until it expires or is deleted.
   *
   * @param {Remembered} remembered
   */
  async forget(remembered) {
    await this.#store.forget(remembered.uploadId);
  }

  /**
   * Open a remembered upload's file by its File System Access handle and resume the upload. Call it from
   * a click handler: the browser may ask the user for permission.
   *
   * @param {Remembered} remembered
   * @returns {Promise<Upload | null>} Null when there is no handle, no permission, or the file is gone.
   */
  async reopen({ handle }) {
    try {
      const permission = await handle?.requestPermission?.({ mode: "read" });
      if (!handle || permission === "denied" || permission === "prompt") return null;
      return this.add(await handle.getFile(), { handle });
    } catch (error) {
      if (error instanceof DOMException) return null;
      throw error;
    }
  }

  /** Pause all uploads, and close the worker and the database. The uploads can be resumed later. */
  close() {
    this.pauseAll();
    for (const upload of this.#uploads) this.#transfers.get(upload)?.close();
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
      this.#emit("progress", totalProgress(this.#uploads));
    }, PROGRESS_INTERVAL);
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * @template T
 * @param {Promise<T>} reply
 * @returns {Promise<T>}
 * @throws {import("./chunked-upload/errors.js").UploadError} also where an upload would wait and retry.
 */
async function withUploadErrors(reply) {
  try {
    return await reply;
  } catch (error) {
    throw error instanceof Setback ? asUploadError(error) : error;
  }
}
