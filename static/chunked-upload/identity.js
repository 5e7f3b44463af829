/**
 * Identifies a file and finds the unfinished upload of it: in this browser's resume store, or on the
 * server, where it was started in another browser or where the first reply was lost. A file is
 * identified by its size and samples of its bytes, not by its name or date: phones give the same photo
 * another date each time it is picked. The MD5 detects differences that the samples miss.
 */

import { Setback, UploadError } from "./errors.js";
import { isGone } from "./replies.js";
import { acquireLock, isLockAwaited } from "./web-locks.js";

/** @typedef {import("./types.js").UploadRecord} UploadRecord */
/** @typedef {import("./types.js").Checkpoint} Checkpoint */

/** Milliseconds between two writes to the resume store. */
const SAVE_INTERVAL = 1000;

export class Identity {
  /** MD5 of the file's first bytes. @type {Checkpoint | null} */
  checkpoint = null;
  #state;
  #endpoint;
  #hasher;
  #store;
  #server;
  /** Null until it is read, and always when uploads are not resumed. @type {string | null} */
  #fingerprint = null;
  /** Until the next write to the store. @type {ReturnType<typeof setTimeout> | null} */
  #saveTimer = null;
  #saved = false;
  /** Whether a different file of this name was looked for. */
  #namesakeChecked = false;
  /** Ids of uploads that were abandoned, in case the server still has them. @type {Set<string>} */
  #abandoned = new Set();

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {object} parts
   * @param {string} parts.endpoint
   * @param {Pick<import("./hasher.js").Hasher, "fingerprint"> | null} parts.hasher Null when uploads are
   *   not resumed: then nothing is looked up, locked or stored.
   * @param {Pick<import("./resume-store.js").ResumeStore, "find" | "keep" | "forget">} parts.store
   * @param {Pick<import("./server.js").Server, "find" | "state">} parts.server
   */
  constructor(state, { endpoint, hasher, store, server }) {
    this.#state = state;
    this.#endpoint = endpoint;
    this.#hasher = hasher;
    this.#store = store;
    this.#server = server;
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
    this.checkpoint = null;
  }

  /**
   * Keep other tabs from sending the same file.
   *
   * @param {AbortSignal} signal
   * @param {() => void} onBusy
   * @returns {Promise<() => void>} Releases the lock.
   */
  async lock(signal, onBusy) {
    return this.#fingerprint === null ? () => {} : acquireLock(this.#lockName, signal, onBusy);
  }

  get #lockName() {
    return `chunked-upload ${this.#endpoint} ${this.#fingerprint}`;
  }

  /**
   * Find an unfinished upload of this file in the resume store.
   *
   * @returns {Promise<string | null>} Its id.
   */
  async findInStore() {
    if (this.#fingerprint === null) return null;
    const known = await this.#store.find("fingerprint", this.#fingerprint);
    if (known && !known.result) {
      this.checkpoint = known.checkpoint;
      return known.uploadId;
    }
    const namesake = known ? null : await this.#store.find("name", this.#state.name);
    if (namesake && !namesake.result && !this.#namesakeChecked) {
      this.#state.notice("different-file");
    }
    this.#namesakeChecked = true;
    return null;
  }

  /**
   * Find an unfinished upload of this file among the caller's on the server.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async findOnServer(signal) {
    if (this.#fingerprint === null) return null;
    const { name, size } = this.#state;
    const found = await this.#server.find(name, size, signal);
    const same = found?.length === size && found.metadata.fingerprint === this.#fingerprint;
    return same && !this.#abandoned.has(found.upload_id) ? found : null;
  }

  /**
   * Return the upload that the tab which held the lock has finished. An upload under another name is
   * a copy of the file, which the user wants stored as well.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async findFinished(signal) {
    const known = await this.#store.find("fingerprint", String(this.#fingerprint));
    if (!known?.result || known.name !== this.#state.name) return null;
    try {
      return await this.#server.state(known.uploadId, signal);
    } catch (error) {
      if (error instanceof Setback && isGone(error)) return null;
      throw error;
    }
  }

  /** Save the upload in the resume store: now the first time, later at most once a second. */
  remember() {
    if (this.#saveTimer !== null) return;
    if (!this.#saved) this.#save(null);
    this.#saved = true;
    this.#saveTimer = setTimeout(() => {
      this.#saveTimer = null;
      this.#save(null);
    }, SAVE_INTERVAL);
  }

  /** Remove the unfinished upload from the resume store, and do not find it again. */
  async forget() {
    this.#stopSaving();
    this.checkpoint = null;
    const { uploadId } = this.#state;
    if (uploadId === null) return;
    this.#abandoned.add(uploadId);
    await this.#store.forget(uploadId);
  }

  /**
   * Remove the finished upload from the resume store, or keep its result for other tabs that wait
   * with the same file.
   *
   * @param {UploadRecord} result
   */
  async finish(result) {
    if (this.#fingerprint === null) return;
    this.#stopSaving();
    if (await isLockAwaited(this.#lockName)) await this.#save(result);
    else await this.forget();
  }

  #stopSaving() {
    if (this.#saveTimer !== null) clearTimeout(this.#saveTimer);
    this.#saveTimer = null;
    this.#saved = false;
  }

  /** @param {UploadRecord | null} result */
  async #save(result) {
    if (this.#fingerprint === null) return;
    const { uploadId, name, size, file, offset, expires, handle } = this.#state;
    const { type, lastModified } = file;
    await this.#store.keep({
      ...{ uploadId: String(uploadId), name, size, type, lastModified, offset, expires, handle },
      ...{ fingerprint: this.#fingerprint, checkpoint: this.checkpoint, result },
    });
  }
}
