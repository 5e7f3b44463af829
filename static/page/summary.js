// @ts-check
/** All uploads of the page together: how far they are, and what can be done with all of them. */

import { setWords, switchOff, wordButton } from "./buttons.js";
import { canRetry, speedWords } from "./describe.js";
import { el, setText } from "./dom.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./page.js").Context} Context */
/** @typedef {import("./text.js").MessageKey} MessageKey */

/**
 * @typedef {object} Totals
 * @property {number} all
 * @property {number} active Under way, waiting excluded.
 * @property {number} waiting
 * @property {number} paused
 * @property {number} failed
 * @property {number} retriable Failed ones that may work out when tried again.
 * @property {number} done
 * @property {number} size
 * @property {number} sent
 * @property {number} speed
 * @property {number | null} secondsLeft
 */

export class Summary {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    const { texts, uploader } = context;
    /** @type {Totals} */
    this.totals = addUp([]);
    this.title = el("p", { class: "cu-summary-title" });
    this.figures = el("p", { class: "cu-figures" });
    this.progress = el("progress", { max: 1, value: 0, "aria-label": texts.say("totalProgress") });
    this.words = el("p", { class: "cu-words" });
    this.flow = wordButton(texts.say("pauseAll"), { onclick: () => this.pauseOrResume() });
    this.retry = wordButton(texts.say("retryAll"), { onclick: () => uploader.retryAll() });
    this.end = wordButton(texts.say("cancelAll"), { onclick: () => this.cancelOrClear() });
    this.element = el(
      "div",
      { class: "cu-summary" },
      this.title,
      this.figures,
      this.progress,
      this.words,
      el("div", { class: "cu-bulk" }, this.retry, this.flow, this.end),
    );
  }

  /** @param {Upload[]} uploads */
  update(uploads) {
    const { texts, announcer, setTitle } = this.context;
    const totals = addUp(uploads);
    this.totals = totals;
    setText(this.title, this.heading());
    setText(
      this.words,
      texts.say("totalFigures", {
        done: totals.done,
        all: totals.all,
        sent: texts.size(totals.sent),
        size: texts.size(totals.size),
      }),
    );
    setText(this.figures, totals.active > 0 ? speedWords(totals, texts) : "");
    this.progress.max = totals.size || 1;
    this.progress.value = totals.size === 0 ? totals.done / (totals.all || 1) : totals.sent;
    this.updateButtons();
    const percent = texts.percent(totals.sent, totals.size);
    const busy = totals.active + totals.waiting > 0;
    setTitle(busy ? percent : "");
    if (busy && totals.secondsLeft !== null)
      announcer.sayProgress(percent, texts.duration(totals.secondsLeft));
  }

  heading() {
    const { active, waiting, paused, failed, done } = this.totals;
    /** @type {[MessageKey, number][]} */
    const said = [
      ["summaryUploading", active],
      ["summaryWaiting", waiting],
      ["summaryPaused", paused],
      ["summaryFailed", failed],
      ["summaryDone", done],
    ];
    const [key, count] = said.find(([, number]) => number > 0) ?? said[0];
    return this.context.texts.say(key, { count });
  }

  updateButtons() {
    const { texts } = this.context;
    const { active, waiting, paused, retriable } = this.totals;
    const running = active + waiting > 0;
    setWords(this.flow, texts.say(running || paused === 0 ? "pauseAll" : "resumeAll"));
    switchOff(this.flow, !running && paused === 0);
    setWords(this.end, texts.say(running || paused > 0 ? "cancelAll" : "clearAll"));
    switchOff(this.retry, retriable === 0);
  }

  pauseOrResume() {
    const { uploader } = this.context;
    if (this.totals.active + this.totals.waiting > 0) uploader.pauseAll();
    else uploader.resumeAll();
  }

  async cancelOrClear() {
    const { texts, uploader, confirm, clear } = this.context;
    const count = this.totals.active + this.totals.waiting + this.totals.paused;
    if (count === 0) {
      clear();
      return;
    }
    const sure = await confirm({
      title: texts.say("cancelAllTitle", { count }),
      body: texts.say("cancelAllBody"),
      confirm: texts.say("cancelAllConfirm"),
      keep: texts.say("keepAll"),
    });
    if (sure) await uploader.cancelAll();
  }
}

/**
 * Under which an upload is counted.
 *
 * @type {Record<Upload["state"], "active" | "waiting" | "paused" | "failed" | "done">}
 */
const KINDS = {
  queued: "active",
  checking: "active",
  uploading: "active",
  waiting: "waiting",
  paused: "paused",
  completing: "active",
  done: "done",
  failed: "failed",
  canceled: "failed", // for the moment until it is gone
};

/** @param {Upload[]} uploads @returns {Totals} */
function addUp(uploads) {
  const totals = {
    all: uploads.length,
    active: 0,
    waiting: 0,
    paused: 0,
    failed: 0,
    retriable: 0,
    done: 0,
    size: 0,
    sent: 0,
    speed: 0,
  };
  for (const upload of uploads) {
    const { state, size, sent, speed } = upload;
    totals[KINDS[state]] += 1;
    if (canRetry(upload)) totals.retriable += 1;
    if (state === "failed") continue;
    totals.size += size;
    totals.sent += state === "done" ? size : sent;
    if (state === "uploading") totals.speed += speed;
  }
  const secondsLeft = totals.speed > 0 ? (totals.size - totals.sent) / totals.speed : null;
  return { ...totals, secondsLeft };
}
