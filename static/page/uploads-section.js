// @ts-check
/** The section with the list of all files, its summary, and what can be done with them: puts its parts together. */

import { Catalog } from "./catalog.js";
import { DocumentTitle } from "./document-title.js";
import { el } from "./dom.js";
import { recordOf } from "./entry.js";
import { FileActions } from "./file-actions.js";
import { FileList } from "./file-list.js";
import { Files } from "./files.js";
import { FinishedRow } from "./finished-row.js";
import { Removal } from "./removal.js";
import { ResumeAll } from "./resume-all.js";
import { Session } from "./session.js";
import { Summary } from "./summary.js";
import { UnfinishedRow } from "./unfinished-row.js";
import { UploadRow } from "./upload-row.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./picker.js").Picked} Picked */

/** Milliseconds in which further changes join a refresh of the list. */
const REFRESH_DELAY = 300;

/**
 * What the section needs from the page.
 *
 * @typedef {object} SectionParts
 * @property {HTMLElement} root Where questions are put while they are open.
 * @property {import("../chunked-upload.js").ChunkedUploader} uploader
 * @property {import("./announce.js").Announcer} announcer
 * @property {import("./toasts.js").Toasts} toasts
 * @property {import("./dialogs.js").Confirm} confirm
 * @property {Pick<import("./picker.js").Picker, "button" | "pickOne" | "pickSeveral">} picker
 * @property {(picked: Picked[]) => void} take Uploads files.
 * @property {import("./account.js").Account} account
 * @property {import("./standing.js").Standing} standing
 * @property {boolean} signsIn Whether users sign in at all.
 * @property {import("./thumbnails.js").Thumbnails} thumbnails
 * @property {import("./share.js").Share} share
 * @property {(() => Record<string, string>) | null} downloadHeaders Headers that downloads need, which links
 *   cannot carry; null where links will do.
 * @property {boolean} ownTitle Whether the title of the browser's tab shows the progress.
 */

export class UploadsSection {
  element;
  #texts;
  #parts;
  #catalog = new Catalog();
  #removal;
  #fileActions;
  /** @type {FileList} */
  #list;
  /** @type {Files} */
  #files;
  #session;
  /** @type {number | undefined} */
  #refreshTimer;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {SectionParts} parts
   */
  constructor(texts, parts) {
    this.#texts = texts;
    this.#parts = parts;
    this.#removal = this.#makeRemoval();
    this.#fileActions = this.#makeFileActions();
    this.#list = this.#makeList();
    this.#files = this.#makeFiles();
    const summary = this.#makeSummary();
    this.#session = this.#makeSession(summary);
    const heading = "cu-files-heading";
    this.element = el(
      "section",
      { class: "cu-section cu-files", id: "cu-files", tabindex: "-1", "aria-labelledby": heading },
      el("h2", { id: heading }, texts.say("filesHeading")),
      summary.element,
      this.#list.element,
      this.#files.element,
    );
    // A canceled upload is gone from the server; a dismissed one is unfinished there.
    parts.uploader.addEventListener("removed", () => {
      this.#refreshSoon();
      parts.standing.refreshSoon();
    });
  }

  /** Whether closing the page would interrupt an upload. */
  get busy() {
    return this.#session.busy;
  }

  /** Load what the server and the browser know. */
  refresh() {
    return this.#files.refresh();
  }

  /** Show none of the files any more. */
  clear() {
    this.#files.clear();
  }

  #makeRemoval() {
    return new Removal(this.#texts, {
      ...this.#parts,
      onRemoved: (removed) => this.#takeOff(removed),
    });
  }

  #makeFileActions() {
    return new FileActions(this.#texts, {
      ...this.#parts,
      headers: this.#parts.downloadHeaders,
      remove: (record) => this.#remove((entry) => recordOf(entry) === record),
    });
  }

  #makeList() {
    const resumeAll = new ResumeAll(this.#texts, {
      ...this.#parts,
      unfinished: () => this.#catalog.unfinished,
      pickSeveral: (from) => this.#parts.picker.pickSeveral(from),
      replace: (resumable, file) => this.#replace(resumable, file),
    });
    return new FileList(this.#texts, {
      catalog: this.#catalog,
      createRow: (entry) => this.#createRow(entry),
      home: this.#parts.picker.button,
      resumeAll: resumeAll.element,
      finishedInAll: () => this.#files.total,
      loadMore: () => void this.#files.loadMore(),
      loadAll: () => this.#files.loadAll(),
      remove: (entries) => this.#removal.remove(entries),
      download: (entries) => {
        const records = entries.map(recordOf).filter((record) => record !== null);
        return this.#fileActions.downloadAll(records);
      },
    });
  }

  #makeFiles() {
    const { uploader, signsIn, account, standing } = this.#parts;
    return new Files(this.#texts, {
      uploader,
      standing,
      catalog: this.#catalog,
      list: this.#list,
      account: signsIn ? account : null,
    });
  }

  #makeSummary() {
    const title = this.#parts.ownTitle ? new DocumentTitle(this.#texts) : null;
    return new Summary(this.#texts, {
      ...this.#parts,
      home: this.#parts.picker.button,
      onPercent: (percent) => title?.showProgress(percent),
    });
  }

  /** @param {Summary} summary */
  #makeSession(summary) {
    return new Session(this.#texts, {
      ...this.#parts,
      catalog: this.#catalog,
      list: this.#list,
      summary,
      onDone: ({ result }) => {
        if (result) this.#files.add(result);
        this.#parts.standing.refreshSoon();
      },
      onFailed: () => this.#parts.standing.refreshSoon(),
    });
  }

  /** @param {Entry} entry */
  #createRow(entry) {
    const { uploader, picker, account } = this.#parts;
    const rowParts = {
      ...this.#parts,
      fileActions: this.#fileActions,
      pickOne: () => picker.pickOne(),
      signIn: () => account.signIn(),
      dismiss: uploader.dismiss.bind(uploader),
      serverTime: () => Date.now() + uploader.clockOffset,
      removeUnfinished: () => this.#remove((other) => other === entry),
      replace: this.#replace.bind(this),
    };
    if (entry.kind === "upload") return new UploadRow(entry, this.#texts, rowParts);
    if (entry.kind === "finished") return new FinishedRow(entry.record, this.#texts, rowParts);
    return new UnfinishedRow(entry.resumable, this.#texts, rowParts);
  }

  /** Delete the files that a test finds. @param {(entry: Entry) => boolean} test */
  #remove(test) {
    void this.#removal.remove([...this.#catalog.entries()].filter(test));
  }

  /** @param {import("./entry.js").Resumable} resumable @param {File} file */
  #replace(resumable, file) {
    const isIt = (/** @type {Entry} */ one) =>
      one.kind === "unfinished" && one.resumable === resumable;
    const entry = [...this.#catalog.entries()].find(isIt);
    // It may have been deleted in another tab meanwhile; then there is nothing to ask.
    return entry?.kind === "unfinished"
      ? this.#removal.replace(entry, file)
      : Promise.resolve(true);
  }

  /** @param {Entry[]} removed */
  #takeOff(removed) {
    for (const entry of removed) {
      if (entry.kind === "unfinished") this.#catalog.dropUnfinished(entry.resumable);
    }
    this.#files.drop(removed.map((entry) => recordOf(entry)?.upload_id ?? null));
    this.#parts.standing.refreshSoon();
  }

  #refreshSoon() {
    if (this.#refreshTimer !== undefined) return;
    this.#refreshTimer = window.setTimeout(() => {
      this.#refreshTimer = undefined;
      void this.#files.refresh();
    }, REFRESH_DELAY);
  }
}
