// @ts-check
/** What holds for the user now: the name the server knows, the limits, what is used and left of them. */

import { ServiceError } from "./service.js";

/**
 * What `GET /uploads/account` answers (docs/protocol.md).
 *
 * @typedef {object} AccountReply
 * @property {string | null} name
 * @property {{max_bytes: number | null}} limits
 * @property {{bytes: Level | null, files: Level | null} | null} quota
 * @property {number} expires_after Seconds.
 */

/** @typedef {{used: number, left: number, max: number}} Level */

/**
 * What the page shows of `GET /uploads/quota`; null for no limit.
 *
 * @typedef {object} UsageReply
 * @property {Level | null} stored_bytes
 * @property {Level | null} stored_files
 * @property {Level | null} bytes_per_day
 */

/** Milliseconds in which further changes join a question. */
const GATHER = 1000;

/** Fires `change` when the answer is new. */
export class Standing extends EventTarget {
  /** The latest answer; null before it, and for who is signed out. @type {AccountReply | null} */
  account = null;
  /** What is used of the limits; null before the answer, and where there are none. @type {UsageReply | null} */
  usage = null;
  /** Resolves when the latest question is answered, or cannot be. @type {Promise<void>} */
  settled = Promise.resolve();
  #service;
  #url;
  #usageUrl;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {Pick<import("./service.js").Service, "ask">} service
   * @param {string} url
   * @param {string | null} usageUrl Null where nothing is limited, so that nobody need ask.
   */
  constructor(service, url, usageUrl) {
    super();
    this.#service = service;
    this.#url = url;
    this.#usageUrl = usageUrl;
  }

  /**
   * Ask the server.
   *
   * @returns {Promise<void>}
   * @throws {ServiceError}
   */
  load() {
    const loaded = this.#load();
    this.settled = loaded.catch(() => {});
    return loaded;
  }

  async #load() {
    const usage = this.#loadUsage();
    try {
      this.account = await this.#service.ask("GET", this.#url);
      this.usage = await usage;
    } catch (error) {
      if (/** @type {ServiceError} */ (error).status !== 0) this.account = this.usage = null;
      throw error;
    } finally {
      this.dispatchEvent(new Event("change"));
    }
  }

  /** @returns {Promise<UsageReply | null>} Without an answer, what was known. */
  async #loadUsage() {
    if (this.#usageUrl === null) return null;
    return this.#service.ask("GET", this.#usageUrl).catch(() => this.usage);
  }

  /** Nobody is signed in any more. */
  forget() {
    this.account = this.usage = null;
    this.dispatchEvent(new Event("change"));
  }

  /** Ask the server soon, since files came or went; unless nothing is limited. */
  refreshSoon() {
    const isLimited = this.#usageUrl !== null || Boolean(this.account?.quota);
    if (!isLimited || this.#timer !== undefined) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      this.refresh();
    }, GATHER);
  }

  /** Ask the server; without an answer the page says less. */
  refresh() {
    this.load().catch(() => {});
  }
}
