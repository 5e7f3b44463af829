// @ts-check
/**
 * Uploads that were begun and not finished: remembered by this browser, known to the server, or both.
 * A page cannot open a file by itself, so each asks for its file again, or opens it by its handle with
 * one click. The library then makes sure that it is the same file.
 */

import { iconButton, wordButton } from "./buttons.js";
import { el, focusFirst, nextFrame } from "./dom.js";
import { deleteAfterAsking } from "./file-actions.js";
import { focusAfter, listRow } from "./row.js";

/** @typedef {import("../chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./page.js").Context} Context */

/**
 * @typedef {object} Begun
 * @property {string} uploadId
 * @property {string} name
 * @property {number | null} size
 * @property {number} offset
 * @property {string | null} expires
 * @property {Remembered | null} remembered
 */

export class Unfinished {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Begun[]} */
    this.begun = [];
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    this.list = el("ul", { class: "cu-list", role: "list" });
    this.heading = el("h3", { tabindex: "-1" }, context.texts.say("unfinishedHeading"));
    this.element = el("div", { hidden: true }, this.heading, this.list);
    this.render = this.render.bind(this);
    // What goes on is shown above and no longer here.
    context.uploader.addEventListener("change", () => nextFrame(this.render));
  }

  get size() {
    return this.begun.length;
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
    this.begun = [...known, ...others.map(fromRemembered)];
    this.render();
  }

  render() {
    const active = new Set(this.context.uploader.uploads.map(({ uploadId }) => uploadId));
    const shown = this.begun.filter(({ uploadId }) => !active.has(uploadId));
    const wanted = new Set(shown.map(({ uploadId }) => uploadId));
    for (const [uploadId, row] of this.rows) {
      if (!wanted.has(uploadId)) this.removeRow(uploadId, row);
    }
    for (const begun of shown) {
      if (!this.rows.has(begun.uploadId)) this.addRow(begun);
    }
    this.element.hidden = shown.length === 0;
  }

  /** @param {Begun} begun */
  addRow(begun) {
    const row = this.makeRow(begun);
    this.rows.set(begun.uploadId, row);
    this.list.append(row);
  }

  /** @param {string} uploadId @param {HTMLElement} row */
  removeRow(uploadId, row) {
    const focus = focusAfter(row, this.context.home);
    this.rows.delete(uploadId);
    row.remove();
    focusFirst(focus);
  }

  /** @param {Begun} begun */
  makeRow(begun) {
    const { texts } = this.context;
    const { name, size, offset } = begun;
    const label = texts.say("uploadProgress", { name });
    const details = [
      el("p", { class: "cu-words" }, this.words(begun)),
      size ? el("progress", { max: size, value: offset, "aria-label": label }) : null,
    ];
    const remove = iconButton("delete", texts.say("delete", { name }), () => this.delete(begun));
    return listRow(name, details, [this.goOnButton(begun), remove]);
  }

  /** @param {Begun} begun */
  words({ size, offset, expires }) {
    const { texts } = this.context;
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

  /** @param {Begun} begun */
  goOnButton(begun) {
    const { texts } = this.context;
    const { name } = begun;
    if (begun.remembered?.handle) {
      const label = texts.say("goOnName", { name });
      return wordButton(texts.say("goOn"), {
        label,
        icon: "resume",
        onclick: () => this.reopen(begun),
      });
    }
    const label = texts.say("pickAgainName", { name });
    return wordButton(texts.say("pickAgain"), {
      label,
      icon: "file",
      onclick: () => this.pickAgain(begun),
    });
  }

  /** @param {Begun} begun */
  async reopen(begun) {
    const { uploader, texts, complain } = this.context;
    const remembered = /** @type {Remembered} */ (begun.remembered);
    if (await uploader.reopen(remembered)) return;
    complain(texts.say("handleGone", { name: begun.name }));
    remembered.handle = null;
    const row = this.rows.get(begun.uploadId);
    const fresh = this.makeRow(begun);
    row?.replaceWith(fresh);
    this.rows.set(begun.uploadId, fresh);
    focusFirst([fresh.querySelector("button")]);
  }

  /** @param {Begun} begun */
  async pickAgain({ name, size }) {
    const picked = await this.context.pickOne();
    if (picked === null) return;
    const { file } = picked;
    const same = file.name === name && (size === null || file.size === size);
    if (same) this.context.take([picked]);
    else this.context.complain(this.context.texts.say("otherFilePicked", { name }));
  }

  /** @param {Begun} begun */
  async delete(begun) {
    if (!(await deleteAfterAsking(begun, this.context))) return;
    if (begun.remembered) await this.context.uploader.forget(begun.remembered);
    this.begun = this.begun.filter((other) => other !== begun);
    this.render();
    await this.context.refresh();
  }
}

/** @param {UploadRecord} record @param {Remembered | null} remembered @returns {Begun} */
function fromRecord(record, remembered) {
  const { upload_id: uploadId, filename: name, length: size, offset, expires } = record;
  return { uploadId, name: remembered?.name ?? name, size, offset, expires, remembered };
}

/** @param {Remembered} remembered @returns {Begun} */
function fromRemembered(remembered) {
  const { uploadId, name, size, offset, expires } = remembered;
  return { uploadId, name, size, offset, expires, remembered };
}
