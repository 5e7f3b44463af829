// @ts-check
/** What can be done with a finished file: share, download, delete, look at its checksum. */

import { iconButton, switchOff } from "./buttons.js";
import { checksumWord } from "./checksum-actions.js";
import { el } from "./dom.js";
import { downloadWithHeaders } from "./download.js";
import { icon } from "./icons.js";
import { serverWords } from "./server-words.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

/** Milliseconds between two downloads by links: browsers drop those that follow too closely. */
const BETWEEN_DOWNLOADS = 300;

export class FileActions {
  #texts;
  #parts;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {import("./share.js").Share} parts.share
   * @param {(record: UploadRecord) => void} parts.remove Asks, and deletes the file.
   * @param {(() => Record<string, string>) | null} parts.headers Headers that downloads need, which links
   *   cannot carry; null where links will do.
   */
  constructor(texts, parts) {
    this.#texts = texts;
    this.#parts = parts;
  }

  /** Return the controls of a finished file's row. @param {UploadRecord} record */
  controls(record) {
    const label = this.#texts.say("delete", { name: record.filename });
    const remove = iconButton("delete", label, () => this.#parts.remove(record));
    return [this.#parts.share.button(record), this.#downloadControl(record), remove];
  }

  /** Return the word that shows a finished file's checksum. @param {UploadRecord} record */
  checksum(record) {
    return checksumWord(record, this.#texts, {
      announce: (words) => this.#parts.announcer.say(words),
      warn: (words) => this.#parts.toasts.show(words),
    });
  }

  /** Download several files, one after the other. @param {UploadRecord[]} records */
  async downloadAll(records) {
    const { headers } = this.#parts;
    for (const record of records) {
      if (headers !== null) {
        await this.#fetch(record, headers);
      } else {
        el("a", { href: record.url, download: record.filename }).click();
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_DOWNLOADS));
      }
    }
  }

  /**
   * Return the download link, or a button where a link will not do.
   *
   * @param {UploadRecord} record
   */
  #downloadControl(record) {
    const { headers } = this.#parts;
    const name = record.filename;
    const label = this.#texts.say("download", { name });
    if (headers !== null) {
      const button = iconButton("download", label, async () => {
        switchOff(button, true);
        await this.#fetch(record, headers);
        switchOff(button, false);
      });
      return button;
    }
    const properties = {
      class: "cu-icon-button",
      href: record.url,
      download: name,
      "aria-label": label,
      title: label,
    };
    return el("a", properties, icon("download"));
  }

  /** @param {UploadRecord} record @param {() => Record<string, string>} headers */
  async #fetch(record, headers) {
    const name = record.filename;
    this.#parts.announcer.say(this.#texts.say("downloading", { name }));
    try {
      await downloadWithHeaders(record, headers());
    } catch (error) {
      const detail = serverWords(/** @type {Error} */ (error).message, this.#texts);
      this.#parts.toasts.show(this.#texts.say("downloadFailed", { name, detail }));
    }
  }
}
