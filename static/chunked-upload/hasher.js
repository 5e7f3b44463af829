/**
 * The page's side of md5-worker.js: one worker for all uploads. The worker is started when it is first
 * needed and kept, so that it works without a network later. Where workers are blocked, by an extension or
 * a policy, the page runs the same code itself, piece by piece.
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
 * @property {{type: string, id: number}} message
 * @property {number} allowed How far the worker may read.
 * @property {(checkpoint: Checkpoint) => void} [onCheckpoint]
 * @property {() => void} [onDiffers]
 */

/** How often the worker's module was loaded into this page. */
let modules = 0;

export class Hasher {
  #url;
  /** @type {Worker | null} */
  #worker = null;
  #hasAnswered = false;
  /** Takes messages in this page, where there is no worker. @type {Promise<(message: any) => void> | null} */
  #here = null;
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
    return new HashJob(result, (type, upTo = 0) => {
      const task = this.#tasks.get(id);
      if (type === "stop") this.#tasks.delete(id);
      else if (task) task.allowed = Math.max(task.allowed, upTo);
      if (task) this.#send({ type, id, upTo });
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
      const sent = { type, id, ...message };
      this.#start();
      this.#tasks.set(id, { resolve, reject, message: sent, allowed: 0, ...task });
      this.#send(sent);
    });
    return { id, result };
  }

  /** @param {object} message */
  #send(message) {
    if (this.#worker) this.#worker.postMessage(message);
    else this.#here?.then((receive) => receive(message)).catch(() => {}); // #runHere tells why
  }

  #start() {
    if (this.#worker || this.#here) return;
    try {
      this.#worker = new Worker(this.#url, { type: "module", name: "md5" });
    } catch {
      return this.#runHere();
    }
    this.#hasAnswered = false;
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      if (this.#hasAnswered) this.#fail(new UploadError("worker", { cause: event.message }));
      else this.#runHere();
    };
  }

  /** Compute in the page: the worker could not be started. */
  #runHere() {
    this.#worker = null;
    // A module of its own for each uploader: its address has another fragment.
    const url = new URL(this.#url, document.baseURI);
    url.hash = `${(modules += 1)}`;
    this.#here = import(url.href).then(({ runHere }) =>
      runHere((/** @type {object} */ data) => this.#receive(data)),
    );
    this.#here.catch((cause) => this.#fail(new UploadError("worker", { cause })));
    for (const { message, allowed } of this.#tasks.values()) {
      this.#send(message);
      if (allowed) this.#send({ type: "allow", id: message.id, upTo: allowed });
    }
  }

  /** @param {any} data */
  #receive({ type, id, ...message }) {
    this.#hasAnswered = true;
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
    this.#here = null;
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
