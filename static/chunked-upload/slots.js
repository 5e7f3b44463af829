/** A bounded number of uploads at work, the ones that were added first going first. */

/** @typedef {{order: number, begin: () => void}} Waiter */

export class Slots {
  #free;
  /** @type {Waiter[]} */
  #waiters = [];

  /** @param {number} count */
  constructor(count) {
    this.#free = count;
  }

  /**
   * Wait for a place; `give` gives it back.
   *
   * @param {number} order Lower goes first.
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   * @throws the signal's reason
   */
  async take(order, signal) {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise((resolve, reject) => {
      const waiter = { order, begin: () => resolve(settle()) };
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const settle = () => signal.removeEventListener("abort", leave);
      const at = this.#waiters.findIndex((other) => other.order > order);
      this.#waiters.splice(at < 0 ? this.#waiters.length : at, 0, waiter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  give() {
    const next = this.#waiters.shift();
    if (next) next.begin();
    else this.#free += 1;
  }
}
