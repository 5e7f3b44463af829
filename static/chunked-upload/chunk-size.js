/** How many bytes go at a time. */

/** Smallest chunk that is tried. */
const SMALLEST = 64 * 1024;
/** Seconds that a chunk should take at most: what a lost connection costs. */
const SECONDS = 10;

export class ChunkSize {
  #largest;

  /** @param {number} largest */
  constructor(largest) {
    this.#largest = largest;
  }

  /**
   * @param {number} speed Bytes per second; 0 while unknown.
   */
  next(speed) {
    const bearable = speed ? Math.max(Math.floor(speed * SECONDS), 4 * SMALLEST) : Infinity;
    return Math.min(this.#largest, bearable);
  }

  /**
   * Send less from now on: a server, or a proxy before it, did not take so much.
   *
   * @param {number} refused
   * @returns {boolean} False when it cannot be less.
   */
  shrink(refused) {
    this.#largest = Math.max(Math.floor(refused / 2), SMALLEST);
    return refused > SMALLEST;
  }
}
