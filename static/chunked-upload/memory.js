/**
 * What this browser remembers of one upload: an entry of the resume store. It is written before the first
 * byte is sent, and taken over when the same file is chosen again after a reload.
 */

import { newKey } from "./resume-store.js";

/** @typedef {import("./types.js").Remembered} Remembered */
/** @typedef {import("./types.js").UploadRecord} UploadRecord */
/** @typedef {import("./types.js").Checkpoint} Checkpoint */

/** Milliseconds between two writes. */
const SAVE_INTERVAL = 1000;

export class Memory {
  /** Digest of the file's first bytes. @type {Checkpoint | null} */
  checkpoint = null;
  #state;
  #store;
  #claimed;
  #id = newKey();
  /** @type {string | null} */
  #fingerprint = null;
  /** The entry that this upload took over and has not compared with the file yet. @type {Remembered | null} */
  #unproven = null;
  /** The search for such an entry. @type {Promise<void>} */
  #begun = Promise.resolve();
  /** Until the next write. @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;
  #saidDifferent = false;
  /** Whose file it is; also after somebody else has signed in. @type {string | null} */
  #user;

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {Pick<import("./resume-store.js").ResumeStore, "find" | "keep" | "forget" |
   *   "isFirstFailure" | "user" | "unstored"> | null} store Null: nothing is remembered.
   * @param {Set<string>} claimed Keys of entries that belong to uploads of this uploader.
   */
  constructor(state, store, claimed) {
    this.#state = state;
    this.#store = store;
    this.#claimed = claimed;
    this.#user = store?.user ?? null;
  }

  /**
   * Remember the file, or take over the entry of the same file.
   *
   * @param {string | null} id The entry's key, if it is known.
   * @returns {Promise<void>}
   */
  begin(id) {
    if (id !== null) this.#claim(id);
    this.#begun = this.#countedUntilStored(id);
    return this.#begun;
  }

  /**
   * Return the id of the unfinished upload with this fingerprint, and take over its entry.
   *
   * @param {string} fingerprint
   * @returns {Promise<string | null>}
   */
  async recall(fingerprint) {
    await this.#begun;
    const isFirst = this.#fingerprint !== fingerprint;
    this.#fingerprint = fingerprint;
    const same = await this.#find("fingerprint", fingerprint);
    const known = same.find(({ id }) => id === this.#id) ?? same.find((one) => this.#isFree(one));
    if (known?.id === this.#id && !this.#unproven) return known.uploadId;
    if (known) {
      await this.#takeOver(known);
      return known.uploadId;
    }
    if (this.#unproven && this.#unproven.fingerprint !== null) this.#disown();
    this.#unproven = null;
    if (isFirst) await this.#sayDifferent();
    await this.#save(null);
    return null;
  }

  /**
   * Return the id of the upload of this file that another one has finished.
   *
   * @param {string} fingerprint
   * @returns {Promise<string | null>}
   */
  async findFinished(fingerprint) {
    const { name, path } = this.#state;
    const found = (await this.#store?.find("fingerprint", fingerprint)) ?? [];
    const same = found.find((one) => one.result && one.name === name && one.path === path);
    return same?.uploadId ?? null;
  }

  /**
   * Write the upload's progress.
   *
   * @param {boolean} [now] At once; otherwise at most once a second.
   */
  save(now = false) {
    if (now) return void this.#save(null);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#save(null);
    }, SAVE_INTERVAL);
  }

  /** The file is of the user who has just signed in. */
  async adopt() {
    this.#user = this.#store?.user ?? null;
    await this.#begun;
    if (this.#claimed.has(this.#id)) await this.#save(null); // it is not over
  }

  /** The server no longer has the upload; the file stays remembered. */
  async forgetUpload() {
    this.#stopTimer();
    this.checkpoint = null;
    this.#state.uploadId = null;
    await this.#save(null);
  }

  /**
   * The upload is finished or canceled.
   *
   * @param {UploadRecord | null} result Kept for a while, for uploads that wait with the same file.
   */
  async finish(result) {
    await this.#begun;
    this.#stopTimer();
    if (result) await this.#save(result);
    else await this.#store?.forget(this.#id);
    this.release();
  }

  /** Let another upload take over the entry. */
  release() {
    this.#stopTimer();
    this.#claimed.delete(this.#id);
  }

  /** @param {string | null} id */
  async #countedUntilStored(id) {
    const store = this.#store;
    if (store === null) return;
    store.unstored += 1;
    await this.#findOrSave(id).finally(() => (store.unstored -= 1));
  }

  /** @param {string | null} id */
  async #findOrSave(id) {
    if (this.#store === null) return;
    const found = await this.#find("name", this.#state.name);
    const entry = id === null ? this.#choose(found) : found.find((one) => one.id === id);
    if (entry) {
      this.#claim(entry.id);
      this.#unproven = entry;
      this.#state.knownPath = entry.path;
      return;
    }
    this.#claim(this.#id);
    const stored = await this.#save(null);
    if (!stored && this.#store.isFirstFailure()) this.#state.notice("not-remembered");
  }

  /**
   * Choose the entry that is probably of this file. One of a folder's files may be chosen alone.
   *
   * @param {Remembered[]} found
   */
  #choose(found) {
    const { path, file } = this.#state;
    const free = found.filter((one) => one.size === file.size && this.#isFree(one));
    const exact = free.find((one) => one.path === path);
    if (exact || path) return exact;
    const alone = free.filter(
      (one) => one.fingerprint !== null || one.lastModified === file.lastModified,
    );
    return alone.length === 1 ? alone[0] : undefined;
  }

  /** @param {Remembered} entry */
  #isFree({ id, result }) {
    return !result && !this.#claimed.has(id);
  }

  /**
   * Return unfinished entries of files with this name, and with this path unless it is unknown.
   *
   * @param {"fingerprint" | "name"} index
   * @param {string} value
   */
  async #find(index, value) {
    const { name, path } = this.#state;
    const found = (await this.#store?.find(index, value)) ?? [];
    return found.filter((one) => !one.result && one.name === name && (!path || one.path === path));
  }

  /** @param {Remembered} entry */
  async #takeOver(entry) {
    if (entry.id !== this.#id) {
      if (!this.#unproven) await this.#store?.forget(this.#id);
      this.#claim(entry.id);
    }
    this.#unproven = null;
    this.#state.knownPath = entry.path;
    this.checkpoint = entry.checkpoint;
  }

  /** The entry is of another file: leave it as it is. */
  #disown() {
    this.#claim(newKey());
    this.#state.knownPath = "";
  }

  /** @param {string} id */
  #claim(id) {
    this.#claimed.delete(this.#id);
    this.#claimed.add(id);
    this.#id = id;
  }

  /** Say that an unfinished upload of this name is of another file. */
  async #sayDifferent() {
    const { name, path } = this.#state;
    const namesakes = await this.#find("name", name);
    const other = namesakes.find(
      (one) => this.#isFree(one) && one.path === path && one.uploadId !== null,
    );
    if (other && !this.#saidDifferent) this.#state.notice("different-file");
    this.#saidDifferent = true;
  }

  #stopTimer() {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * @param {UploadRecord | null} result
   * @returns {Promise<boolean>} Whether it was stored.
   */
  async #save(result) {
    if (this.#store === null || this.#unproven?.fingerprint) return true;
    const { uploadId, name, path, size, file, offset, expires, handle } = this.#state;
    const { type, lastModified } = file;
    return this.#store.keep({
      ...{ id: this.#id, uploadId, name, path, size, type, lastModified, offset, expires, handle },
      ...{ fingerprint: this.#fingerprint, checkpoint: this.checkpoint, result },
      user: this.#user,
    });
  }
}
