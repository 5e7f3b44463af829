/**
 * The page's side of md5-worker.js: one worker for all uploads. The worker is started when it is first
 * needed and kept, so that it works without a network later.
 */

import { UploadError } from "./errors.js";
import { readingError } from "./source.js";

/** @typedef {import("./types.js").Checkpoint} Checkpoint */

/**
 * One request to the worker.
 *
 * @typedef {object} Task
 * @property {(value: string) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {(checkpoint: Checkpoint) => void} [onCheckpoint]
 * @property {() => void} [onDiffers]
 */

export class Hasher {
  #url;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Map<number, Task>} */
  #tasks = new Map();
  #lastId = 0;

  /** @param {string | URL} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * Return a short text that identifies a file; made of its size and samples of its bytes.
   *
   * @param {File} file
   * @returns {Promise<string>}
   */
  fingerprint(file) {
    return this.#task("fingerprint", { file }, {}).result;
  }

  /**
   * Start a file's checksum. Nothing is read before `allow` says how far the worker may read.
   *
   * @param {File} file
   * @param {object} more
   * @param {import("./types.js").ChecksumName} more.checksum
   * @param {Checkpoint | null} more.expected Expected digest of the file's first bytes.
   * @param {(checkpoint: Checkpoint) => void} more.onCheckpoint
   * @param {() => void} more.onDiffers The first bytes are not the expected ones.
   */
  start(file, { checksum, expected, onCheckpoint, onDiffers }) {
    const { id, result } = this.#task(
      "start",
      { file, checksum, expected },
      { onCheckpoint, onDiffers },
    );
    result.catch(() => {}); // the error reaches whoever awaits the result
    return new HashJob(result, (type, upTo) => {
      if (type === "stop") this.#tasks.delete(id);
      this.#worker?.postMessage({ type, id, upTo });
    });
  }

  /** Stop the worker; open requests are rejected. */
  close() {
    this.#fail(new UploadError("worker"));
  }

  /**
   * @param {string} type
   * @param {object} message
   * @param {Partial<Task>} task
   */
  #task(type, message, task) {
    const id = (this.#lastId += 1);
    /** @type {Promise<string>} */
    const result = new Promise((resolve, reject) => {
      this.#tasks.set(id, { resolve, reject, ...task });
      this.#start()?.postMessage({ type, id, ...message });
    });
    return { id, result };
  }

  #start() {
    if (this.#worker) return this.#worker;
    try {
      this.#worker = new Worker(this.#url, { type: "module", name: "md5" });
    } catch (cause) {
      this.#fail(new UploadError("worker", { cause })); // it is from another origin
      return null;
    }
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new UploadError("worker", { cause: event.message }));
    };
    return this.#worker;
  }

  /** @param {any} data */
  #receive({ type, id, ...message }) {
    const task = this.#tasks.get(id);
    if (!task) return;
    if (type === "checkpoint") return task.onCheckpoint?.(message.checkpoint);
    if (type === "differs") return task.onDiffers?.();
    this.#tasks.delete(id);
    if (type !== "failed") return task.resolve(message.value);
    const unread = readingError(message.name);
    task.reject(
      unread ?? new UploadError("worker", { cause: `${message.name}: ${message.message}` }),
    );
    if (!unread) this.close(); // the next worker may load what this one could not
  }

  /** @param {UploadError} error */
  #fail(error) {
    for (const task of this.#tasks.values()) task.reject(error);
    this.#tasks.clear();
    this.#worker?.terminate();
    this.#worker = null;
  }
}

/** The checksum of one file, while it is computed. */
export class HashJob {
  #post;

  /**
   * @param {Promise<string>} digest
   * @param {(type: "allow" | "stop", upTo?: number) => void} post Sends the worker a message.
   */
  constructor(digest, post) {
    /** Resolves when `allow` has reached the file's end and all bytes are hashed. */
    this.digest = digest;
    this.#post = post;
  }

  /**
   * Let the worker read on.
   *
   * @param {number} upTo Position in the file.
   */
  allow(upTo) {
    this.#post("allow", upTo);
  }

  stop() {
    this.#post("stop");
  }
}
