// @ts-check
/** The row of a finished file: size, date, checksum, sharing, download, deletion. */

import { el } from "./dom.js";
import { listRow } from "./row.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

/**
 * What the row needs from the page.
 *
 * @typedef {object} FinishedParts
 * @property {import("./file-actions.js").FileActions} fileActions
 * @property {import("./thumbnails.js").Thumbnails} thumbnails
 */

export class FinishedRow {
  element;

  /**
   * @param {UploadRecord} record
   * @param {import("./format.js").Texts} texts
   * @param {FinishedParts} parts
   */
  constructor(record, texts, { fileActions, thumbnails }) {
    const { filename } = record;
    const figures = {
      size: texts.size(record.offset),
      date: texts.date(record.completed_on ?? record.created_on),
    };
    const words = el("p", { class: "cu-words" }, texts.say("finishedFigures", figures));
    words.append(...fileActions.checksum(record));
    this.element = listRow({
      name: record.metadata?.relative_path || filename,
      thumbnail: thumbnails.element({ file: null, record, name: filename, type: "" }),
      details: [words],
      actions: fileActions.controls(record),
    });
    this.element.dataset.kind = "finished";
  }

  update() {}
}
