/**
 * Getting over what passes: how long to wait after a failure and for what, when to give up, and the
 * place among the uploads at work, which is kept or given away meanwhile.
 */

import { Setback, UploadError } from "./errors.js";
import { backOff, rest } from "./waiting.js";

/** @typedef {import("./types.js").WaitReason} WaitReason */

/** What ends a wait before its time. @type {Partial<Record<WaitReason, string[]>>} */
const EVENTS = { network: ["online"], "sign-in": ["focus"] };

const PASSING = new Set(["network", "server", "storage-full", "sign-in"]);

export class Patience {
  #parts;
  #upload;
  /** Failures since something last went well. */
  #failures = 0;
  #hasPlace = false;
  /** Ends the current rest. @type {(() => void) | null} */
  #wake = null;
  /** Told to hurry while it did not rest: what comes back now was asked before that. */
  #hurried = false;
  /** Aborted by pause and cancel, and by a file that turns out to be another. */
  signal = new AbortController().signal;

  /**
   * @param {import("./types.js").Parts} parts
   * @param {import("./upload.js").Upload} upload
   */
  constructor(parts, upload) {
    this.#parts = parts;
    this.#upload = upload;
  }

  /** Forget the failures: something went well. */
  renew() {
    this.#failures = 0;
    this.#hurried = false;
  }

  /**
   * Try at once, for something has changed (somebody signed in, say). A request that is under way may
   * still be refused for how things were before; then it is the next try that does not wait.
   */
  hurry() {
    if (this.#wake) this.#wake();
    else this.#hurried = true;
  }

  /** Wait for a place among the uploads at work. */
  async takePlace() {
    if (this.#hasPlace) return;
    await this.#parts.slots.take(this.#upload.order, this.signal);
    this.#hasPlace = true;
  }

  givePlace() {
    if (this.#hasPlace) this.#parts.slots.give();
    this.#hasPlace = false;
  }

  /**
   * Repeat a request until it is answered, waiting in between.
   *
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} request
   * @returns {Promise<T>}
   */
  async insist(request) {
    for (;;) {
      try {
        return await request(this.signal);
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        await this.wait(error);
      }
    }
  }

  /**
   * Wait until the next try makes sense, which may be at once; the upload is `waiting` meanwhile.
   *
   * @param {Setback} setback
   * @throws {Setback} this one, when it is none that passes.
   * @throws {UploadError} when there were too many.
   */
  async wait(setback) {
    if (!PASSING.has(setback.kind)) throw setback;
    const reason = /** @type {WaitReason} */ (setback.kind);
    const upload = this.#upload;
    const { retryDelays } = this.#parts.options;
    this.#failures += 1;
    if (setback.lasting && this.#failures > retryDelays.length) throw giveUp(setback);
    const delay = setback.retryAfter ?? backOff(retryDelays, this.#failures);
    const { state } = upload;
    upload.move(upload.offset);
    if (this.#hurried) {
      this.#hurried = false;
      return;
    }
    upload.enter("waiting", {
      reason,
      until: reason === "sign-in" ? null : Date.now() + delay,
      attempt: this.#failures,
      detail: setback.detail,
    });
    if (reason === "storage-full") this.givePlace(); // a smaller file may still find room
    await this.#rest(reason === "sign-in" ? null : delay, EVENTS[reason] ?? []);
    await this.takePlace();
    upload.enter(state);
  }

  /**
   * @param {number | null} delay
   * @param {string[]} events
   */
  async #rest(delay, events) {
    const onReady = (/** @type {() => void} */ wake) => (this.#wake = wake);
    try {
      await rest(delay, { signal: this.signal, events, onReady });
    } finally {
      this.#wake = null;
    }
  }
}

/**
 * The end of a setback that does not pass.
 *
 * @param {Setback} setback
 */
export function giveUp({ kind, status, detail }) {
  const code = kind === "server" || kind === "network" ? kind : "refused";
  return new UploadError(code, { status, detail });
}
