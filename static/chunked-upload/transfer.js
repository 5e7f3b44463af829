/**
 * Uploads one file to the server:
 *
 *     permit → which file is it? → lock → what does the server have?
 *         → bytes, bytes, bytes … → checksum → complete
 *
 * Every step may end in a `Setback`. Temporary ones are retried (retry.js). An upload that the server no
 * longer has starts again from the first byte. Any other error ends the transfer with an `UploadError`. A
 * transfer can be run again at any time: it resumes from what the server has.
 */

import { Setback, Stopped, UploadError, asUploadError } from "./errors.js";
import { restartReason } from "./replies.js";
import { assertUnchanged, assertWanted, isSameVersion, isWanted } from "./source.js";

/** @typedef {import("./types.js").UploadRecord} UploadRecord */

/** How often an upload may start from the first byte in one run. */
const MAX_STARTS = 4;

export class Transfer {
  /** Resolves when the browser has stored the file's entry, or cannot. @type {Promise<void>} */
  remembering = Promise.resolve();
  #state;
  #limits;
  #permit;
  #retry;
  #identity;
  #memory;
  #checksum;
  #position;
  #sender;
  #server;

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {object} parts
   * @param {Parameters<typeof assertWanted>[1]} parts.limits Which files may be uploaded.
   * @param {import("./semaphore.js").Permit} parts.permit
   * @param {import("./retry.js").Retry} parts.retry
   * @param {import("./identity.js").Identity} parts.identity
   * @param {import("./memory.js").Memory} parts.memory
   * @param {import("./checksum.js").Checksum} parts.checksum
   * @param {import("./position.js").Position} parts.position
   * @param {import("./sender.js").Sender} parts.sender
   * @param {Pick<import("./server.js").Server, "complete" | "remove" | "protocol">} parts.server
   */
  constructor(
    state,
    { limits, permit, retry, identity, memory, checksum, position, sender, server },
  ) {
    this.#state = state;
    this.#limits = limits;
    this.#permit = permit;
    this.#retry = retry;
    this.#identity = identity;
    this.#memory = memory;
    this.#checksum = checksum;
    this.#position = position;
    this.#sender = sender;
    this.#server = server;
  }

  /** @param {string | null} id Key of the entry by which this browser remembers the file, if known. */
  remember(id) {
    if (isWanted(this.#state.file, this.#limits)) this.remembering = this.#memory.begin(id);
  }

  /**
   * Upload the file, starting from what the server already has.
   *
   * @param {AbortSignal} signal
   * @param {import("./types.js").ErrorCode | null} after The error of the previous run.
   * @returns {Promise<UploadRecord>}
   * @throws {UploadError}
   * @throws the signal's reason
   */
  async run(signal, after) {
    this.#retry.reset();
    let release = () => {};
    try {
      assertWanted(this.#state.file, this.#limits);
      await this.#permit.acquire(signal);
      this.#state.enter("checking");
      this.#server.protocol().catch(() => {}); // asked meanwhile; `locate` has the answer, or asks again
      await this.#recover(after);
      await this.#retry.withRetry(() => this.#identity.read(), signal);
      signal.throwIfAborted();
      /** @type {"other-tab" | "same-file" | null} */
      let waited = null;
      release = await this.#identity.lock(signal, (reason) => {
        waited = reason;
        this.#waitForOther(reason);
      });
      const finished = waited ? await this.#finishedByOther(waited, signal) : null;
      return finished ?? (await this.#deliver(signal));
    } catch (error) {
      if (!(error instanceof Stopped)) this.close();
      const isRefused = error instanceof UploadError && error.code === "refused";
      if (isRefused && this.#state.uploadId === null) this.#memory.finish(null); // nothing to resume
      throw error;
    } finally {
      release();
      this.#permit.release();
    }
  }

  /**
   * Delete what the server and this browser have of the upload.
   *
   * @returns {Promise<boolean>} Whether the server confirmed.
   */
  async discard() {
    this.close();
    const { uploadId } = this.#state;
    const { signal } = new AbortController();
    try {
      const forgotten = this.#identity.forget();
      this.#state.uploadId = null;
      await forgotten;
      const lost = this.#position.mayHaveCreated ? await this.#identity.findOnServer(signal) : null;
      const id = uploadId ?? lost?.upload_id;
      if (id) await this.#server.remove(id);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Cancel: delete it on the server and in this browser.
   *
   * @returns {Promise<boolean>} Whether the server confirmed.
   */
  async cancel() {
    const forgotten = this.#memory.finish(null);
    const confirmed = await this.discard();
    await forgotten;
    return confirmed;
  }

  /** Whether what was sent counts, when the upload is paused in the middle of a request. */
  get keepsPrefix() {
    return this.#position.keepsPrefix;
  }

  /** Remember the file for the user who has just signed in. */
  adopt() {
    this.remembering = this.#memory.adopt();
  }

  /** @param {AbortSignal} signal Ends the question how much the server has, after a pause. */
  settle(signal) {
    return this.#position.settle(signal);
  }

  /** The upload leaves the list; the browser still remembers it, if it is unfinished. */
  dismiss() {
    this.close();
    this.#memory.release();
  }

  /** End the wait before the next try. */
  retryNow() {
    this.#retry.retryNow();
  }

  /** Stop the worker's job for this file. */
  close() {
    this.#checksum.stop();
  }

  // Before the first byte

  /**
   * Undo the cause of the previous run's failure, as far as possible.
   *
   * @param {import("./types.js").ErrorCode | null} code
   */
  async #recover(code) {
    if (code !== "checksum" && code !== "changed") return;
    const { file, handle } = this.#state;
    const fresh = (await handle?.getFile().catch(() => null)) ?? file;
    // A drive that was away for a moment looks like a changed file, too.
    if (code === "checksum" || !isSameVersion(fresh, file)) {
      await this.discard();
      this.#startOver();
      this.#identity.reset();
    }
    this.#state.file = fresh;
  }

  /** Another upload is sending the file. @param {"other-tab" | "same-file"} reason */
  #waitForOther(reason) {
    this.#permit.release();
    this.#state.enter("waiting", { reason, until: null, attempt: 0, detail: "" });
  }

  /**
   * Return the upload that the other one has finished, if it is of this file to the last byte.
   *
   * @param {"other-tab" | "same-file"} reason
   * @param {AbortSignal} signal
   * @returns {Promise<UploadRecord | null>}
   */
  async #finishedByOther(reason, signal) {
    await this.#permit.acquire(signal);
    this.#state.enter("checking");
    const find = () => this.#identity.findFinished(signal);
    const result = await this.#retry.withRetry(find, signal);
    if (!result) return null;
    this.#checksum.start();
    if ((await this.#checksum.finish(signal)) !== result[this.#checksum.name]) return null;
    this.#state.uploadId = result.upload_id;
    this.#state.notice(reason === "same-file" ? reason : "elsewhere");
    await this.#memory.finish(null);
    return result;
  }

  // Sending and completing

  /**
   * Send and complete; start again when the server has lost the upload or has another file.
   *
   * @param {AbortSignal} stopped
   * @returns {Promise<UploadRecord>}
   */
  async #deliver(stopped) {
    for (let starts = 1; ; starts += 1) {
      const differs = new AbortController();
      const signal = AbortSignal.any([stopped, differs.signal]);
      try {
        await this.#position.locate(signal);
        this.#checksum.start(() => differs.abort(new Setback("different-file")));
        const result = await this.#sendAndComplete(signal);
        await this.#identity.finish(result);
        this.close();
        return result;
      } catch (error) {
        await this.#prepareRestart(error, starts);
      }
    }
  }

  /**
   * @param {unknown} error What ended the last attempt.
   * @param {number} starts How often the upload has started so far.
   * @throws the error, when starting again does not help.
   */
  async #prepareRestart(error, starts) {
    // The bytes that were uploaded before may come from an older version of the file.
    const isChecksum = error instanceof UploadError && error.code === "checksum";
    const isOlder = isChecksum && this.#position.resumed;
    const reason = isOlder ? "different-file" : restartReason(error);
    if (!reason || starts >= MAX_STARTS) {
      throw error instanceof Setback ? asUploadError(error) : error;
    }
    if (reason === "different-file") await this.discard();
    else await this.#identity.forget();
    this.#state.notice(reason);
    this.#startOver();
  }

  /** Start from the first byte, as a new upload. */
  #startOver() {
    this.close();
    this.#retry.reset();
    this.#position.reset();
  }

  /** @param {AbortSignal} signal */
  async #sendAndComplete(signal) {
    for (;;) {
      await this.#sender.sendRest(signal);
      try {
        return await this.#complete(signal);
      } catch (error) {
        // The server lacks some bytes after all.
        if (!(error instanceof Setback && error.kind === "moved")) throw error;
        this.#position.moveTo(error.offset);
        if (this.#state.offset === this.#state.size) throw asUploadError(error);
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #complete(signal) {
    this.#state.enter("completing");
    this.#permit.release(); // another file may use the connection while the checksum is finished
    const digest = await this.#checksum.finish(signal);
    const digests = digest === null ? {} : { [this.#checksum.name]: digest };
    await this.#permit.acquire(signal);
    await assertUnchanged(this.#state);
    const uploadId = String(this.#state.uploadId);
    return this.#retry.withRetry(() => this.#server.complete(uploadId, digests, signal), signal);
  }
}
