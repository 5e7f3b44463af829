/**
 * Sends a file's chunks, from the offset that the server has to the end of the file. After a failure the
 * server is asked for its offset, so that a lost reply costs a small request instead of a chunk.
 */

import { Setback, asUploadError, isUnanswered } from "./errors.js";
import { assertUnchanged } from "./source.js";

/** @typedef {import("./server.js").Server} Server */

export class ChunkSender {
  #state;
  #server;
  #retry;
  #identity;
  #checksum;
  #chunkSize;
  #metadata;
  #resumed = false;
  #mayHaveCreated = false;

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {object} parts
   * @param {Pick<Server, "create" | "append" | "state">} parts.server
   * @param {import("./retry.js").Retry} parts.retry
   * @param {import("./identity.js").Identity} parts.identity
   * @param {import("./checksum.js").Checksum} parts.checksum Told which bytes are sent, so that it hashes them.
   * @param {import("./chunk-size.js").ChunkSize} parts.chunkSize
   * @param {Record<string, string>} parts.metadata Fields that are stored with every upload.
   */
  constructor(state, { server, retry, identity, checksum, chunkSize, metadata }) {
    this.#state = state;
    this.#server = server;
    this.#retry = retry;
    this.#identity = identity;
    this.#checksum = checksum;
    this.#chunkSize = chunkSize;
    this.#metadata = metadata;
  }

  /** Whether the server already had some of the bytes when this page started to read the file. */
  get resumed() {
    return this.#resumed;
  }

  /** Whether the first chunk was sent and not answered: the server may have an upload we have no id of. */
  get mayHaveCreated() {
    return this.#mayHaveCreated;
  }

  /** Start again from the first byte, as a new upload. */
  reset() {
    this.#resumed = false;
    this.#state.uploadId = null;
    this.#state.expires = null;
    this.#state.move(0);
  }

  /**
   * Find out what the server has of the file.
   *
   * @param {AbortSignal} signal
   * @throws {Setback} `expired`, `missing` or `different-file`: the upload has to start again.
   */
  async locate(signal) {
    const state = this.#state;
    const before = state.offset;
    state.uploadId ??= await this.#identity.findInStore();
    const { uploadId } = state;
    const record = await this.#retry.withRetry(
      () =>
        uploadId === null
          ? this.#identity.findOnServer(signal)
          : this.#server.state(uploadId, signal),
      signal,
    );
    if (!record) return;
    if (record.length !== null && record.length !== state.size) throw new Setback("different-file");
    state.uploadId = record.upload_id;
    this.moveTo(record.offset, record.expires);
    if (before || !record.offset) return;
    this.#resumed = true;
    state.notice("resumed", { offset: record.offset });
  }

  /**
   * Send the rest of the file.
   *
   * @param {AbortSignal} signal
   * @throws {Setback} when the upload has to start again.
   * @throws {import("./errors.js").UploadError}
   * @throws the signal's reason
   */
  async sendRest(signal) {
    const state = this.#state;
    state.enter("uploading");
    while (state.uploadId === null || state.offset < state.size) await this.#sendChunk(signal);
  }

  /**
   * Continue from the server's offset.
   *
   * @param {number} offset
   * @param {string | null} [expires]
   * @throws {Setback} for an impossible offset.
   */
  moveTo(offset, expires) {
    const state = this.#state;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > state.size) {
      throw new Setback("server", { detail: `offset ${offset} of ${state.size}`, lasting: true });
    }
    if (offset > state.offset) this.#retry.reset();
    state.expires = expires ?? state.expires;
    state.move(offset);
  }

  /** @param {AbortSignal} signal */
  async #sendChunk(signal) {
    const { size, offset, speed } = this.#state;
    const stop = Math.min(offset + this.#chunkSize.next(speed), size);
    this.#checksum.allow(stop);
    try {
      const reply = await this.#request(offset, stop, signal);
      this.#state.uploadId = reply.upload_id;
      this.#mayHaveCreated = false;
      this.moveTo(reply.offset, reply.expires);
      if (size && this.#state.offset <= offset) throw new Setback("server", { lasting: true });
      this.#identity.remember();
    } catch (error) {
      this.#mayHaveCreated &&= isUnanswered(error);
      if (!(error instanceof Setback)) throw error;
      await this.#handleSetback(error, stop - offset, signal);
    }
  }

  /**
   * @param {number} start
   * @param {number} stop
   * @param {AbortSignal} signal
   */
  #request(start, stop, signal) {
    const { uploadId, file, metadata } = this.#state;
    /** @param {number} loaded */
    const onProgress = (loaded) => this.#state.move(start, Math.min(start + loaded, stop));
    this.#mayHaveCreated = uploadId === null;
    if (uploadId !== null) {
      return this.#server.append(uploadId, file, start, stop, signal, onProgress);
    }
    /** @type {Record<string, string>} */
    const path = file.webkitRelativePath ? { relative_path: file.webkitRelativePath } : {};
    const fields = { ...path, ...this.#metadata, ...metadata, ...this.#identity.fields };
    return this.#server.create(file, stop, fields, signal, onProgress);
  }

  /**
   * Prepare the next chunk after one that was not stored.
   *
   * @param {Setback} setback
   * @param {number} length The chunk's, in bytes.
   * @param {AbortSignal} signal
   */
  async #handleSetback(setback, length, signal) {
    const state = this.#state;
    const before = state.offset;
    state.move(before);
    if (setback.kind === "complete") return this.moveTo(state.size);
    if (setback.kind === "chunk-too-large") {
      if (!this.#chunkSize.shrink(length)) throw asUploadError(setback);
      return;
    }
    if (setback.kind === "moved") {
      this.moveTo(setback.offset);
      if (state.offset !== before) return;
      setback = new Setback("server", { ...setback, lasting: true });
    }
    await assertUnchanged(state); // browsers report a changed file as a lost connection
    await this.#retry.waitAfter(setback, signal);
    await this.locate(signal);
  }
}
