/**
 * Watches a long request: asks the server now and then what it has recorded, which tells how much is safe,
 * and whether something in front of the server collects whole requests before it passes them on.
 */

/** Milliseconds until the first question. The server records progress once a second. */
const FIRST = 2000;
/** Until the next one while nothing is known, and later. */
const [SOON, LATER] = [750, 3000];
/** Questions in a row that must find nothing recorded. */
const CERTAIN = 2;

export class AppendWatch {
  /** Resolves when the request is collected, and the next one may follow as soon as its bytes have left. @type {Promise<true>} */
  collected;
  #ask;
  #onOffset;
  #onBuffered = () => {};
  #start;
  #unmoved = 0;
  #sent = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isOver = false;

  /**
   * @param {number} start Offset at which the request began.
   * @param {object} parts
   * @param {() => Promise<number>} parts.ask Returns the recorded offset.
   * @param {(offset: number) => void} parts.onOffset So much is recorded.
   * @param {() => boolean} parts.onBuffered Bytes are sent, but nothing is recorded; returns whether the next
   *   request may follow this one.
   */
  constructor(start, { ask, onOffset, onBuffered }) {
    this.#start = start;
    this.#ask = ask;
    this.#onOffset = onOffset;
    this.collected = new Promise((resolve) => {
      this.#onBuffered = () => onBuffered() && resolve(true);
    });
    this.#wait(FIRST);
  }

  /** @param {number} bytes Sent so far. */
  sent(bytes) {
    this.#sent = bytes;
  }

  end() {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** @param {number} milliseconds */
  #wait(milliseconds) {
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }

  async #look() {
    const hasSent = this.#sent > 0;
    const offset = await this.#ask().catch(() => null);
    if (this.#isOver) return;
    if (offset !== null && offset > this.#start) {
      this.#onOffset(offset);
      return this.#wait(LATER);
    }
    if (offset !== null && hasSent) this.#unmoved += 1;
    if (this.#unmoved >= CERTAIN) return this.#onBuffered();
    this.#wait(SOON);
  }
}
