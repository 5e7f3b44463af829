// @ts-check
/**
 * For uploads that take longer than a minute, if the user wants it: the screen stays on meanwhile, and the
 * system says when they are over. The offer stands in a message, so that it moves nothing, and the answer is
 * remembered in this browser.
 */

import { ACTIVE } from "./describe.js";
import { el, setText } from "./dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */

const STORAGE_KEY = "chunked-upload long uploads";
/** Milliseconds of uploading that are long. */
const LONG = 60_000;
/** Milliseconds after which the time left is worth believing. */
const SETTLED = 10_000;

export class LongUploads {
  #texts;
  #uploader;
  #toasts;
  #wanted = read();
  /** When the uploads began, as `Date.now()` counts; null while there are none. @type {number | null} */
  #since = null;
  #offered = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "uploads" | "addEventListener">} parts.uploader
   * @param {import("./toasts.js").Toasts} parts.toasts
   */
  constructor(texts, { uploader, toasts }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#toasts = toasts;
    // Browsers have both on pages by HTTPS alone.
    if (!("wakeLock" in navigator) && !("Notification" in window)) return;
    uploader.addEventListener("progress", (event) =>
      this.#look(/** @type {CustomEvent} */ (event).detail),
    );
    uploader.addEventListener("idle", () => this.#end());
    // The browser takes the lock away from a page in the background.
    document.addEventListener("visibilitychange", () => void this.#keepOn());
  }

  /** @param {{secondsLeft: number | null}} progress */
  #look({ secondsLeft }) {
    if (!this.#uploader.uploads.some(({ state }) => ACTIVE.has(state))) return;
    this.#since ??= Date.now();
    const elapsed = Date.now() - this.#since;
    const willBeLong = elapsed > SETTLED && elapsed + (secondsLeft ?? 0) * 1000 > LONG;
    if (elapsed <= LONG && !willBeLong) return;
    void this.#keepOn();
    if (!this.#offered) this.#offer();
  }

  #offer() {
    this.#offered = true;
    const texts = this.#texts;
    const words = el("span", {}, texts.say("longSwitch"));
    const input = el("input", { type: "checkbox", role: "switch", checked: this.#wanted });
    input.addEventListener("change", async () => {
      this.#wanted = input.checked;
      write(this.#wanted);
      if (!this.#wanted) void this.#lock?.release();
      else if (!(await mayNotify())) setText(words, texts.say("longNoNotification"));
      void this.#keepOn();
    });
    const label = el("label", { class: "cu-choice" }, input, words);
    this.#toasts.show(texts.say("longOffer"), label);
  }

  /** Keep the screen on while uploads run, if that is wanted and possible. */
  async #keepOn() {
    const isHeld = this.#lock !== null && !this.#lock.released;
    if (!this.#wanted || isHeld || this.#since === null || document.hidden) return;
    this.#lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  }

  /** No upload goes on without the user. */
  #end() {
    const wasLong = this.#since !== null && Date.now() - this.#since > SETTLED && this.#offered;
    this.#since = null;
    void this.#lock?.release();
    this.#lock = null;
    if (wasLong && this.#wanted) this.#notify();
  }

  #notify() {
    const failed = this.#uploader.uploads.filter(({ state }) => state === "failed");
    const done = this.#uploader.uploads.filter(({ state }) => state === "done");
    if (failed.length + done.length === 0) return; // canceled or paused, by the user
    const [key, about] =
      failed.length > 0
        ? [/** @type {const} */ ("summaryFailed"), failed]
        : [/** @type {const} */ ("saidDone"), done];
    const words = this.#texts.say(key, { count: about.length, name: about[0].name });
    try {
      new Notification(words, { tag: STORAGE_KEY });
    } catch {
      // Not allowed, or a phone, where only service workers may.
    }
  }
}

/** @returns {Promise<boolean>} */
async function mayNotify() {
  if (!("Notification" in window)) return false;
  return (await Notification.requestPermission()) === "granted";
}

function read() {
  try {
    return localStorage.getItem(STORAGE_KEY) === "on";
  } catch {
    return false;
  }
}

/** @param {boolean} wanted */
function write(wanted) {
  try {
    if (wanted) localStorage.setItem(STORAGE_KEY, "on");
    else localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage is switched off: the answer lasts as long as the page.
  }
}
