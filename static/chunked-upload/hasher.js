/**
 * The page's side of md5-worker.js: one worker for all uploads. It is started when first needed and kept,
 * so that a connection that is lost later does not matter.
 */

import { UploadError } from "./errors.js";
import { readingError } from "./source.js";

/** @typedef {import("./types.js").Checkpoint} Checkpoint */

/**
 * What became of one question to the worker.
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
   * A short text by which a file is known again; its size and samples of its bytes are in it.
   *
   * @param {File} file
   * @returns {Promise<string>}
   */
  fingerprint(file) {
    return this.#task("fingerprint", { file }, {}).result;
  }

  /**
   * Begin a file's MD5; nothing is read before `allow` says how far it may go.
   *
   * @param {File} file
   * @param {object} more
   * @param {Checkpoint | null} more.expected What the file's first bytes must give.
   * @param {(checkpoint: Checkpoint) => void} more.onCheckpoint
   * @param {() => void} more.onDiffers The first bytes are not the expected ones.
   */
  start(file, { expected, onCheckpoint, onDiffers }) {
    const { id, result } = this.#task("start", { file, expected }, { onCheckpoint, onDiffers });
    result.catch(() => {}); // whoever awaits it hears of it
    return new HashJob(result, (type, upTo) => {
      if (type === "stop") this.#tasks.delete(id);
      this.#worker?.postMessage({ type, id, upTo });
    });
  }

  /** End the worker; what it was asked is answered by an error. */
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
      this.#fail(new UploadError("worker", { cause })); // of another origin
      return null;
    }
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new UploadError("worker", { cause: event.message }));
    };
    return this.#worker;
  }

  /** @param {any} message */
  #hear({ type, id, ...said }) {
    const task = this.#tasks.get(id);
    if (!task) return;
    if (type === "checkpoint") return task.onCheckpoint?.(said.checkpoint);
    if (type === "differs") return task.onDiffers?.();
    this.#tasks.delete(id);
    if (type !== "failed") return task.resolve(said.value);
    const unread = readingError(said.name);
    task.reject(unread ?? new UploadError("worker", { cause: `${said.name}: ${said.message}` }));
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

/** The MD5 of one file, in the making. */
export class HashJob {
  #tell;

  /**
   * @param {Promise<string>} md5
   * @param {(type: "allow" | "stop", upTo?: number) => void} tell
   */
  constructor(md5, tell) {
    /** Resolves when `allow` has reached the file's end and all is hashed. */
    this.md5 = md5;
    this.#tell = tell;
  }

  /**
   * Let it read on.
   *
   * @param {number} upTo Position in the file.
   */
  allow(upTo) {
    this.#tell("allow", upTo);
  }

  stop() {
    this.#tell("stop");
  }
}
