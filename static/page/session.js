// @ts-check
/**
 * The files added on this page, in the order in which they were added, and their summary.
 *
 * Rows never move by themselves: a finished one stays where it is until the list is cleared. Every event
 * of the library marks a row; marked rows are updated in the next frame, so a hundred files at full
 * speed cost one small change of the document per frame.
 */

import { ACTIVE, errorWords, OVER } from "./describe.js";
import { el, focusFirst, nextFrame } from "./dom.js";
import { focusAfter } from "./row.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./upload-row.js").UploadRow} UploadRow */

export class Session {
  element;
  #texts;
  #uploader;
  #announcer;
  #summary;
  #home;
  #createRow;
  /** @type {Map<Upload, UploadRow>} */
  #rows = new Map();
  /** Uploads whose rows are out of date. @type {Set<Upload>} */
  #marked = new Set();
  #networkGone = false;
  #list = el("ul", { class: "cu-list", role: "list" });
  #heading;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "dismiss" | "addEventListener">} parts.uploader
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./summary.js").Summary} parts.summary
   * @param {HTMLElement} parts.home Takes the focus when the list is empty.
   * @param {(upload: Upload) => UploadRow} parts.createRow
   */
  constructor(texts, { uploader, announcer, summary, home, createRow }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#announcer = announcer;
    this.#summary = summary;
    this.#home = home;
    this.#createRow = createRow;
    const heading = "cu-session-heading";
    this.#heading = el(
      "h2",
      { id: heading, class: "cu-unseen", tabindex: "-1" },
      texts.say("sessionHeading"),
    );
    this.element = el(
      "section",
      { class: "cu-section cu-session", "aria-labelledby": heading, hidden: true },
      this.#heading,
      summary.element,
      this.#list,
    );
    uploader.addEventListener("added", (event) => this.#add(uploadOf(event)));
    uploader.addEventListener("removed", (event) => this.#remove(uploadOf(event)));
    uploader.addEventListener("change", (event) => this.#mark(uploadOf(event)));
    uploader.addEventListener("progress", () => nextFrame(this.#render));
    // Rows of waiting uploads count down the seconds.
    setInterval(() => this.#markWaiting(), 1000);
  }

  /** Whether closing the page would interrupt an upload. */
  get busy() {
    return [...this.#rows.keys()].some(({ state }) => ACTIVE.has(state));
  }

  /** Remove finished and failed uploads from the list. */
  clear() {
    for (const upload of [...this.#rows.keys()]) {
      if (OVER.has(upload.state)) this.#uploader.dismiss(upload);
    }
  }

  /** @param {Upload} upload */
  #add(upload) {
    const row = this.#createRow(upload);
    this.#rows.set(upload, row);
    upload.addEventListener("progress", () => this.#mark(upload));
    upload.addEventListener("notice", (event) =>
      this.#note(row, /** @type {CustomEvent} */ (event).detail),
    );
    upload.addEventListener("done", () => this.#announcer.sayDone(upload.name));
    upload.addEventListener("error", () => this.#sayFailed(upload));
    this.#mark(upload);
  }

  /** @param {Upload} upload */
  #remove(upload) {
    const row = this.#rows.get(upload);
    if (row === undefined) return;
    const focus = focusAfter(row.element, this.#heading);
    this.#rows.delete(upload);
    this.#marked.delete(upload);
    row.element.remove();
    focusFirst(focus);
    nextFrame(this.#render);
  }

  /** @param {UploadRow} row @param {any} notice */
  #note(row, notice) {
    const words = row.note(notice);
    if (notice.code !== "resumed") this.#announcer.say(`${row.upload.name}: ${words}`);
    this.#mark(row.upload);
  }

  /** @param {Upload} upload */
  #sayFailed({ name, error }) {
    if (error !== null) this.#announcer.sayFailed(name, errorWords(error, this.#texts));
  }

  /** @param {Upload} upload */
  #mark(upload) {
    this.#marked.add(upload);
    nextFrame(this.#render);
  }

  #markWaiting() {
    for (const upload of this.#rows.keys()) {
      if (upload.state === "waiting") this.#mark(upload);
    }
  }

  // A field, since `nextFrame` knows a task by its identity.
  #render = () => {
    const added = [];
    for (const upload of this.#marked) {
      const row = this.#rows.get(upload);
      if (row === undefined) continue;
      row.update();
      if (!row.element.isConnected) added.push(row.element);
    }
    this.#marked.clear();
    this.#list.append(...added);
    this.#show(this.#rows.size > 0);
    this.#summary.update([...this.#rows.keys()]);
    this.#sayNetwork();
  };

  /** Announce once, not for each file, that the network is gone or back. */
  #sayNetwork() {
    const gone = [...this.#rows.keys()].some(({ waiting }) => waiting?.reason === "network");
    if (gone === this.#networkGone) return;
    this.#networkGone = gone;
    this.#announcer.say(this.#texts.say(gone ? "saidNetwork" : "saidNetworkBack"));
  }

  /** @param {boolean} shown */
  #show(shown) {
    if (!shown && this.element.contains(document.activeElement)) this.#home.focus();
    this.element.hidden = !shown;
  }
}

/** @param {Event} event @returns {Upload} */
function uploadOf(event) {
  return /** @type {CustomEvent} */ (event).detail.upload;
}
