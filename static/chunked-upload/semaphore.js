/** Limits how many uploads run at the same time. Uploads that were added first run first. */

/** @typedef {{order: number, start: () => void}} Waiter */

export class Semaphore {
  #free;
  /** @type {Waiter[]} */
  #waiters = [];

  /** @param {number} permits */
  constructor(permits) {
    this.#free = permits;
  }

  /**
   * Wait for a permit; `release` returns it.
   *
   * @param {number} order The lowest order is served first.
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   * @throws the signal's reason
   */
  async acquire(order, signal) {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise((resolve, reject) => {
      const waiter = { order, start: () => resolve(settle()) };
      const leave = () => {
        // Where all are paused, the last one leaves first.
        this.#waiters.splice(this.#waiters.lastIndexOf(waiter), 1);
        reject(signal.reason);
      };
      const settle = () => signal.removeEventListener("abort", leave);
      // Thousands may wait. A new one is most often the last.
      const before = this.#waiters.findLastIndex((other) => other.order <= order);
      this.#waiters.splice(before + 1, 0, waiter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  release() {
    const next = this.#waiters.shift();
    if (next) next.start();
    else this.#free += 1;
  }
}

/** One upload's permit. Acquiring or releasing it twice has no further effect. */
export class Permit {
  #semaphore;
  #order;
  #held = false;

  /**
   * @param {Semaphore} semaphore
   * @param {number} order
   */
  constructor(semaphore, order) {
    this.#semaphore = semaphore;
    this.#order = order;
  }

  /**
   * @param {AbortSignal} signal
   * @throws the signal's reason
   */
  async acquire(signal) {
    if (this.#held) return;
    await this.#semaphore.acquire(this.#order, signal);
    this.#held = true;
  }

  release() {
    if (this.#held) this.#semaphore.release();
    this.#held = false;
  }
}
