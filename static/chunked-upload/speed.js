/**
 * Measures the speed of an upload, smoothed: recent seconds count most, so that the time left neither
 * jumps with every packet nor shows how fast the line was a minute ago.
 */

/** Seconds after which a measurement has a third of its weight. */
const SMOOTHING = 4;
/** Seconds between measurements. */
const INTERVAL = 0.25;
/** Seconds without progress after which no speed is told any more. */
const STALLED = 5;

export class Speedometer {
  #speed = 0;
  #bytes = 0;
  #time = 0;
  #weight = 0;

  /** Bytes per second; 0 while unknown, and while nothing moves. */
  get speed() {
    return performance.now() - this.#time < STALLED * 1000 ? this.#speed : 0;
  }

  /**
   * Start, or start again after a pause.
   *
   * @param {number} bytes
   */
  start(bytes) {
    this.#bytes = bytes;
    this.#time = performance.now();
  }

  /** @param {number} bytes Sent so far. */
  measure(bytes) {
    const now = performance.now();
    const seconds = (now - this.#time) / 1000;
    if (bytes < this.#bytes) this.start(bytes); // some bytes are sent again
    if (seconds < INTERVAL || bytes <= this.#bytes) return;
    const fresh = 1 - Math.exp(-seconds / SMOOTHING);
    // Otherwise the first measurements would be pulled towards 0.
    this.#weight += (1 - this.#weight) * fresh;
    this.#speed += ((bytes - this.#bytes) / seconds - this.#speed) * (fresh / this.#weight);
    this.#bytes = bytes;
    this.#time = now;
  }
}
