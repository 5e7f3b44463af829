/**
 * A file's tile in a zone. Dropzone makes it from its template, or from the app's; here it gets the words
 * (how far, how fast, how long, what it waits for), a button to pause, resume or try again, and what screen
 * readers need.
 */

import { el, focusFirst, setAttribute, setText } from "../page/dom.js";
import { Dropzone } from "./dropzone.js";

/** @typedef {import("./zone.js").ZoneFile} ZoneFile */
/** @typedef {import("./words.js").Words} Words */
/**
 * What a tile shows of an upload, or of Dropzone's own request.
 *
 * @typedef {Pick<import("../chunked-upload.js").Upload, "state" | "sent" | "size" | "speed" | "secondsLeft" |
 *   "waiting" | "error">} Shown
 */

/** States in which an upload can be paused. */
const PAUSABLE = new Set(["queued", "checking", "uploading"]);

/**
 * Milliseconds for which "Pause" ignores clicks after it has taken the place of "Retry now": they were meant for
 * that, and the upload is already trying.
 */
const SETTLING_TIME = 500;

/** Reasons to wait for which trying again at once is of no use. */
const NO_RETRY = new Set(["other-tab", "same-file"]);

export class Tile {
  #file;
  #words;
  #preview;
  #notice = "";
  /** What the button does: pauses, resumes or tries again. @type {(() => void) | null} */
  #onAction = null;
  /** When an upload that waited continued, on the clock of `event.timeStamp`. */
  #waitedUntil = -Infinity;
  #said = el("div", { class: "chunked-upload-words" });
  #noted = el("div", { class: "chunked-upload-notice" });
  #action = el("button", {
    class: "chunked-upload-action",
    type: "button",
    hidden: true,
    onclick: (/** @type {MouseEvent} */ event) => this.#act(event),
  });

  /**
   * @param {ZoneFile} file
   * @param {Words} words
   */
  constructor(file, words) {
    this.#file = file;
    this.#words = words;
    this.#preview = file.previewElement ?? document.createElement("div");
    this.#label();
    const said = el("div", { class: "chunked-upload-said" }, this.#said, this.#noted);
    this.#preview.append(said, this.#action);
    if (file.status === Dropzone.ADDED || file.status === Dropzone.QUEUED) {
      setText(this.#said, words.ready(file.size));
    }
  }

  /**
   * Show a notice beside the state, until the upload is over.
   *
   * @param {string} text
   */
  note(text) {
    this.#notice = text;
  }

  /**
   * Bring the tile up to date.
   *
   * @param {Shown} upload
   * @param {() => void} [onAction] Pauses, resumes, or tries again now.
   */
  update(upload, onAction) {
    const { state } = upload;
    const waited = this.#preview.getAttribute("data-state") === "waiting";
    if (waited && state !== "waiting") this.#waitedUntil = performance.now();
    setAttribute(this.#preview, "data-state", state);
    setText(this.#said, state === "failed" ? "" : this.#words.state(upload));
    setText(this.#noted, state === "failed" || state === "done" ? "" : this.#notice);
    const percent = upload.size === 0 ? 100 : Math.floor((100 * upload.sent) / upload.size);
    const bar = this.#preview.querySelector(".dz-progress");
    if (bar) setAttribute(bar, "aria-valuenow", percent);
    this.#offer(this.#actionOf(upload), onAction);
    this.#nameLinks();
  }

  /** Leave the word to Dropzone's error message. */
  fail() {
    setAttribute(this.#preview, "data-state", "failed");
    setText(this.#said, "");
    setText(this.#noted, "");
  }

  /** Return what can be done with an upload, in words; null for nothing. @param {Shown} upload */
  #actionOf({ state, waiting, error }) {
    if (PAUSABLE.has(state)) return this.#words.pause;
    if (state === "paused") return this.#words.resume;
    if (state === "waiting" && waiting && !NO_RETRY.has(waiting.reason))
      return this.#words.retryNow;
    return state === "failed" && error && this.#words.canRetry(error)
      ? this.#words.text("retry")
      : null;
  }

  /**
   * @param {string | null} text
   * @param {(() => void) | undefined} onAction
   */
  #offer(text, onAction) {
    this.#onAction = onAction ?? null;
    const hidden = text === null || !onAction;
    if (!hidden) {
      setText(this.#action, text);
      setAttribute(this.#action, "aria-label", `${text}: ${this.#file.name}`);
    }
    const focused = hidden && document.activeElement === this.#action;
    this.#action.hidden = hidden;
    if (focused) focusFirst([this.#preview.querySelector(".dz-remove"), this.#preview]);
  }

  /** @param {MouseEvent} event */
  #act(event) {
    if (event.timeStamp >= this.#waitedUntil + SETTLING_TIME) this.#onAction?.();
  }

  /** Say to screen readers what each part is. */
  #label() {
    const { name } = this.#file;
    const preview = this.#preview;
    const set = (/** @type {string} */ selector, /** @type {Record<string, string>} */ names) => {
      for (const element of preview.querySelectorAll(selector)) {
        for (const [key, value] of Object.entries(names)) element.setAttribute(key, value);
      }
    };
    setAttribute(preview, "role", "group");
    setAttribute(preview, "aria-label", name);
    setAttribute(preview, "tabindex", "-1");
    set("img", { alt: "" });
    set(".dz-progress", { role: "progressbar", "aria-label": name, "aria-valuenow": "0" });
    set("[data-dz-errormessage]", { role: "alert" });
    set("[data-dz-name]", { title: name, dir: "auto" });
    set(".dz-success-mark, .dz-error-mark", { "aria-hidden": "true" });
    set(".dz-image", { "data-type": typeOf(name) });
    for (const link of preview.querySelectorAll(".dz-remove")) pressLikeButton(link);
    this.#nameLinks();
  }

  /** Name the file in the links: Dropzone changes their text as the upload begins and ends. */
  #nameLinks() {
    for (const link of this.#preview.querySelectorAll(".dz-remove")) {
      setAttribute(link, "aria-label", `${link.textContent?.trim()}: ${this.#file.name}`);
    }
  }
}

/** Return a file's suffix if it is short, to show where there is no picture. @param {string} name */
function typeOf(name) {
  return /\.(\w{1,4})$/.exec(name)?.[1].toUpperCase() ?? "";
}

/** Dropzone's links are buttons: the space bar presses them too. @param {Element} link */
function pressLikeButton(link) {
  link.setAttribute("role", "button");
  link.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key !== " ") return;
    event.preventDefault();
    /** @type {HTMLElement} */ (link).click();
  });
}
