// @ts-check
/** Finished uploads: size, date, checksum, download, deletion; one page at a time. */

import { iconButton, switchOff, wordButton } from "./buttons.js";
import { checksumLine } from "./checksum-actions.js";
import { el, focusFirst, setText } from "./dom.js";
import { focusAfter, listRow } from "./row.js";

/** @typedef {import("../chunked-upload/types.js").UploadPage} UploadPage */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

export class Finished {
  element;
  #texts;
  #fileActions;
  #home;
  #turnTo;
  #onDeleted;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #page = 1;
  #list = el("ul", { class: "cu-list", role: "list" });
  #heading;
  #newer;
  #older;
  #position = el("span", { "aria-live": "polite" });
  #pager;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {import("./file-actions.js").FileActions} parts.fileActions
   * @param {HTMLElement} parts.home Takes the focus when the last row is gone.
   * @param {(page: number) => Promise<void>} parts.turnTo Shows another page.
   * @param {() => Promise<void>} parts.onDeleted
   */
  constructor(texts, { fileActions, home, turnTo, onDeleted }) {
    this.#texts = texts;
    this.#fileActions = fileActions;
    this.#home = home;
    this.#turnTo = turnTo;
    this.#onDeleted = onDeleted;
    this.#heading = el("h3", { tabindex: "-1" }, texts.say("finishedHeading"));
    this.#newer = wordButton(texts.say("newer"), { onclick: () => this.#turn(-1) });
    this.#older = wordButton(texts.say("older"), { onclick: () => this.#turn(1) });
    this.#pager = el(
      "nav",
      { class: "cu-pager", "aria-label": texts.say("pager"), hidden: true },
      this.#newer,
      this.#position,
      this.#older,
    );
    this.element = el("div", { hidden: true }, this.#heading, this.#list, this.#pager);
  }

  /** @param {UploadPage} page */
  show({ uploads, page, per_page: perPage, total, next }) {
    this.#page = page;
    const wanted = new Set(uploads.map((record) => record.upload_id));
    for (const [uploadId, row] of this.#rows) {
      if (!wanted.has(uploadId)) this.#removeRow(uploadId, row);
    }
    for (const [at, record] of uploads.entries()) this.#place(record, at);
    this.element.hidden = total === 0;
    this.#showPager(Math.ceil(total / perPage), next !== null);
  }

  /** @param {string} uploadId @param {HTMLElement} row */
  #removeRow(uploadId, row) {
    const focus = focusAfter(row, this.#home);
    this.#rows.delete(uploadId);
    row.remove();
    focusFirst(focus);
  }

  /**
   * Put a row in its place. A row that is already there is not touched, so that it keeps the focus.
   *
   * @param {UploadRecord} record
   * @param {number} at
   */
  #place(record, at) {
    const row = this.#rows.get(record.upload_id) ?? this.#makeRow(record);
    this.#rows.set(record.upload_id, row);
    const before = this.#list.children[at] ?? null;
    if (before !== row) this.#list.insertBefore(row, before);
  }

  /** @param {number} pages @param {boolean} more */
  #showPager(pages, more) {
    this.#pager.hidden = pages <= 1;
    switchOff(this.#newer, this.#page <= 1);
    switchOff(this.#older, !more);
    setText(this.#position, this.#texts.say("pageOf", { page: this.#page, pages }));
  }

  /** @param {number} step */
  async #turn(step) {
    await this.#turnTo(this.#page + step);
    this.#heading.scrollIntoView({ block: "nearest" });
  }

  /** @param {UploadRecord} record */
  #makeRow(record) {
    const texts = this.#texts;
    const name = record.filename;
    const figures = {
      size: texts.size(record.offset),
      date: texts.date(record.completed_on ?? record.created_on),
    };
    const details = [
      el("p", { class: "cu-words" }, texts.say("finishedFigures", figures)),
      ...checksumLine(record, texts),
    ];
    const remove = iconButton("delete", texts.say("delete", { name }), () => this.#delete(record));
    const copy = this.#fileActions.copyButton(record);
    return listRow(name, details, [copy, this.#fileActions.downloadControl(record), remove]);
  }

  /** @param {UploadRecord} record */
  async #delete({ upload_id: uploadId, filename: name }) {
    if (!(await this.#fileActions.delete({ uploadId, name }))) return;
    const row = this.#rows.get(uploadId);
    if (row) this.#removeRow(uploadId, row);
    await this.#onDeleted();
  }
}
