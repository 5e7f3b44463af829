// @ts-check
/**
 * Unfinished uploads: remembered by this browser, known to the server, or both. A page cannot open a
 * file by itself, so the user chooses the file again, or opens it by its handle with one click. The
 * library then makes sure that it is the same file.
 */

import { iconButton, wordButton } from "./buttons.js";
import { el, focusFirst, nextFrame } from "./dom.js";
import { focusAfter, listRow } from "./row.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./picker.js").Picked} Picked */

/**
 * @typedef {object} Resumable
 * @property {string} uploadId
 * @property {string} name
 * @property {number | null} size
 * @property {number} offset
 * @property {string | null} expires
 * @property {Remembered | null} remembered
 */

export class Unfinished {
  element;
  #texts;
  #parts;
  /** @type {Resumable[]} */
  #uploads = [];
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #list = el("ul", { class: "cu-list", role: "list" });

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "uploads" | "reopen" | "forget" | "addEventListener">} parts.uploader
   * @param {Pick<import("./file-actions.js").FileActions, "delete">} parts.fileActions
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {HTMLElement} parts.home Takes the focus when the last row is gone.
   * @param {() => Promise<Picked | null>} parts.pickOne Lets the user choose one file.
   * @param {(picked: Picked[]) => void} parts.take Uploads files.
   * @param {() => Promise<void>} parts.onDeleted
   */
  constructor(texts, parts) {
    this.#texts = texts;
    this.#parts = parts;
    const heading = el("h3", { tabindex: "-1" }, texts.say("unfinishedHeading"));
    this.element = el("div", { hidden: true }, heading, this.#list);
    // An upload that is resumed moves to the list above.
    parts.uploader.addEventListener("change", () => nextFrame(this.#render));
  }

  get size() {
    return this.#uploads.length;
  }

  /**
   * @param {UploadRecord[]} records The server's, newest first.
   * @param {Remembered[]} remembered This browser's.
   */
  show(records, remembered) {
    const own = new Map(remembered.map((upload) => [upload.uploadId, upload]));
    const known = records.map((record) => fromRecord(record, own.get(record.upload_id) ?? null));
    const listed = new Set(records.map((record) => record.upload_id));
    const others = remembered.filter(({ uploadId, result }) => !result && !listed.has(uploadId));
    this.#uploads = [...known, ...others.map(fromRemembered)];
    this.#render();
  }

  // A field, since `nextFrame` knows a task by its identity.
  #render = () => {
    const active = new Set(this.#parts.uploader.uploads.map(({ uploadId }) => uploadId));
    const shown = this.#uploads.filter(({ uploadId }) => !active.has(uploadId));
    const wanted = new Set(shown.map(({ uploadId }) => uploadId));
    for (const [uploadId, row] of this.#rows) {
      if (!wanted.has(uploadId)) this.#removeRow(uploadId, row);
    }
    for (const upload of shown) {
      if (!this.#rows.has(upload.uploadId)) this.#addRow(upload);
    }
    this.element.hidden = shown.length === 0;
  };

  /** @param {Resumable} upload */
  #addRow(upload) {
    const row = this.#makeRow(upload);
    this.#rows.set(upload.uploadId, row);
    this.#list.append(row);
  }

  /** @param {string} uploadId @param {HTMLElement} row */
  #removeRow(uploadId, row) {
    const focus = focusAfter(row, this.#parts.home);
    this.#rows.delete(uploadId);
    row.remove();
    focusFirst(focus);
  }

  /** @param {Resumable} upload */
  #makeRow(upload) {
    const texts = this.#texts;
    const { name, size, offset } = upload;
    const label = texts.say("uploadProgress", { name });
    const details = [
      el("p", { class: "cu-words" }, this.#words(upload)),
      size ? el("progress", { max: size, value: offset, "aria-label": label }) : null,
    ];
    const remove = iconButton("delete", texts.say("delete", { name }), () => this.#delete(upload));
    return listRow(name, details, [this.#resumeButton(upload), remove]);
  }

  /** @param {Resumable} upload */
  #words({ size, offset, expires }) {
    const texts = this.#texts;
    const said =
      size === null
        ? texts.say("unfinishedUnknown", { size: texts.size(offset) })
        : texts.say("unfinishedFigures", {
            percent: texts.percent(offset, size),
            size: texts.size(size),
          });
    if (!expires) return said;
    if (Date.parse(expires) <= Date.now()) return `${said} · ${texts.say("expired")}`;
    return `${said} · ${texts.say("expires", { when: texts.until(Date.parse(expires)) })}`;
  }

  /** @param {Resumable} upload */
  #resumeButton(upload) {
    const texts = this.#texts;
    const { name, remembered } = upload;
    if (remembered?.handle) {
      const label = texts.say("goOnName", { name });
      const onclick = () => this.#reopen(upload, remembered);
      return wordButton(texts.say("goOn"), { label, icon: "resume", onclick });
    }
    const label = texts.say("pickAgainName", { name });
    const onclick = () => this.#pickAgain(upload);
    return wordButton(texts.say("pickAgain"), { label, icon: "file", onclick });
  }

  /** @param {Resumable} upload @param {Remembered} remembered */
  async #reopen(upload, remembered) {
    if (await this.#parts.uploader.reopen(remembered)) return;
    this.#parts.toasts.show(this.#texts.say("handleGone", { name: upload.name }));
    remembered.handle = null;
    const row = this.#rows.get(upload.uploadId);
    const fresh = this.#makeRow(upload);
    row?.replaceWith(fresh);
    this.#rows.set(upload.uploadId, fresh);
    focusFirst([fresh.querySelector("button")]);
  }

  /** @param {Resumable} upload */
  async #pickAgain({ name, size }) {
    const picked = await this.#parts.pickOne();
    if (picked === null) return;
    const { file } = picked;
    const same = file.name === name && (size === null || file.size === size);
    if (same) this.#parts.take([picked]);
    else this.#parts.toasts.show(this.#texts.say("otherFilePicked", { name }));
  }

  /** @param {Resumable} upload */
  async #delete(upload) {
    if (!(await this.#parts.fileActions.delete(upload))) return;
    if (upload.remembered) await this.#parts.uploader.forget(upload.remembered);
    this.#uploads = this.#uploads.filter((other) => other !== upload);
    this.#render();
    await this.#parts.onDeleted();
  }
}

/** @param {UploadRecord} record @param {Remembered | null} remembered @returns {Resumable} */
function fromRecord(record, remembered) {
  const { upload_id: uploadId, filename: name, length: size, offset, expires } = record;
  return { uploadId, name: remembered?.name ?? name, size, offset, expires, remembered };
}

/** @param {Remembered} remembered @returns {Resumable} */
function fromRemembered(remembered) {
  const { uploadId, name, size, offset, expires } = remembered;
  return { uploadId, name, size, offset, expires, remembered };
}
