// @ts-check
/**
 * The files added on this page, in the order in which they were added, and all of them together.
 *
 * Rows never move by themselves: a finished one stays where it is until the list is cleared. Whatever
 * the library reports marks a row; marked rows are brought up to date with the next frame, so a hundred
 * files at full speed cost one small change of the document per frame.
 */

import { ACTIVE, errorWords, OVER } from "./describe.js";
import { el, focusFirst, nextFrame } from "./dom.js";
import { focusAfter } from "./row.js";
import { Summary } from "./summary.js";
import { UploadRow } from "./upload-row.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./page.js").Context} Context */

export class Session {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Map<Upload, UploadRow>} */
    this.rows = new Map();
    /** @type {Set<Upload>} */
    this.marked = new Set();
    this.networkGone = false;
    this.render = this.render.bind(this);
    this.list = el("ul", { class: "cu-list", role: "list" });
    this.summary = new Summary(context);
    const heading = "cu-session-heading";
    this.heading = el(
      "h2",
      { id: heading, class: "cu-unseen", tabindex: "-1" },
      context.texts.say("sessionHeading"),
    );
    this.element = el(
      "section",
      { class: "cu-section cu-session", "aria-labelledby": heading, hidden: true },
      this.heading,
      this.summary.element,
      this.list,
    );
    this.listen();
    // What is said of waiting counts down.
    setInterval(() => this.markWaiting(), 1000);
  }

  listen() {
    const { uploader } = this.context;
    uploader.addEventListener("added", (event) => this.add(uploadOf(event)));
    uploader.addEventListener("removed", (event) => this.remove(uploadOf(event)));
    uploader.addEventListener("change", (event) => this.mark(uploadOf(event)));
    uploader.addEventListener("progress", () => nextFrame(this.render));
  }

  /** @param {Upload} upload */
  add(upload) {
    const row = new UploadRow(upload, this.context);
    this.rows.set(upload, row);
    upload.addEventListener("progress", () => this.mark(upload));
    upload.addEventListener("notice", (event) =>
      this.note(row, /** @type {CustomEvent} */ (event).detail),
    );
    upload.addEventListener("done", () => this.context.announcer.sayDone(upload.name));
    upload.addEventListener("error", () => this.sayFailed(upload));
    this.mark(upload);
  }

  /** @param {Upload} upload */
  remove(upload) {
    const row = this.rows.get(upload);
    if (row === undefined) return;
    const focus = focusAfter(row.element, this.heading);
    this.rows.delete(upload);
    this.marked.delete(upload);
    row.element.remove();
    focusFirst(focus);
    nextFrame(this.render);
  }

  /** @param {UploadRow} row @param {any} notice */
  note(row, notice) {
    const words = row.note(notice);
    if (notice.code !== "resumed") this.context.announcer.say(`${row.upload.name}: ${words}`);
    this.mark(row.upload);
  }

  /** @param {Upload} upload */
  sayFailed(upload) {
    if (upload.error === null) return;
    this.context.announcer.sayFailed(upload.name, errorWords(upload.error, this.context.texts));
  }

  /** @param {Upload} upload */
  mark(upload) {
    this.marked.add(upload);
    nextFrame(this.render);
  }

  markWaiting() {
    for (const upload of this.rows.keys()) {
      if (upload.state === "waiting") this.mark(upload);
    }
  }

  render() {
    const added = [];
    for (const upload of this.marked) {
      const row = this.rows.get(upload);
      if (row === undefined) continue;
      row.update();
      if (!row.element.isConnected) added.push(row.element);
    }
    this.marked.clear();
    this.list.append(...added);
    this.show(this.rows.size > 0);
    this.summary.update([...this.rows.keys()]);
    this.sayNetwork();
  }

  /** Say that the network is gone, and that it is back; not for each file. */
  sayNetwork() {
    const gone = [...this.rows.keys()].some(({ waiting }) => waiting?.reason === "network");
    if (gone === this.networkGone) return;
    this.networkGone = gone;
    const { announcer, texts } = this.context;
    announcer.say(texts.say(gone ? "saidNetwork" : "saidNetworkBack"));
  }

  /** @param {boolean} shown */
  show(shown) {
    if (!shown && this.element.contains(document.activeElement)) this.context.home.focus();
    this.element.hidden = !shown;
  }

  /** Whether something would stop when the page is closed. */
  get busy() {
    return [...this.rows.keys()].some(({ state }) => ACTIVE.has(state));
  }

  /** Take what is over off the list, and put the focus where it is of use. */
  clear() {
    for (const upload of [...this.rows.keys()]) {
      if (OVER.has(upload.state)) this.context.uploader.dismiss(upload);
    }
  }
}

/** @param {Event} event @returns {Upload} */
function uploadOf(event) {
  return /** @type {CustomEvent} */ (event).detail.upload;
}
