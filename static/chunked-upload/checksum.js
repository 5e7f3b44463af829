/** The checksum of one file, computed by the worker while the file is sent. */

import { untilAborted } from "./abortable.js";

export class Checksum {
  #state;
  #memory;
  #hasher;
  /** @type {import("./hasher.js").HashJob | null} */
  #job = null;
  #onDiffers = () => {};

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {import("./memory.js").Memory} memory Keeps the digest of the file's first bytes.
   * @param {Pick<import("./hasher.js").Hasher, "start"> | null} hasher Null: none is computed.
   * @param {import("./types.js").ChecksumName} name
   */
  constructor(state, memory, hasher, name) {
    this.name = name;
    this.#state = state;
    this.#memory = memory;
    this.#hasher = hasher;
  }

  /**
   * Start the worker's job. Bytes that were uploaded before are hashed while the rest is sent.
   *
   * @param {() => void} [onDiffers] The file's first bytes are not the ones that were sent before.
   */
  start(onDiffers = () => {}) {
    this.#onDiffers = onDiffers;
    if (this.#hasher === null) return;
    const memory = this.#memory;
    this.#job ??= this.#hasher.start(this.#state.file, {
      checksum: this.name,
      expected: memory.checkpoint,
      onCheckpoint: (checkpoint) => (memory.checkpoint = checkpoint),
      onDiffers: () => this.#onDiffers(),
    });
    this.allow(this.#state.offset);
  }

  /**
   * Let the worker read on.
   *
   * @param {number} upTo Position in the file.
   */
  allow(upTo) {
    this.#job?.allow(upTo);
  }

  /**
   * Return the file's digest when all of it is read; null when none is computed.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>}
   * @throws the signal's reason
   */
  async finish(signal) {
    this.allow(this.#state.size);
    return this.#job && untilAborted(this.#job.digest, signal);
  }

  /** Stop the worker's job. */
  stop() {
    this.#job?.stop();
    this.#job = null;
  }
}
