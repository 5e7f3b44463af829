// @ts-check
/** All uploads of the page together: their progress, and the buttons that act on all of them. */

import { setWords, switchOff, wordButton } from "./buttons.js";
import { speedWords } from "./describe.js";
import { el, setText } from "./dom.js";
import { addUp } from "./totals.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./text.js").MessageKey} MessageKey */

export class Summary {
  element;
  #texts;
  #uploader;
  #announcer;
  #confirm;
  #onClear;
  #onPercent;
  #totals = addUp([]);
  #title = el("p", { class: "cu-summary-title" });
  #figures = el("p", { class: "cu-figures" });
  #words = el("p", { class: "cu-words" });
  #progress;
  #flow;
  #retry;
  #end;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "pauseAll" | "resumeAll" | "retryAll" | "cancelAll">} parts.uploader
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./dialogs.js").Confirm} parts.confirm
   * @param {() => void} parts.onClear The user clears the list.
   * @param {(percent: string) => void} parts.onPercent Called with the progress; empty: nothing is uploading.
   */
  constructor(texts, { uploader, announcer, confirm, onClear, onPercent }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#announcer = announcer;
    this.#confirm = confirm;
    this.#onClear = onClear;
    this.#onPercent = onPercent;
    this.#progress = el("progress", { max: 1, value: 0, "aria-label": texts.say("totalProgress") });
    this.#flow = wordButton(texts.say("pauseAll"), { onclick: () => this.#pauseOrResume() });
    this.#retry = wordButton(texts.say("retryAll"), { onclick: () => uploader.retryAll() });
    this.#end = wordButton(texts.say("cancelAll"), { onclick: () => this.#cancelOrClear() });
    this.element = el(
      "div",
      { class: "cu-summary" },
      this.#title,
      this.#figures,
      this.#progress,
      this.#words,
      el("div", { class: "cu-bulk" }, this.#retry, this.#flow, this.#end),
    );
  }

  /** @param {Upload[]} uploads */
  update(uploads) {
    const texts = this.#texts;
    const totals = addUp(uploads);
    this.#totals = totals;
    setText(this.#title, this.#titleWords());
    const values = {
      done: totals.done,
      all: totals.all,
      sent: texts.size(totals.sent),
      size: texts.size(totals.size),
    };
    setText(this.#words, texts.say("totalFigures", values));
    setText(this.#figures, totals.active > 0 ? speedWords(totals, texts) : "");
    this.#progress.max = totals.size || 1;
    this.#progress.value = totals.size === 0 ? totals.done / (totals.all || 1) : totals.sent;
    this.#updateButtons();
    const percent = texts.percent(totals.sent, totals.size);
    const busy = totals.active + totals.waiting > 0;
    this.#onPercent(busy ? percent : "");
    if (busy && totals.secondsLeft !== null)
      this.#announcer.sayProgress(percent, texts.duration(totals.secondsLeft));
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
    const texts = this.#texts;
    const { active, waiting, paused, retriable } = this.#totals;
    const running = active + waiting > 0;
    setWords(this.#flow, texts.say(running || paused === 0 ? "pauseAll" : "resumeAll"));
    switchOff(this.#flow, !running && paused === 0);
    setWords(this.#end, texts.say(running || paused > 0 ? "cancelAll" : "clearAll"));
    switchOff(this.#retry, retriable === 0);
  }

  #pauseOrResume() {
    if (this.#totals.active + this.#totals.waiting > 0) this.#uploader.pauseAll();
    else this.#uploader.resumeAll();
  }

  async #cancelOrClear() {
    const texts = this.#texts;
    const count = this.#totals.active + this.#totals.waiting + this.#totals.paused;
    if (count === 0) {
      this.#onClear();
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
}
