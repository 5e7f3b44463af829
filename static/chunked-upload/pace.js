/**
 * How many bytes are sent in one request, learned from the requests before, for all uploads together. A
 * server that keeps what arrived gets long requests, which fill the line; where a request counts only
 * when it is whole, it is short, so that losing it costs little.
 */

/** Smallest request. */
const SMALLEST = 64 * 1024;
/** Seconds that a request should take where what arrived counts. Gateways give up longer ones. */
const LONG = 20;
/** Likewise while it is not known whether something in front of the server collects whole requests. */
const TRIAL = 4;
/** Likewise where a request counts only when it is whole. */
const SHORT = { chunks: 2, buffered: 1 };
/** Chunks wait for each other: they last so many times the way there and back, but no longer than this. */
const [CHUNK_PER_LATENCY, LONGEST_CHUNK] = [15, 6];
/** The first request, when the speed of the line is not known. */
const FIRST = { long: 8 * 2 ** 20, short: 512 * 1024 };
/** Most bytes of one chunk. */
const LARGEST_CHUNK = 32 * 2 ** 20;
/** How much longer a request may be than any before. */
const GROWTH = 8;
/** Requests that were over sooner say more about the way there and back than about the line. */
const TELLING = 256 * 1024;
/**
 * Milliseconds for which an observation holds, unless a request fails: then the line may be another one, which has to be
 * found out again.
 */
const LIFETIME = 300_000;

export class Pace {
  #largest;
  #server;
  #seconds = LONG;
  /** Bytes per second; 0 while unknown. */
  #speed = 0;
  #longest = 0;
  /**
   * Whether something in front of the server collected whole requests before it passed them on, and until
   * when this is taken as known.
   */
  #observed = { isBuffered: false, until: 0 };

  /**
   * @param {number | null} largest Most bytes of a request, if the page says so.
   * @param {Pick<import("./server.js").Server, "latency">} server
   */
  constructor(largest, server) {
    this.#largest = largest ?? Infinity;
    this.#server = server;
  }

  /** Whether requests are collected whole before they reach the server. */
  get isBuffered() {
    return this.#observed.isBuffered && !this.isUnknown;
  }

  /** Whether it is to be found out, for the first time or again. */
  get isUnknown() {
    return performance.now() >= this.#observed.until;
  }

  /**
   * Return how many bytes the next request may have.
   *
   * @param {boolean} keepsPrefix What arrives of a request that breaks off counts.
   */
  next(keepsPrefix) {
    const isLong = keepsPrefix && !this.isBuffered;
    const seconds = Math.min(this.#wanted(keepsPrefix), this.#seconds);
    const first = isLong ? FIRST.long : FIRST.short;
    const wanted = this.#speed ? this.#speed * seconds : first;
    const grown = Math.max(first, this.#longest * GROWTH);
    const most = keepsPrefix ? this.#largest : Math.min(this.#largest, LARGEST_CHUNK);
    return Math.min(Math.max(Math.floor(Math.min(wanted, grown)), 4 * SMALLEST), most);
  }

  /** @param {boolean} keepsPrefix @returns {number} Seconds that a request should take on a good line. */
  #wanted(keepsPrefix) {
    if (!keepsPrefix) {
      const worthwhile = (CHUNK_PER_LATENCY * this.#server.latency) / 1000;
      return Math.min(Math.max(SHORT.chunks, worthwhile), LONGEST_CHUNK);
    }
    if (this.isUnknown) return TRIAL;
    return this.isBuffered ? SHORT.buffered : LONG;
  }

  /** Bytes per second; 0 while unknown. */
  get speed() {
    return this.#speed;
  }

  /**
   * Learn from a request that is under way, until one is stored.
   *
   * @param {number} speed Bytes per second.
   */
  arriving(speed) {
    this.#speed ||= speed;
  }

  /**
   * Return the milliseconds that the line probably needs for so many bytes; 0 while unknown.
   *
   * @param {number} bytes
   */
  duration(bytes) {
    return this.#speed ? (bytes * 1000) / this.#speed : 0;
  }

  /**
   * Return whether a request may not have so many bytes.
   *
   * @param {number} bytes
   */
  isCapped(bytes) {
    return bytes > this.#largest;
  }

  /**
   * Learn from a request that was stored.
   *
   * @param {number} bytes
   * @param {number} milliseconds From its begin to its answer.
   */
  stored(bytes, milliseconds) {
    this.#longest = Math.max(this.#longest, bytes);
    this.#seconds = Math.min(LONG, this.#seconds * 1.5);
    // The line was idle while the last bytes and the answer were on their way.
    this.flowed(bytes, Math.max(milliseconds - this.#server.latency, milliseconds / 2));
  }

  /**
   * Learn from bytes that were sent without a gap.
   *
   * @param {number} bytes
   * @param {number} milliseconds
   */
  flowed(bytes, milliseconds) {
    if (bytes < TELLING && milliseconds < 1000) return;
    this.#speed = (bytes * 1000) / Math.max(milliseconds, 1);
  }

  /**
   * Send shorter requests for a while: one was cut off, or a gateway gave it up.
   *
   * @param {number} milliseconds How long it took.
   */
  cut(milliseconds) {
    this.#observed.until = 0; // the next request may take another way
    if (milliseconds < 2000) return;
    this.#seconds = Math.max(2, Math.min(this.#seconds, milliseconds / 2000));
  }

  /** @param {boolean} isBuffered */
  observe(isBuffered) {
    this.#observed = { isBuffered, until: performance.now() + LIFETIME };
  }

  /**
   * Send at most so much at once.
   *
   * @param {number | null | undefined} most The server's limit.
   */
  limit(most) {
    if (most) this.#largest = Math.min(this.#largest, most);
  }

  /**
   * Send less from now on: the server, or a proxy in front of it, refused a request of this size.
   *
   * @param {number} refused
   * @returns {boolean} False when requests cannot get smaller.
   */
  shrink(refused) {
    this.#largest = Math.min(this.#largest, Math.max(Math.floor(refused / 2), SMALLEST));
    return refused > SMALLEST;
  }
}
