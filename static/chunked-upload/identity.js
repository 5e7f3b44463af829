/**
 * Which file this is, and which unfinished upload of it there is already: by this browser's memory, or
 * by the server's, where it was begun in another browser or where the first reply was lost. A file is
 * known by its size and samples of its bytes, not by its name or date: phones give the same photo
 * another date each time it is picked. What the samples miss, the MD5 finds.
 */

import { isGone } from "./answers.js";
import { Setback, UploadError } from "./errors.js";
import { hold, isAwaited } from "./waiting.js";

/** @typedef {import("./types.js").UploadRecord} UploadRecord */
/** @typedef {import("./types.js").Checkpoint} Checkpoint */

/** Milliseconds between notes of how far it is. */
const NOTE_INTERVAL = 1000;

export class Identity {
  #parts;
  #upload;
  /** Null when uploads are not resumed. @type {string | null} */
  #fingerprint = null;
  /** Until the next note. @type {ReturnType<typeof setTimeout> | null} */
  #noting = null;
  #noted = false;
  /** Whether it was said that there is another file of this name. */
  #told = false;
  /** Ids of uploads that were given up, in case the server still has them. @type {Set<string>} */
  #avoided = new Set();
  /** MD5 of the file's first bytes. @type {Checkpoint | null} */
  checkpoint = null;

  /**
   * @param {import("./types.js").Parts} parts
   * @param {import("./upload.js").Upload} upload
   */
  constructor(parts, upload) {
    this.#parts = parts;
    this.#upload = upload;
  }

  /**
   * Fields by which another browser knows the upload again.
   *
   * @returns {Record<string, string>}
   */
  get fields() {
    return this.#fingerprint === null ? {} : { fingerprint: this.#fingerprint };
  }

  /**
   * Read the file's samples.
   *
   * @throws {UploadError} when it cannot be read.
   * @throws {Setback} when the worker cannot be loaded for want of a network.
   */
  async read() {
    const { options, hasher } = this.#parts;
    try {
      if (options.resume) this.#fingerprint ??= await hasher.fingerprint(this.#upload.file);
    } catch (error) {
      const unloaded = error instanceof UploadError && error.code === "worker";
      throw unloaded && !navigator.onLine ? new Setback("network") : error;
    }
  }

  /** Read them again: the file is another one now. */
  forget() {
    this.#fingerprint = null;
    this.checkpoint = null;
  }

  /**
   * Keep other tabs from sending the same file.
   *
   * @param {AbortSignal} signal
   * @param {() => void} onBusy
   * @returns {Promise<() => void>} Lets go.
   */
  async lock(signal, onBusy) {
    return this.#fingerprint === null ? () => {} : hold(this.#lockName, signal, onBusy);
  }

  get #lockName() {
    return `chunked-upload ${this.#parts.options.endpoint} ${this.#fingerprint}`;
  }

  /**
   * Find an unfinished upload of this file in this browser's memory.
   *
   * @returns {Promise<string | null>} Its id.
   */
  async findRemembered() {
    if (this.#fingerprint === null) return null;
    const { memory } = this.#parts;
    const known = await memory.find("fingerprint", this.#fingerprint);
    if (known && !known.result) {
      this.checkpoint = known.checkpoint;
      return known.uploadId;
    }
    const namesake = known ? null : await memory.find("name", this.#upload.name);
    if (namesake && !namesake.result && !this.#told) this.#upload.notice("different-file");
    this.#told = true;
    return null;
  }

  /**
   * Find one among the caller's on the server.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async findOnServer(signal) {
    if (this.#fingerprint === null) return null;
    const { name, size } = this.#upload;
    const found = await this.#parts.server.find(name, signal);
    const same = found?.length === size && found.metadata.fingerprint === this.#fingerprint;
    return same && !this.#avoided.has(found.upload_id) ? found : null;
  }

  /**
   * The upload that the tab which held the lock has finished. Under another name it is a copy of the
   * file, which the user wants stored as well.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async findFinished(signal) {
    const known = await this.#parts.memory.find("fingerprint", String(this.#fingerprint));
    if (!known?.result || known.name !== this.#upload.name) return null;
    try {
      return await this.#parts.server.state(known.uploadId, signal);
    } catch (error) {
      if (error instanceof Setback && isGone(error)) return null;
      throw error;
    }
  }

  /** Note how far it is: at once, then now and then. */
  note() {
    if (this.#noting !== null) return;
    if (!this.#noted) this.#keep(null);
    this.#noted = true;
    this.#noting = setTimeout(() => {
      this.#noting = null;
      this.#keep(null);
    }, NOTE_INTERVAL);
  }

  /** Forget the unfinished upload in this browser, and do not find it again. */
  async unnote() {
    this.#stopNoting();
    this.checkpoint = null;
    const { uploadId } = this.#upload;
    if (uploadId === null) return;
    this.#avoided.add(uploadId);
    await this.#parts.memory.forget(uploadId);
  }

  /**
   * Forget it, or leave word for other tabs that wait with the same file.
   *
   * @param {UploadRecord} result
   */
  async finish(result) {
    if (this.#fingerprint === null) return;
    this.#stopNoting();
    if (await isAwaited(this.#lockName)) await this.#keep(result);
    else await this.unnote();
  }

  #stopNoting() {
    if (this.#noting !== null) clearTimeout(this.#noting);
    this.#noting = null;
    this.#noted = false;
  }

  /** @param {UploadRecord | null} result */
  async #keep(result) {
    if (this.#fingerprint === null) return;
    const { uploadId, name, size, file, offset, expires, handle } = this.#upload;
    const { type, lastModified } = file;
    await this.#parts.memory.keep({
      ...{ uploadId: String(uploadId), name, size, type, lastModified, offset, expires, handle },
      ...{ fingerprint: this.#fingerprint, checkpoint: this.checkpoint, result },
    });
  }
}
