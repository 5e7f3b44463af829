/** Where an upload stands on the server, which is asked at the start, after failures and after pauses. */

import { Setback } from "./errors.js";

/** @typedef {import("./server.js").Server} Server */

export class Position {
  /**
   * Whether the upload may have been created without an answer: the server may have one that we do not
   * know.
   */
  mayHaveCreated = false;
  /** Whether this page has created the upload, or tried to. */
  hasCreated = false;
  /** By which the server knows a creation again; each new start has its own. */
  creationKey = randomKey();
  #state;
  #server;
  #retry;
  #identity;
  #memory;
  /** @type {import("./offsets.js").Offsets | import("./chunks.js").Chunks | null} */
  #protocol = null;
  #resumed = false;

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {object} parts
   * @param {Pick<Server, "protocol" | "state">} parts.server
   * @param {import("./retry.js").Retry} parts.retry
   * @param {import("./identity.js").Identity} parts.identity
   * @param {import("./memory.js").Memory} parts.memory
   */
  constructor(state, { server, retry, identity, memory }) {
    this.#state = state;
    this.#server = server;
    this.#retry = retry;
    this.#identity = identity;
    this.#memory = memory;
  }

  /** Whether the server already had some of the bytes when this page started to read the file. */
  get resumed() {
    return this.#resumed;
  }

  /** How the server receives bytes. */
  get protocol() {
    if (!this.#protocol) throw new TypeError("the server was not asked which protocol it speaks");
    return this.#protocol;
  }

  /** Whether what arrived of a request that breaks off counts. */
  get keepsPrefix() {
    return this.#protocol?.keepsPrefix ?? false;
  }

  /** Start again from the first byte, as a new upload. */
  reset() {
    this.#resumed = false;
    this.hasCreated = false;
    this.creationKey = randomKey();
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
    this.#protocol = await this.#retry.withRetry(() => this.#server.protocol(), signal);
    state.uploadId ??= await this.#identity.findInStore();
    const record = await this.#retry.withRetry(() => this.#look(signal), signal);
    if (!record) return;
    if (record.length !== null && record.length !== state.size) throw new Setback("different-file");
    const isOurs = this.hasCreated || state.offset > 0;
    state.uploadId = record.upload_id;
    this.moveTo(record.offset, record.expires);
    this.#memory.save();
    if (isOurs || !record.offset) return;
    this.#resumed = true;
    state.notice("resumed", { offset: record.offset });
  }

  /**
   * Ask the server once how much it has, after a pause.
   *
   * @param {AbortSignal} signal
   */
  async settle(signal) {
    if (this.#state.uploadId === null || !this.keepsPrefix) return;
    const record = await this.#look(signal);
    if (!record) return;
    this.moveTo(record.offset, record.expires);
    this.#memory.save(true);
  }

  /**
   * Continue from the server's offset.
   *
   * @param {number} offset
   * @param {string | null} [expires]
   * @param {number} [sent] The same, plus what has probably arrived since.
   * @throws {Setback} for an impossible offset.
   */
  moveTo(offset, expires, sent = offset) {
    const state = this.#state;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > state.size) {
      throw new Setback("server", { detail: `offset ${offset} of ${state.size}`, lasting: true });
    }
    if (offset > state.offset) this.#retry.reset();
    state.expires = expires ?? state.expires;
    state.move(offset, sent);
  }

  /** @param {AbortSignal} signal */
  async #look(signal) {
    const { uploadId } = this.#state;
    if (uploadId === null) return this.#identity.findOnServer(signal);
    await this.#protocol?.settle(uploadId, signal);
    return this.#server.state(uploadId, signal);
  }
}

/** Return 128 random bits. `randomUUID` exists only over HTTPS. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
