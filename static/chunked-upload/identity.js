/**
 * Identifies a file and finds the unfinished upload of it: in this browser's resume store, or on the
 * server, where it was started in another browser or where the first reply was lost. A file is
 * identified by its name, its path in the chosen folder, its size and samples of its bytes, not by its
 * date: phones give the same photo another date each time it is picked. The MD5 detects differences
 * that the samples miss.
 */

import { Setback, UploadError } from "./errors.js";
import { isGone } from "./replies.js";
import { acquireLock, isLockAwaited } from "./web-locks.js";

/** @typedef {import("./types.js").UploadRecord} UploadRecord */

export class Identity {
  #state;
  #endpoint;
  #hasher;
  #memory;
  #server;
  #heldHere;
  /** Null until it is read, and always when uploads are not resumed. @type {string | null} */
  #fingerprint = null;
  /** Ids of uploads that were abandoned, in case the server still has them. @type {Set<string>} */
  #abandoned = new Set();

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {object} parts
   * @param {string} parts.endpoint
   * @param {Pick<import("./hasher.js").Hasher, "fingerprint"> | null} parts.hasher Null when uploads are
   *   not resumed: then nothing is looked up or locked.
   * @param {import("./memory.js").Memory} parts.memory
   * @param {Pick<import("./server.js").Server, "find" | "state">} parts.server
   * @param {Set<string>} parts.heldHere Locks that uploads of this uploader hold.
   */
  constructor(state, { endpoint, hasher, memory, server, heldHere }) {
    this.#state = state;
    this.#endpoint = endpoint;
    this.#hasher = hasher;
    this.#memory = memory;
    this.#server = server;
    this.#heldHere = heldHere;
  }

  /**
   * Fields by which another browser finds the upload.
   *
   * @returns {Record<string, string>}
   */
  get fields() {
    return this.#fingerprint === null ? {} : { fingerprint: this.#fingerprint };
  }

  /**
   * Read the file's samples.
   *
   * @throws {UploadError} when the file cannot be read.
   * @throws {Setback} when the worker cannot be loaded because there is no network.
   */
  async read() {
    if (this.#hasher === null) return;
    try {
      this.#fingerprint ??= await this.#hasher.fingerprint(this.#state.file);
    } catch (error) {
      const unloaded = error instanceof UploadError && error.code === "worker";
      throw unloaded && !navigator.onLine ? new Setback("network") : error;
    }
  }

  /** Read the samples again: the file is a different one now. */
  reset() {
    this.#fingerprint = null;
  }

  /**
   * Keep other uploads, also those of other tabs, from sending the same file.
   *
   * @param {AbortSignal} signal
   * @param {(reason: "other-tab" | "same-file") => void} onBusy
   * @returns {Promise<() => void>} Releases the lock.
   */
  async lock(signal, onBusy) {
    if (this.#fingerprint === null) return () => {};
    const name = this.#lockName;
    const release = await acquireLock(name, signal, () =>
      onBusy(this.#heldHere.has(name) ? "same-file" : "other-tab"),
    );
    this.#heldHere.add(name);
    return () => {
      this.#heldHere.delete(name);
      release();
    };
  }

  get #lockName() {
    const { path, name } = this.#state;
    return `chunked-upload ${this.#endpoint} ${this.#fingerprint} ${path || name}`;
  }

  /**
   * Find an unfinished upload of this file in the resume store.
   *
   * @returns {Promise<string | null>} Its id.
   */
  async findInStore() {
    return this.#fingerprint === null ? null : this.#memory.recall(this.#fingerprint);
  }

  /**
   * Find an unfinished upload of this file among the caller's on the server.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async findOnServer(signal) {
    if (this.#fingerprint === null) return null;
    const { name, path, size } = this.#state;
    const found = await this.#server.find(name, size, signal);
    if (found?.length !== size || this.#abandoned.has(found.upload_id)) return null;
    const { fingerprint, relative_path = "" } = found.metadata;
    return fingerprint === this.#fingerprint && relative_path === path ? found : null;
  }

  /**
   * Return the upload that the holder of the lock has finished.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async findFinished(signal) {
    const uploadId = await this.#memory.findFinished(String(this.#fingerprint));
    if (uploadId === null) return null;
    try {
      return await this.#server.state(uploadId, signal);
    } catch (error) {
      if (error instanceof Setback && isGone(error)) return null;
      throw error;
    }
  }

  /** Forget the unfinished upload, and do not find it again. The file stays remembered. */
  async forget() {
    const { uploadId } = this.#state;
    if (uploadId !== null) this.#abandoned.add(uploadId);
    await this.#memory.forgetUpload();
  }

  /**
   * Remove the finished upload from the resume store, or keep its result for uploads that wait with the
   * same file.
   *
   * @param {UploadRecord} result
   */
  async finish(result) {
    const awaited = this.#fingerprint !== null && (await isLockAwaited(this.#lockName));
    await this.#memory.finish(awaited ? result : null);
  }
}
