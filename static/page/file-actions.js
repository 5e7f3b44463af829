// @ts-check
/** Actions on files that the server has: copy the checksum, download, delete. */

import { iconButton, switchOff } from "./buttons.js";
import { copyButton } from "./checksum-actions.js";
import { problemWords } from "./describe.js";
import { el } from "./dom.js";
import { downloadWithHeaders } from "./download.js";
import { icon } from "./icons.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./dialogs.js").Confirm} Confirm */

export class FileActions {
  #texts;
  #uploader;
  #announcer;
  #toasts;
  #confirm;
  #headers;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<import("../chunked-upload.js").ChunkedUploader, "remove">} parts.uploader
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {Confirm} parts.confirm
   * @param {(() => Record<string, string>) | null} parts.headers Headers that downloads need, which links
   *   cannot carry; null where links will do.
   */
  constructor(texts, { uploader, announcer, toasts, confirm, headers }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#announcer = announcer;
    this.#toasts = toasts;
    this.#confirm = confirm;
    this.#headers = headers;
  }

  /** @param {UploadRecord} record */
  copyButton(record) {
    return copyButton(record, this.#texts, {
      announce: (words) => this.#announcer.say(words),
      warn: (words) => this.#toasts.show(words),
    });
  }

  /**
   * Return the download link, or a button where a link will not do.
   *
   * @param {UploadRecord} record
   */
  downloadControl(record) {
    const name = record.filename;
    const label = this.#texts.say("download", { name });
    if (this.#headers !== null) return this.#downloadButton(record, label, this.#headers);
    const properties = {
      class: "cu-icon-button",
      href: record.url,
      download: name,
      "aria-label": label,
      title: label,
    };
    return el("a", properties, icon("download"));
  }

  /**
   * @param {UploadRecord} record
   * @param {string} label
   * @param {() => Record<string, string>} headers
   */
  #downloadButton(record, label, headers) {
    const name = record.filename;
    const button = iconButton("download", label, async () => {
      this.#announcer.say(this.#texts.say("downloading", { name }));
      switchOff(button, true);
      try {
        await downloadWithHeaders(record, headers());
      } catch (error) {
        const detail = /** @type {Error} */ (error).message;
        this.#toasts.show(this.#texts.say("downloadFailed", { name, detail }));
      }
      switchOff(button, false);
    });
    return button;
  }

  /**
   * Delete an upload on the server, if the user confirms.
   *
   * @param {{uploadId: string, name: string}} upload
   * @returns {Promise<boolean>} Whether it is gone.
   */
  async delete({ uploadId, name }) {
    const texts = this.#texts;
    const sure = await this.#confirm({
      title: texts.say("deleteTitle", { name }),
      body: texts.say("deleteBody"),
      confirm: texts.say("deleteConfirm"),
      keep: texts.say("keepFile"),
    });
    if (!sure) return false;
    try {
      await this.#uploader.remove(uploadId);
    } catch (error) {
      const { status } = /** @type {import("../chunked-upload.js").UploadError} */ (error);
      if (status !== 404 && status !== 410) {
        const detail = problemWords(error, texts);
        this.#toasts.show(texts.say("deleteFailed", { name, detail }));
        return false;
      }
    }
    this.#announcer.say(texts.say("deleted", { name }));
    return true;
  }
}
