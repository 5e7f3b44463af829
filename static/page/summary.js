// @ts-check
/** All uploads of the page together: their progress, and the buttons that act on all of them. */

import { Bar } from "./bar.js";
import { setWords, wordButton } from "./buttons.js";
import { speedWords } from "./describe.js";
import { el, setText } from "./dom.js";
import { addUp } from "./totals.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./format.js").MessageKey} MessageKey */

/** @typedef {"pauseAll" | "retryNow" | "resumeAll" | "retryAll"} MainAction */

/** Milliseconds after which a click on "Pause all" is meant for it, and not for "Retry now" before it. */
const SETTLING_TIME = 500;

export class Summary {
  element;
  #texts;
  #uploader;
  #announcer;
  #confirm;
  #home;
  #onPercent;
  #totals = addUp([]);
  #title = el("p", { class: "cu-summary-title" });
  #figures = el("p", { class: "cu-figures" });
  #words = el("p", { class: "cu-words" });
  #bar;
  #main;
  /** @type {MainAction | null} */
  #shownMain = null;
  /** When "Retry now" became "Pause all", on the clock of `event.timeStamp`. */
  #retried = -Infinity;
  #end;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "uploads" | "dismiss" | "pauseAll" | "resumeAll" | "retryAll" |
   *   "cancelAll">} parts.uploader
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./dialogs.js").Confirm} parts.confirm
   * @param {HTMLElement} parts.home Takes the focus from a button that is no longer offered.
   * @param {(percent: string) => void} parts.onPercent Called with the progress; empty: nothing is uploading.
   */
  constructor(texts, { uploader, announcer, confirm, home, onPercent }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#announcer = announcer;
    this.#confirm = confirm;
    this.#home = home;
    this.#onPercent = onPercent;
    this.#bar = new Bar(texts.say("totalProgress"));
    this.#main = wordButton(texts.say("pauseAll"), { onclick: (event) => this.#act(event) });
    this.#end = wordButton(texts.say("cancelAll"), { onclick: () => this.#cancelOrClear() });
    this.element = el(
      "div",
      {
        class: "cu-summary",
        role: "group",
        "aria-label": texts.say("sessionHeading"),
        hidden: true,
      },
      this.#title,
      this.#figures,
      this.#bar.element,
      this.#words,
      el("div", { class: "cu-bulk" }, this.#main, this.#end),
    );
  }

  /** @param {Upload[]} uploads */
  update(uploads) {
    const texts = this.#texts;
    const totals = addUp(uploads);
    this.#totals = totals;
    if (uploads.length === 0 && this.element.contains(document.activeElement)) this.#home.focus();
    this.element.hidden = uploads.length === 0;
    setText(this.#title, this.#titleWords());
    setText(this.#words, this.#countWords());
    setText(this.#figures, totals.active > 0 ? speedWords(totals, texts) : "");
    const { sent, pausedSent, failedSize, size } = totals;
    const percent = texts.percent(sent + pausedSent, size - failedSize);
    const shares =
      size > 0
        ? { sent, paused: pausedSent, failed: failedSize || totals.failed, size }
        : { sent: totals.done, paused: 0, failed: totals.failed, size: totals.all };
    this.#bar.update(shares, `${percent} · ${this.#countWords()}`);
    this.#updateButtons();
    const busy = totals.active + totals.waiting > 0;
    this.#onPercent(busy ? percent : "");
    if (busy && totals.secondsLeft !== null)
      this.#announcer.sayProgress(percent, texts.duration(totals.secondsLeft));
  }

  /** How many are done, how many failed or are paused, and how much was sent. */
  #countWords() {
    const texts = this.#texts;
    const { done, all, failed, paused, sent, pausedSent, size } = this.#totals;
    return [
      texts.say("totalDone", { done, all }),
      failed > 0 && texts.say("totalFailed", { count: failed }),
      paused > 0 && texts.say("totalPaused", { count: paused }),
      texts.say("totalSize", { sent: texts.size(sent + pausedSent), size: texts.size(size) }),
    ]
      .filter(Boolean)
      .join(" · ");
  }

  #titleWords() {
    const { active, waiting, paused, failed, done } = this.#totals;
    /** @type {[MessageKey, number][]} */
    const said = [
      ["summaryUploading", active],
      ["summaryWaiting", waiting],
      ["summaryPaused", paused],
      ["summaryFailed", failed],
      ["summaryDone", done],
    ];
    const [key, count] = said.find(([, number]) => number > 0) ?? said[0];
    return this.#texts.say(key, { count });
  }

  #updateButtons() {
    const { active, waiting, paused, failed } = this.#totals;
    const unfinished = active + waiting + paused > 0;
    const main = this.#mainAction();
    if (this.#shownMain === "retryNow" && main === "pauseAll") this.#retried = performance.now();
    this.#shownMain = main;
    if (main !== null) setWords(this.#main, this.#texts.say(main));
    setWords(this.#end, this.#texts.say(unfinished ? "cancelAll" : "clearFailed"));
    const had = document.activeElement;
    offer(this.#main, main !== null);
    offer(this.#end, unfinished || failed > 0);
    if (!(had instanceof HTMLElement) || !this.element.contains(had) || isOffered(had)) return;
    ([this.#main, this.#end].find(isOffered) ?? this.#home).focus();
  }

  /** What the main button does; null: nothing. @returns {MainAction | null} */
  #mainAction() {
    const { active, waiting, paused, retriable } = this.#totals;
    if (active > 0) return "pauseAll";
    if (waiting > 0) return "retryNow";
    if (paused > 0) return "resumeAll";
    return retriable > 0 ? "retryAll" : null;
  }

  /** @param {MouseEvent} event */
  #act(event) {
    const action = this.#mainAction();
    // Meant for what the button said a moment ago.
    if (action === "pauseAll" && event.timeStamp < this.#retried + SETTLING_TIME) return;
    if (action === "pauseAll") this.#uploader.pauseAll();
    // Also goes on with what waits for its next try.
    if (action === "resumeAll" || action === "retryNow") this.#uploader.resumeAll();
    if (action === "retryAll") this.#uploader.retryAll();
  }

  async #cancelOrClear() {
    const texts = this.#texts;
    const count = this.#totals.active + this.#totals.waiting + this.#totals.paused;
    if (count === 0) {
      this.#clearFailed();
      return;
    }
    const sure = await this.#confirm({
      title: texts.say("cancelAllTitle", { count }),
      body: texts.say("cancelAllBody"),
      confirm: texts.say("cancelAllConfirm"),
      keep: texts.say("keepAll"),
    });
    if (sure) await this.#uploader.cancelAll();
  }
  #clearFailed() {
    const failed = this.#uploader.uploads.filter(({ state }) => state === "failed");
    for (const upload of failed) this.#uploader.dismiss(upload);
  }
}

/**
 * Show a button only where it can do something. Its place stays, so that no other button moves.
 *
 * @param {HTMLElement} button
 * @param {boolean} useful
 */
function offer(button, useful) {
  button.toggleAttribute("data-useless", !useful);
}

/** @param {HTMLElement} button */
function isOffered(button) {
  return !button.hasAttribute("data-useless");
}
