/**
 * Resumable uploads from a browser, for the chunked-upload service. No framework, no build step:
 *
 *     import { ChunkedUploader } from "/static/chunked-upload.js";
 *
 *     const uploader = new ChunkedUploader({ endpoint: "/uploads/" });
 *     const upload = uploader.add(input.files[0]);
 *     upload.addEventListener("progress", ({ detail }) => (bar.value = detail.sent / detail.size));
 *     upload.addEventListener("done", ({ detail }) => show(detail.result.url));
 *     upload.addEventListener("error", ({ detail }) => say(detail.error.message));
 *
 * Files go in chunks, so many at a time; a lost connection, a restarted server, a reloaded page and
 * another browser of the same user all go on where the server stands. The MD5 is computed in a worker
 * meanwhile, so that the server can check it at the end. docs/client-library.md has the recipes,
 * chunked-upload/types.js the types.
 */

import { Setback } from "./chunked-upload/errors.js";
import { Hasher } from "./chunked-upload/hasher.js";
import { Memory } from "./chunked-upload/memory.js";
import { check, readOptions } from "./chunked-upload/options.js";
import { giveUp } from "./chunked-upload/patience.js";
import { Server } from "./chunked-upload/server.js";
import { Slots } from "./chunked-upload/slots.js";
import { ACTIVE, Upload } from "./chunked-upload/upload.js";

export { UploadError } from "./chunked-upload/errors.js";
export { ERRORS, NOTICES, WAITING } from "./chunked-upload/messages.js";
export { Upload } from "./chunked-upload/upload.js";

/** @typedef {import("./chunked-upload/types.js").AddOptions} AddOptions */
/** @typedef {import("./chunked-upload/types.js").Remembered} Remembered */

/** Milliseconds between `progress` events. */
const PROGRESS_INTERVAL = 100;

/**
 * Uploads files, a bounded number at a time.
 *
 * Events: `added` and `removed` (detail: `{upload}`), `change` (`{upload}`: its state, or a notice of it),
 * `progress` (`TotalProgress`), `idle` (nothing is left to do without somebody's help).
 */
export class ChunkedUploader extends EventTarget {
  /** @type {import("./chunked-upload/types.js").Parts} */
  #parts;
  /** @type {Upload[]} */
  #uploads = [];
  #added = 0;
  /** Those at work, or that will be without anybody's help. @type {Set<Upload>} */
  #active = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #report;

  /**
   * @param {import("./chunked-upload/types.js").UploaderOptions} [options]
   * @throws {TypeError} for an option that cannot work, saying what is expected.
   */
  constructor(options = {}) {
    super();
    const read = readOptions(options);
    this.#parts = {
      options: read,
      server: new Server(read),
      slots: new Slots(read.simultaneous),
      hasher: new Hasher(read.workerUrl),
      memory: new Memory(read.endpoint),
      onChange: (upload) => this.#change(upload),
      onCanceled: (upload) => this.dismiss(upload),
      onProgress: () => this.#progress(),
    };
  }

  /**
   * In the order they were added; canceled and dismissed ones are not in it.
   *
   * @returns {readonly Upload[]}
   */
  get uploads() {
    return this.#uploads;
  }

  /**
   * Queue a file. It starts after the current task, so listeners that are added at once miss nothing.
   *
   * @param {File} file
   * @param {AddOptions} [options]
   * @returns {Upload}
   * @throws {TypeError} when it is not a file, or for metadata that cannot be.
   */
  add(file, { metadata = {}, handle = null } = {}) {
    if (!(file instanceof File)) {
      throw new TypeError("ChunkedUploader.add takes a File, as <input type=file> gives it");
    }
    check("metadata", metadata);
    this.#added += 1;
    const upload = new Upload(this.#parts, file, { metadata, handle }, this.#added);
    this.#uploads = [...this.#uploads, upload];
    this.#active.add(upload);
    this.#emit("added", { upload });
    queueMicrotask(() => upload.state === "queued" && upload.begin());
    return upload;
  }

  /**
   * Forget a done or failed upload here; nothing changes on the server.
   *
   * @param {Upload} upload
   * @throws {TypeError} when it is still at work or paused: cancel it instead.
   */
  dismiss(upload) {
    if (ACTIVE.has(upload.state) || upload.state === "paused") {
      throw new TypeError(`an upload that is ${upload.state} cannot be dismissed; cancel it`);
    }
    if (!this.#uploads.includes(upload)) return;
    this.#uploads = this.#uploads.filter((other) => other !== upload);
    upload.close();
    this.#emit("removed", { upload });
    this.#progress();
  }

  pauseAll() {
    // The last ones first: otherwise each place that is left would be taken by the next.
    for (const upload of [...this.#uploads].reverse()) upload.pause();
  }

  resumeAll() {
    for (const upload of this.#uploads) upload.resume();
  }

  retryAll() {
    for (const upload of this.#uploads) upload.retry();
  }

  /** Cancel all that are not done. @returns {Promise<void>} */
  async cancelAll() {
    await Promise.all([...this.#uploads].reverse().map((upload) => upload.cancel()));
  }

  /**
   * The caller's uploads as the server lists them, newest first.
   *
   * @param {{page?: number, perPage?: number, status?: 1 | 2, signal?: AbortSignal}} [query] `status`
   *   1 for unfinished ones alone, 2 for finished ones.
   * @returns {Promise<import("./chunked-upload/types.js").UploadPage>}
   * @throws {import("./chunked-upload/errors.js").UploadError}
   */
  async list(query = {}) {
    return plainly(this.#parts.server.list(query));
  }

  /**
   * Remove an upload, finished or not, from the server.
   *
   * @param {string} uploadId
   * @throws {import("./chunked-upload/errors.js").UploadError}
   */
  async remove(uploadId) {
    await plainly(this.#parts.server.remove(uploadId));
    await this.#parts.memory.forget(uploadId);
  }

  /**
   * Unfinished uploads that this browser knows of and that are not in `uploads`, newest first.
   *
   * @returns {Promise<Remembered[]>}
   */
  async remembered() {
    const present = new Set(this.#uploads.map((upload) => upload.uploadId));
    return (await this.#parts.memory.all()).filter((record) => !present.has(record.uploadId));
  }

  /**
   * Forget one in this browser; the server keeps it until it expires or is removed.
   *
   * @param {Remembered} remembered
   */
  async forget(remembered) {
    await this.#parts.memory.forget(remembered.uploadId);
  }

  /**
   * Open a remembered upload's file by its File System Access handle and go on. Call it from a click: the
   * browser may ask the user for permission.
   *
   * @param {Remembered} remembered
   * @returns {Promise<Upload | null>} Null when there is no handle, no permission, or no file any more.
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

  /** Stop everything and let go of worker and database; the uploads stay resumable. */
  close() {
    this.pauseAll();
    for (const upload of this.#uploads) upload.close();
    this.#parts.hasher.close();
    this.#parts.memory.close();
    clearTimeout(this.#report);
  }

  /** @param {Upload} upload */
  #change(upload) {
    this.#emit("change", { upload });
    this.#progress();
    if (ACTIVE.has(upload.state)) this.#active.add(upload);
    else if (this.#active.delete(upload) && this.#active.size === 0) this.#emit("idle", {});
  }

  /** Report the sums, soon. */
  #progress() {
    this.#report ??= setTimeout(() => {
      this.#report = undefined;
      this.#emit("progress", this.#sums());
    }, PROGRESS_INTERVAL);
  }

  /** @returns {import("./chunked-upload/types.js").TotalProgress} */
  #sums() {
    const sums = { uploads: this.#uploads.length, done: 0, failed: 0, sent: 0, size: 0, speed: 0 };
    for (const { state, sent, size, speed } of this.#uploads) {
      if (state === "done") sums.done += 1;
      if (state === "failed") sums.failed += 1;
      else {
        sums.sent += sent;
        sums.size += size;
      }
      sums.speed += speed;
    }
    const secondsLeft = sums.speed ? (sums.size - sums.sent) / sums.speed : null;
    return { ...sums, secondsLeft };
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
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 * @throws {import("./chunked-upload/errors.js").UploadError} also for what an upload would have waited for.
 */
async function plainly(answer) {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof Setback ? giveUp(error) : error;
  }
}
