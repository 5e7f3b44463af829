/** How many bytes are sent in one request. */

/** Smallest chunk. */
const SMALLEST = 64 * 1024;
/** Longest time that a chunk should take, in seconds; a lost connection loses this much work. */
const SECONDS = 10;

export class ChunkSize {
  #largest;

  /** @param {number} largest */
  constructor(largest) {
    this.#largest = largest;
  }

  /**
   * Return the size of the next chunk.
   *
   * @param {number} speed Bytes per second; 0 while unknown.
   */
  next(speed) {
    const affordable = speed ? Math.max(Math.floor(speed * SECONDS), 4 * SMALLEST) : Infinity;
    return Math.min(this.#largest, affordable);
  }

  /**
   * Send smaller chunks from now on: the server, or a proxy in front of it, refused one of this size.
   *
   * @param {number} refused
   * @returns {boolean} False when chunks cannot get smaller.
   */
  shrink(refused) {
    this.#largest = Math.max(Math.floor(refused / 2), SMALLEST);
    return refused > SMALLEST;
  }
}
