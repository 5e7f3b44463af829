// @ts-check
/**
 * The uploads of this page: what happens to them goes into the list, the summary and the announcements.
 *
 * Every event of the library marks an upload; marked ones are brought up to date in the next frame, so
 * a hundred files at full speed cost one small change of the document per frame.
 */

import { ACTIVE, errorWords, noticeWords } from "./describe.js";
import { nextFrame } from "./dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").Upload} Upload */

/** From so many uploads on, their sums are not computed in each frame. */
const MANY = 500;
/** Milliseconds between two updates then. */
const PAUSE_WITH_MANY = 250;

export class Session {
  #texts;
  #uploader;
  #catalog;
  #list;
  #announcer;
  #summary;
  #onDone;
  #onFailed;
  /** Uploads whose rows are out of date. @type {Set<Upload>} */
  #marked = new Set();
  #networkGone = false;
  #planned = false;
  /** Whether files came or went since the list was arranged. */
  #changed = false;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "addEventListener" | "unstored">} parts.uploader
   * @param {import("./catalog.js").Catalog} parts.catalog
   * @param {import("./file-list.js").FileList} parts.list
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./summary.js").Summary} parts.summary
   * @param {(upload: Upload) => void} parts.onDone
   * @param {() => void} parts.onFailed
   */
  constructor(texts, { uploader, catalog, list, announcer, summary, onDone, onFailed }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#catalog = catalog;
    this.#list = list;
    this.#announcer = announcer;
    this.#summary = summary;
    this.#onDone = onDone;
    this.#onFailed = onFailed;
    uploader.addEventListener("added", (event) => this.#add(uploadOf(event)));
    uploader.addEventListener("removed", (event) => this.#remove(uploadOf(event)));
    uploader.addEventListener("change", (event) => this.#mark(uploadOf(event)));
    uploader.addEventListener("progress", () => this.#plan());
    // Rows of waiting uploads count down the seconds.
    setInterval(() => this.#markWaiting(), 1000);
  }

  /** Whether closing the page would interrupt an upload, or lose a file that the browser has not stored yet. */
  get busy() {
    return (
      this.#uploader.unstored > 0 || this.#catalog.uploads.some(({ state }) => ACTIVE.has(state))
    );
  }

  /** @param {Upload} upload */
  #add(upload) {
    this.#catalog.add(upload);
    this.#changed = true;
    upload.addEventListener("progress", () => this.#mark(upload));
    upload.addEventListener("notice", (event) =>
      this.#note(upload, /** @type {CustomEvent} */ (event).detail),
    );
    upload.addEventListener("done", () => {
      this.#announcer.sayDone(upload.name);
      this.#onDone(upload);
    });
    upload.addEventListener("error", () => {
      this.#sayFailed(upload);
      this.#onFailed();
    });
    this.#plan();
  }

  /** @param {Upload} upload */
  #remove(upload) {
    this.#catalog.remove(upload);
    this.#marked.delete(upload);
    this.#changed = true;
    this.#plan();
  }

  /** @param {Upload} upload @param {any} notice */
  #note(upload, notice) {
    const words = noticeWords(notice, this.#texts);
    const entry = this.#catalog.entryOf(upload);
    if (entry) entry.notice = words;
    if (notice.code !== "resumed") this.#announcer.say(`${upload.name}: ${words}`);
    this.#mark(upload);
  }

  /** @param {Upload} upload */
  #sayFailed({ name, error }) {
    if (error !== null) this.#announcer.sayFailed(name, errorWords(error, this.#texts));
  }

  /** @param {Upload} upload */
  #mark(upload) {
    this.#marked.add(upload);
    this.#plan();
  }

  #markWaiting() {
    for (const upload of this.#catalog.uploads) if (upload.state === "waiting") this.#mark(upload);
  }

  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    if (this.#catalog.uploadCount < MANY) nextFrame(this.#render);
    else setTimeout(() => nextFrame(this.#render), PAUSE_WITH_MANY);
  }

  // A field, since `nextFrame` knows a task by its identity.
  #render = () => {
    this.#planned = false;
    const uploads = this.#catalog.uploads;
    this.#summary.update(uploads);
    if (this.#changed) this.#list.arrangeSoon({ byUser: true });
    this.#changed = false;
    for (const upload of this.#marked) {
      const entry = this.#catalog.entryOf(upload);
      if (entry) this.#list.update(entry);
    }
    this.#marked.clear();
    this.#sayNetwork(uploads);
  };

  /** Announce once, not for each file, that the network is gone or back. @param {Upload[]} uploads */
  #sayNetwork(uploads) {
    const gone = uploads.some(({ waiting }) => waiting?.reason === "offline");
    if (gone === this.#networkGone) return;
    this.#networkGone = gone;
    this.#announcer.say(this.#texts.say(gone ? "saidNetwork" : "saidNetworkBack"));
  }
}

/** @param {Event} event @returns {Upload} */
function uploadOf(event) {
  return /** @type {CustomEvent} */ (event).detail.upload;
}
