/** The MD5 of an upload's file, computed in the worker while the file is sent. */

import { untilAborted } from "./waiting.js";

export class Checksum {
  #parts;
  #upload;
  #identity;
  /** @type {import("./hasher.js").HashJob | null} */
  #job = null;
  #onDiffers = () => {};

  /**
   * @param {import("./types.js").Parts} parts
   * @param {import("./upload.js").Upload} upload
   * @param {import("./identity.js").Identity} identity Where the MD5 of the first bytes is remembered.
   */
  constructor(parts, upload, identity) {
    this.#parts = parts;
    this.#upload = upload;
    this.#identity = identity;
  }

  /**
   * Let the worker hash along; what was uploaded before, it reads while the rest is sent.
   *
   * @param {() => void} [onDiffers] The file's first bytes are not those that were sent before.
   */
  start(onDiffers = () => {}) {
    const { options, hasher } = this.#parts;
    this.#onDiffers = onDiffers;
    if (!options.md5) return;
    const identity = this.#identity;
    this.#job ??= hasher.start(this.#upload.file, {
      expected: identity.checkpoint,
      onCheckpoint: (checkpoint) => (identity.checkpoint = checkpoint),
      onDiffers: () => this.#onDiffers(),
    });
    this.allow(this.#upload.offset);
  }

  /**
   * Let it read on.
   *
   * @param {number} upTo Position in the file.
   */
  allow(upTo) {
    this.#job?.allow(upTo);
  }

  /**
   * The file's MD5, once all of it is read; null when none is computed.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>}
   * @throws the signal's reason
   */
  async finish(signal) {
    this.allow(this.#upload.size);
    return this.#job && untilAborted(this.#job.md5, signal);
  }

  /** Let go of the worker's job. */
  stop() {
    this.#job?.stop();
    this.#job = null;
  }
}
