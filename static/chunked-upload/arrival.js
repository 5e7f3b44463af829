/**
 * Estimates how much of a request has arrived. A browser counts bytes as sent when the system has taken them
 * into its buffers, which hold megabytes: many seconds of a slow line, which a pause would take away again.
 * So the server is asked now and then (append-watch.js), and no more is counted than has arrived since then
 * at the speed seen so far.
 */

/** Milliseconds by which the server's answer may be old: it records progress once a second. */
const OLD = 1000;
/** Milliseconds of sending by which estimates may differ, before progress is shown to go back. */
const ROUGH = 2000;

export class Arrival {
  #offset;
  #time = performance.now();
  /** Bytes per millisecond; null while unknown. @type {number | null} */
  #speed;
  #shown;

  /**
   * @param {number} start Offset at which the request begins.
   * @param {number} speed Of earlier requests, in bytes per second; 0 while unknown.
   */
  constructor(start, speed) {
    this.#offset = start;
    this.#shown = start;
    this.#speed = speed ? speed / 1000 : null;
  }

  /** Bytes per second; 0 while unknown. */
  get speed() {
    return (this.#speed ?? 0) * 1000;
  }

  /** @param {number} offset What the server has recorded. */
  recorded(offset) {
    const now = performance.now();
    this.#speed = (offset - this.#offset) / Math.max(now - this.#time, 1);
    this.#offset = offset;
    this.#time = now;
  }

  /**
   * Return the offset that the server has probably reached.
   *
   * @param {number} sent Offset up to which bytes have left the browser.
   */
  estimate(sent) {
    if (this.#speed === null) return (this.#shown = sent);
    const since = performance.now() - this.#time;
    // Whole bytes: the checksum's worker reads up to here.
    const likely = Math.min(sent, Math.floor(this.#offset + this.#speed * (since + OLD)));
    const isFarOff = this.#shown - likely > this.#speed * ROUGH;
    this.#shown = isFarOff ? likely : Math.max(this.#shown, likely);
    return Math.min(this.#shown, sent);
  }
}
