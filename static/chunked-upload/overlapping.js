/**
 * Appends with short requests, two of which overlap. Something in front of the server collects each of
 * them whole: while it passes one on and the answer comes back, the next one is on its way to it.
 */

/** Answers over which the speed is measured: those of two requests may come at once. */
const ANSWERS = 4;

/**
 * Append until the file's end, until a request fails, or until this is no longer the way to send.
 *
 * @param {object} what
 * @param {number} what.start
 * @param {number} what.size Bytes of the file.
 * @param {(start: number) => number} what.length Returns how many bytes a request may have.
 * @param {(length: number) => number} what.duration Returns the milliseconds that it probably takes: the
 *   next one must not reach the server before it.
 * @param {() => boolean} what.goesOn Whether another request may follow.
 * @param {(start: number, length: number, onSent: () => void) => Promise<void>} what.append Resolves when
 *   the bytes are stored.
 * @throws the first error; the other request may still be under way.
 */
export async function appendOverlapping({ start, size, length, duration, goesOn, append }) {
  let before = Promise.resolve();
  for (let next = start; next < size && (next === start || goesOn());) {
    const bytes = length(next);
    const request = sent((onSent) => append(next, bytes, onSent), duration(bytes));
    await request.sent;
    await before;
    before = request.stored;
    next += bytes;
  }
  await before;
}

/** Measures how fast bytes flow, by the answers to requests that follow each other without a gap. */
export class Flow {
  #marks;

  /**
   * @param {number} offset
   * @param {number} time When an answer would have come, had bytes flowed before.
   */
  constructor(offset, time) {
    this.#marks = [{ offset, time }];
  }

  /**
   * @param {number} offset What is stored now.
   * @returns {[bytes: number, milliseconds: number]} What has flowed lately.
   */
  stored(offset) {
    const time = performance.now();
    const [since] = this.#marks;
    this.#marks.push({ offset, time });
    if (this.#marks.length > ANSWERS) this.#marks.shift();
    return [offset - since.offset, time - since.time];
  }
}

/**
 * Start a request, and tell when its bytes are sent and when they are stored. Bytes that the browser has
 * given to the system may still be on their way for as long as the line needs for them.
 *
 * @param {(onSent: () => void) => Promise<void>} request
 * @param {number} duration
 */
function sent(request, duration) {
  /** @type {() => void} */
  let onSent = () => {};
  /** @type {Promise<void>} */
  const isGiven = new Promise((resolve) => (onSent = resolve));
  const isDue = new Promise((resolve) => setTimeout(resolve, duration));
  const stored = request(onSent);
  stored.catch(() => {}); // the error reaches whoever awaits it
  return { sent: Promise.race([Promise.all([isGiven, isDue]), stored]), stored };
}
