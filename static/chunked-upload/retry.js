/**
 * Retries: when to repeat a request that failed, what ends the wait early, and when to give up.
 */

import { Setback, asUploadError } from "./errors.js";
import { sleep } from "./abortable.js";

/** @typedef {import("./types.js").WaitReason} WaitReason */

/** Window events that end a wait early. @type {Partial<Record<WaitReason, string[]>>} */
const EVENTS = { offline: ["online"], unreachable: ["online"], "sign-in": ["focus"] };

/** Setbacks after which the same request may succeed later. */
const TEMPORARY = new Set(["network", "server", "storage-full", "sign-in"]);

export class Retry {
  #state;
  #permit;
  #delays;
  /** Failures in a row. */
  #failures = 0;
  /** Ends the current wait. @type {(() => void) | null} */
  #wake = null;
  /** `retryNow` was called during a request: if that request fails, the next one follows at once. */
  #skipNextWait = false;

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {import("./semaphore.js").Permit} permit Released while the server's disk is full.
   * @param {number[]} delays Milliseconds before each new try; the last one repeats.
   */
  constructor(state, permit, delays) {
    this.#state = state;
    this.#permit = permit;
    this.#delays = delays;
  }

  /** Count failures from zero again: something succeeded. */
  reset() {
    this.#failures = 0;
    this.#skipNextWait = false;
  }

  /**
   * Try again at once, because something has changed (the user signed in, for example). A request that
   * is under way may still be refused, since it was sent before the change; then the try after it does not wait.
   */
  retryNow() {
    if (this.#wake) this.#wake();
    else this.#skipNextWait = true;
  }

  /**
   * Repeat a request until it is answered, waiting between tries.
   *
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} request
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   * @throws {Setback} when repeating the request cannot help.
   * @throws {import("./errors.js").UploadError} after too many failures.
   * @throws the signal's reason
   */
  async withRetry(request, signal) {
    for (;;) {
      try {
        return await request(signal);
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        await this.waitAfter(error, signal);
      }
    }
  }

  /**
   * Wait until the next try makes sense, which may be at once. Meanwhile the upload is `waiting`.
   *
   * @param {Setback} setback
   * @param {AbortSignal} signal
   * @throws {Setback} the given one, when repeating the request cannot help.
   * @throws {import("./errors.js").UploadError} after too many failures.
   * @throws the signal's reason
   */
  async waitAfter(setback, signal) {
    if (!TEMPORARY.has(setback.kind)) throw setback;
    const reason = waitReason(setback.kind);
    this.#failures += 1;
    if (setback.lasting && this.#failures > this.#delays.length) throw asUploadError(setback);
    const delay = setback.retryAfter ?? backoff(this.#delays, this.#failures);
    const { state } = this.#state;
    if (this.#skipNextWait) {
      this.#skipNextWait = false;
      return;
    }
    this.#state.enter("waiting", {
      reason,
      until: reason === "sign-in" ? null : Date.now() + delay,
      attempt: this.#failures,
      detail: setback.detail,
    });
    if (reason === "storage-full") this.#permit.release(); // a smaller file may still fit
    await this.#wait(reason === "sign-in" ? null : delay, EVENTS[reason] ?? [], signal);
    await this.#permit.acquire(signal);
    this.#state.enter(state);
  }

  /**
   * @param {number | null} delay
   * @param {string[]} events
   * @param {AbortSignal} signal
   */
  async #wait(delay, events, signal) {
    const onReady = (/** @type {() => void} */ wake) => (this.#wake = wake);
    try {
      await sleep(delay, { signal, events, onReady });
    } finally {
      this.#wake = null;
    }
  }
}

/**
 * Return what an upload waits for. A request that brings no answer does not say whose fault it was.
 *
 * @param {import("./errors.js").SetbackKind} kind
 * @returns {WaitReason}
 */
function waitReason(kind) {
  if (kind === "network") return navigator.onLine ? "unreachable" : "offline";
  return /** @type {WaitReason} */ (kind);
}

/**
 * The delay before the next try, with a random 25 % more or less: clients that lost the same server
 * must not all return at the same moment.
 *
 * @param {number[]} delays
 * @param {number} failures Failures in a row, from 1.
 */
function backoff(delays, failures) {
  const delay = delays[Math.min(failures, delays.length) - 1];
  return delay * (0.75 + Math.random() / 2);
}
