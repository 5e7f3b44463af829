// @ts-check
/** Finished uploads: size, date, MD5, download, removal; a page at a time. */

import { iconButton, switchOff, wordButton } from "./buttons.js";
import { el, focusFirst, setText } from "./dom.js";
import { checksumLine, deleteAfterAsking, fileActions } from "./file-actions.js";
import { focusAfter, listRow } from "./row.js";

/** @typedef {import("../chunked-upload/types.js").UploadPage} UploadPage */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./page.js").Context} Context */

export class Finished {
  /**
   * @param {Context} context
   * @param {{turnTo: (page: number) => Promise<void>, onDeleted: () => Promise<void>}} actions
   */
  constructor(context, { turnTo, onDeleted }) {
    this.context = context;
    this.onDeleted = onDeleted;
    const { texts } = context;
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    this.page = 1;
    this.list = el("ul", { class: "cu-list", role: "list" });
    this.heading = el("h3", { tabindex: "-1" }, texts.say("finishedHeading"));
    this.newer = wordButton(texts.say("newer"), { onclick: () => this.turn(turnTo, -1) });
    this.older = wordButton(texts.say("older"), { onclick: () => this.turn(turnTo, 1) });
    this.where = el("span", { "aria-live": "polite" });
    this.pager = el(
      "nav",
      { class: "cu-pager", "aria-label": texts.say("pager"), hidden: true },
      this.newer,
      this.where,
      this.older,
    );
    this.element = el("div", { hidden: true }, this.heading, this.list, this.pager);
  }

  /** @param {UploadPage} page */
  show({ uploads, page, per_page: perPage, total, next }) {
    this.page = page;
    const wanted = new Set(uploads.map((record) => record.upload_id));
    for (const [uploadId, row] of this.rows) {
      if (!wanted.has(uploadId)) this.removeRow(uploadId, row);
    }
    for (const [at, record] of uploads.entries()) this.place(record, at);
    this.element.hidden = total === 0;
    this.showPager(Math.ceil(total / perPage), next !== null);
  }

  /** @param {string} uploadId @param {HTMLElement} row */
  removeRow(uploadId, row) {
    const focus = focusAfter(row, this.context.home);
    this.rows.delete(uploadId);
    row.remove();
    focusFirst(focus);
  }

  /**
   * Put a row in its place. One that is there already is not touched, or it would lose the focus.
   *
   * @param {UploadRecord} record
   * @param {number} at
   */
  place(record, at) {
    const row = this.rows.get(record.upload_id) ?? this.makeRow(record);
    this.rows.set(record.upload_id, row);
    const before = this.list.children[at] ?? null;
    if (before !== row) this.list.insertBefore(row, before);
  }

  /** @param {number} pages @param {boolean} more */
  showPager(pages, more) {
    this.pager.hidden = pages <= 1;
    switchOff(this.newer, this.page <= 1);
    switchOff(this.older, !more);
    setText(this.where, this.context.texts.say("pageOf", { page: this.page, pages }));
  }

  /** @param {(page: number) => Promise<void>} turnTo @param {number} step */
  async turn(turnTo, step) {
    await turnTo(this.page + step);
    this.heading.scrollIntoView({ block: "nearest" });
  }

  /** @param {UploadRecord} record */
  makeRow(record) {
    const { texts } = this.context;
    const name = record.filename;
    const figures = {
      size: texts.size(record.offset),
      date: texts.date(record.completed_on ?? record.created_on),
    };
    const details = [
      el("p", { class: "cu-words" }, texts.say("finishedFigures", figures)),
      ...checksumLine(record, texts),
    ];
    const { copy, download } = fileActions(record, this.context);
    const remove = iconButton("delete", texts.say("delete", { name }), () => this.delete(record));
    return listRow(name, details, [copy, download, remove]);
  }

  /** @param {UploadRecord} record */
  async delete(record) {
    const { upload_id: uploadId, filename: name } = record;
    if (!(await deleteAfterAsking({ uploadId, name }, this.context))) return;
    const row = this.rows.get(uploadId);
    if (row) this.removeRow(uploadId, row);
    await this.onDeleted();
  }
}
