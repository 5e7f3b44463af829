/**
 * Appends with short requests, two of which overlap. Something in front of the server collects each of
 * them whole: while it passes one on and the answer comes back, the next one is on its way to it.
 */

/** Answers over which the speed is measured: those of two requests may come at once. */
const ANSWERS = 4;

/** Share of its duration after which a request has nearly left the line. */
const SURE = 0.9;

/**
 * A request that is under way.
 *
 * @typedef {object} UnderWay
 * @property {number} stop Offset at which its bytes end.
 * @property {Promise<unknown>} sent Its bytes have left.
 * @property {Promise<unknown>} stored Its bytes are stored.
 */

/**
 * Append until the file's end, until a request fails, or until this is no longer the way to send.
 *
 * @param {object} what
 * @param {UnderWay | null} what.first The request that is under way when this starts.
 * @param {number} what.offset At which this starts, or that request.
 * @param {number} what.size Bytes of the file.
 * @param {number} what.began When the first answer would have come, had bytes flowed before.
 * @param {Pick<import("./pace.js").Pace, "isBuffered" | "duration" | "flowed">} what.pace
 * @param {(start: number) => number} what.length Returns how many bytes a request may have.
 * @param {(start: number, length: number, onSent: () => void) => Promise<number>} what.append Resolves to the
 *   server's offset when the bytes are stored.
 * @throws the first error; the other request may still be under way.
 */
export async function appendOverlapping({ first, offset, size, began, pace, length, append }) {
  const flow = new Flow(offset, began);
  /** @param {number} start */
  const begin = (start) => {
    const bytes = length(start);
    return underWay(start + bytes, pace.duration(bytes), async (onSent) => {
      pace.flowed(...flow.stored(await append(start, bytes, onSent)));
    });
  };
  /** @type {Promise<unknown>} */
  let before = Promise.resolve();
  for (let request = first ?? begin(offset); ; request = begin(request.stop)) {
    await request.sent.finally(() => before); // if it fails, the one before it has its answer first
    await before;
    before = request.stored;
    if (request.stop >= size || !pace.isBuffered) break;
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
 * Start a request, and tell when its bytes have left and when they are stored. Bytes that the browser has
 * given to the system may still be on their way for as long as the line needs for them.
 *
 * @param {number} stop Offset at which its bytes end.
 * @param {number} duration Milliseconds that they probably take: the next request must not reach the server
 *   before this one.
 * @param {(onSent: () => void) => Promise<unknown>} request
 * @returns {UnderWay}
 */
export function underWay(stop, duration, request) {
  /** @type {() => void} */
  let onSent = () => {};
  /** @type {Promise<void>} */
  const isGiven = new Promise((resolve) => (onSent = resolve));
  const isDue = new Promise((resolve) => setTimeout(resolve, duration * SURE));
  const stored = request(onSent);
  const sent = Promise.race([Promise.all([isGiven, isDue]), stored]);
  for (const promise of [sent, stored]) promise.catch(() => {}); // the error reaches whoever awaits it
  return { stop, sent, stored };
}
