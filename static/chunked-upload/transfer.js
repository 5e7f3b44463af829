/**
 * How a file gets to the server: the order of things, and what is done about each setback.
 *
 *     place among those at work → which file is it? → lock → what is there already?
 *         → chunk, chunk, chunk … → MD5 → complete
 *
 * Every step may end in a `Setback`. Those that pass are waited for (patience.js); after each, the
 * server is asked where the upload stands, so that a lost reply costs a small question instead of a
 * chunk. An upload that the server no longer has begins anew. All else ends the transfer with an
 * `UploadError`. A transfer can be run again at any time: it goes on from what the server has.
 */

import { whyAnew } from "./answers.js";
import { Checksum } from "./checksum.js";
import { ChunkSize } from "./chunk-size.js";
import { Setback, Stopped, UploadError, isUnanswered } from "./errors.js";
import { Identity } from "./identity.js";
import { Patience, giveUp } from "./patience.js";
import { assertUnchanged, assertWanted } from "./source.js";

/** @typedef {import("./types.js").Parts} Parts */
/** @typedef {import("./types.js").UploadRecord} UploadRecord */

/** How often an upload may begin in one run. */
const MAX_BEGINNINGS = 4;

export class Transfer {
  #parts;
  #upload;
  #identity;
  #patience;
  #checksum;
  #chunkSize;
  /** Some of the bytes were there before this page began to read the file. */
  #resumed = false;
  /** The first chunk was sent, and no answer came yet. */
  #creating = false;

  /**
   * @param {Parts} parts
   * @param {import("./upload.js").Upload} upload
   */
  constructor(parts, upload) {
    this.#parts = parts;
    this.#upload = upload;
    this.#identity = new Identity(parts, upload);
    this.#checksum = new Checksum(parts, upload, this.#identity);
    this.#patience = new Patience(parts, upload);
    this.#chunkSize = new ChunkSize(parts.options.chunkSize);
  }

  /**
   * Bring the file to the server, from wherever it stands.
   *
   * @param {AbortSignal} signal
   * @param {import("./types.js").ErrorCode | null} after What the last run failed with.
   * @returns {Promise<UploadRecord>}
   * @throws {UploadError}
   * @throws the signal's reason
   */
  async run(signal, after) {
    this.#patience.signal = signal;
    this.#patience.renew();
    let release = () => {};
    try {
      assertWanted(this.#upload.file, this.#parts.options);
      await this.#patience.takePlace();
      this.#upload.enter("checking");
      await this.#recover(after);
      await this.#patience.insist(() => this.#identity.read());
      signal.throwIfAborted();
      let waited = false;
      release = await this.#identity.lock(signal, () => {
        waited = true;
        this.#giveWay();
      });
      if (waited) await this.#takeTurn();
      return (waited ? await this.#finishedElsewhere() : null) ?? (await this.#deliver(signal));
    } catch (error) {
      if (!(error instanceof Stopped)) this.close();
      if (error instanceof UploadError && error.code === "changed") this.discard();
      throw error;
    } finally {
      release();
      this.#patience.givePlace();
    }
  }

  /**
   * Remove what the server and this browser have of it.
   *
   * @returns {Promise<boolean>} Whether the server confirmed.
   */
  async discard() {
    this.close();
    const { uploadId } = this.#upload;
    const { signal } = new AbortController();
    try {
      const unnoted = this.#identity.unnote();
      this.#upload.uploadId = null;
      await unnoted;
      const lost = this.#creating ? await this.#identity.findOnServer(signal) : null;
      const id = uploadId ?? lost?.upload_id;
      if (id) await this.#parts.server.remove(id);
      return true;
    } catch {
      return false;
    }
  }

  /** Wait no longer for the next try. */
  hurry() {
    this.#patience.hurry();
  }

  /** Let go of the worker's job. */
  close() {
    this.#checksum.stop();
  }

  // Before the first byte

  /**
   * Mend what the last run failed with, as far as that can be done from here.
   *
   * @param {import("./types.js").ErrorCode | null} code
   */
  async #recover(code) {
    if (code !== "checksum" && code !== "changed") return;
    await this.discard();
    this.#forget();
    this.#identity.forget();
    const fresh = await this.#upload.handle?.getFile().catch(() => null);
    if (fresh) this.#upload.file = fresh;
  }

  /** Another tab is sending the file. */
  #giveWay() {
    this.#patience.givePlace();
    const why = /** @type {const} */ ({ reason: "other-tab", until: null, attempt: 0, detail: "" });
    this.#upload.enter("waiting", why);
  }

  async #takeTurn() {
    await this.#patience.takePlace();
    this.#upload.enter("checking");
  }

  /**
   * What the other tab has made of the file, if it was this one to the last byte.
   *
   * @returns {Promise<UploadRecord | null>}
   */
  async #finishedElsewhere() {
    const result = await this.#patience.insist((signal) => this.#identity.findFinished(signal));
    if (!result) return null;
    this.#checksum.start();
    if ((await this.#checksum.finish(this.#patience.signal)) !== result.md5) return null;
    this.#upload.uploadId = result.upload_id;
    this.#upload.notice("elsewhere");
    return result;
  }

  // There and back

  /**
   * Send and complete, beginning anew when the server has lost it or has another file.
   *
   * @param {AbortSignal} stopped
   * @returns {Promise<UploadRecord>}
   */
  async #deliver(stopped) {
    for (let beginnings = 1; ; beginnings += 1) {
      const differs = new AbortController();
      this.#patience.signal = AbortSignal.any([stopped, differs.signal]);
      try {
        await this.#locate();
        this.#checksum.start(() => differs.abort(new Setback("different-file")));
        const result = await this.#sendAndComplete();
        await this.#identity.finish(result);
        this.close();
        return result;
      } catch (error) {
        this.#patience.signal = stopped;
        await this.#beginAnew(error, beginnings);
      }
    }
  }

  /**
   * @param {unknown} error What came in between.
   * @param {number} beginnings How many there were so far.
   * @throws the error, when beginning anew does not help.
   */
  async #beginAnew(error, beginnings) {
    // The bytes that were there before may be of a file that was changed since.
    const other = this.#resumed && error instanceof UploadError && error.code === "checksum";
    const kind = other ? "different-file" : whyAnew(error);
    if (!kind || beginnings >= MAX_BEGINNINGS) {
      throw error instanceof Setback ? giveUp(error) : error;
    }
    if (kind === "different-file") await this.discard();
    else await this.#identity.unnote();
    this.#upload.notice(kind);
    this.#forget();
  }

  /** Begin at the first byte, as a new upload. */
  #forget() {
    this.close();
    this.#patience.renew();
    this.#resumed = false;
    this.#upload.uploadId = null;
    this.#upload.expires = null;
    this.#upload.move(0);
  }

  /** Find what the server has. */
  async #locate() {
    const upload = this.#upload;
    const before = upload.offset;
    upload.uploadId ??= await this.#identity.findRemembered();
    const state = await this.#patience.insist((signal) =>
      upload.uploadId === null
        ? this.#identity.findOnServer(signal)
        : this.#parts.server.state(upload.uploadId, signal),
    );
    if (!state) return;
    if (state.length !== null && state.length !== upload.size) throw new Setback("different-file");
    upload.uploadId = state.upload_id;
    this.#follow(state.offset, state.expires);
    if (before || !state.offset) return;
    this.#resumed = true;
    upload.notice("resumed", { offset: state.offset });
  }

  /**
   * Go on where the server stands.
   *
   * @param {number} offset
   * @param {string | null} [expires]
   * @throws {Setback} for a position that cannot be.
   */
  #follow(offset, expires) {
    const upload = this.#upload;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > upload.size) {
      throw new Setback("server", { detail: `offset ${offset} of ${upload.size}`, lasting: true });
    }
    if (offset > upload.offset) this.#patience.renew();
    upload.expires = expires ?? upload.expires;
    upload.move(offset);
  }

  async #sendAndComplete() {
    const upload = this.#upload;
    for (;;) {
      upload.enter("uploading");
      while (upload.uploadId === null || upload.offset < upload.size) await this.#sendChunk();
      try {
        return await this.#complete();
      } catch (error) {
        // The server lacks some after all.
        if (!(error instanceof Setback && error.kind === "moved")) throw error;
        this.#follow(error.offset);
        if (upload.offset === upload.size) throw giveUp(error);
      }
    }
  }

  async #sendChunk() {
    const { size, offset, speed } = this.#upload;
    const stop = Math.min(offset + this.#chunkSize.next(speed), size);
    this.#checksum.allow(stop);
    try {
      const answer = await this.#put(offset, stop);
      this.#upload.uploadId = answer.upload_id;
      this.#creating = false;
      this.#follow(answer.offset, answer.expires);
      if (size && this.#upload.offset <= offset) throw new Setback("server", { lasting: true });
      this.#identity.note();
    } catch (error) {
      this.#creating &&= isUnanswered(error);
      if (!(error instanceof Setback)) throw error;
      await this.#getOver(error, stop - offset);
    }
  }

  /**
   * @param {number} start
   * @param {number} stop
   */
  #put(start, stop) {
    const { server, options } = this.#parts;
    const { signal } = this.#patience;
    const { uploadId, file, metadata } = this.#upload;
    /** @param {number} loaded */
    const onProgress = (loaded) => this.#upload.move(start, Math.min(start + loaded, stop));
    this.#creating = uploadId === null;
    if (uploadId !== null) return server.append(uploadId, file, start, stop, signal, onProgress);
    /** @type {Record<string, string>} */
    const path = file.webkitRelativePath ? { relative_path: file.webkitRelativePath } : {};
    const fields = { ...path, ...options.metadata, ...metadata, ...this.#identity.fields };
    return server.create(file, stop, fields, signal, onProgress);
  }

  /**
   * Do about a chunk that was not taken what lets the next one be.
   *
   * @param {Setback} setback
   * @param {number} length Of that chunk.
   */
  async #getOver(setback, length) {
    const upload = this.#upload;
    const before = upload.offset;
    upload.move(before);
    if (setback.kind === "complete") return this.#follow(upload.size);
    if (setback.kind === "chunk-too-large") {
      if (!this.#chunkSize.shrink(length)) throw giveUp(setback);
      return;
    }
    if (setback.kind === "moved") {
      this.#follow(setback.offset);
      if (upload.offset !== before) return;
      setback = new Setback("server", { ...setback, lasting: true });
    }
    await assertUnchanged(this.#upload); // browsers report a changed file as a broken connection
    await this.#patience.wait(setback);
    await this.#locate();
  }

  async #complete() {
    const upload = this.#upload;
    upload.enter("completing");
    this.#patience.givePlace(); // another file may use the line while the MD5 is finished
    const md5 = await this.#checksum.finish(this.#patience.signal);
    await this.#patience.takePlace();
    await assertUnchanged(this.#upload);
    const uploadId = String(upload.uploadId);
    return this.#patience.insist((signal) => this.#parts.server.complete(uploadId, md5, signal));
  }
}
