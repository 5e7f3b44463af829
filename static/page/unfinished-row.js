// @ts-check
/**
 * The row of an unfinished upload from before. A page cannot open a file by itself, so the user chooses the file
 * again, or opens it by its handle with one click. The library then makes sure that it is the same file.
 */

import { iconButton, wordButton } from "./buttons.js";
import { el, focusFirst } from "./dom.js";
import { listRow } from "./row.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("./entry.js").Resumable} Resumable */
/** @typedef {import("./picker.js").Picked} Picked */

/**
 * What the row needs from the page.
 *
 * @typedef {object} UnfinishedParts
 * @property {Pick<ChunkedUploader, "reopen">} uploader
 * @property {import("./thumbnails.js").Thumbnails} thumbnails
 * @property {import("./toasts.js").Toasts} toasts
 * @property {() => number} serverTime As `Date.now()` counts, by the server's clock.
 * @property {() => Promise<Picked | null>} pickOne Lets the user choose one file.
 * @property {(picked: Picked[]) => void} take Uploads files.
 * @property {(resumable: Resumable) => void} removeUnfinished Asks, and deletes.
 * @property {(resumable: Resumable, file: File) => Promise<boolean>} replace Asks whether a newer version of the
 *   file is to be uploaded instead, and deletes the older one's upload.
 */

export class UnfinishedRow {
  element;
  #resumable;
  #texts;
  #parts;

  /**
   * @param {Resumable} resumable
   * @param {import("./format.js").Texts} texts
   * @param {UnfinishedParts} parts
   */
  constructor(resumable, texts, parts) {
    this.#resumable = resumable;
    this.#texts = texts;
    this.#parts = parts;
    const { path: name, size, offset, remembered } = resumable;
    const label = texts.say("uploadProgress", { name });
    const bar = size && el("progress", { max: size, value: offset, "aria-label": label });
    const remove = iconButton("delete", texts.say("delete", { name }), () =>
      parts.removeUnfinished(resumable),
    );
    const type = remembered?.type ?? "";
    this.element = listRow({
      name,
      thumbnail: parts.thumbnails.element({ file: null, record: null, name, type }),
      details: [bar || null, el("p", { class: "cu-words" }, this.#words())],
      actions: [this.#resumeButton(), remove],
    });
    this.element.dataset.kind = "unfinished";
  }

  update() {}

  #words() {
    const texts = this.#texts;
    const { uploadId, size, offset } = this.#resumable;
    if (size === null) return texts.say("unfinishedUnknown", { size: texts.size(offset) });
    const whole = texts.size(size);
    if (uploadId === null) return texts.say("unfinishedNotBegun", { size: whole });
    const values = { percent: texts.percent(offset, size), size: whole };
    return [texts.say("unfinishedFigures", values), this.#timeLeft()].filter(Boolean).join(" · ");
  }

  #timeLeft() {
    const { expires } = this.#resumable;
    if (!expires) return "";
    const seconds = (Date.parse(expires) - this.#parts.serverTime()) / 1000;
    if (seconds <= 0) return this.#texts.say("expired");
    return this.#texts.say("timeToFinish", { time: this.#texts.duration(seconds) });
  }

  #resumeButton() {
    const texts = this.#texts;
    const { path: name, remembered } = this.#resumable;
    if (remembered?.handle) {
      const label = texts.say("goOnName", { name });
      const onclick = () => this.#reopen(remembered);
      return wordButton(texts.say("goOn"), { label, icon: "resume", onclick });
    }
    const label = texts.say("pickAgainName", { name });
    const onclick = () => this.#pickAgain();
    return wordButton(texts.say("pickAgain"), { label, icon: "file", onclick });
  }

  /** @param {Remembered} remembered */
  async #reopen(remembered) {
    if (await this.#parts.uploader.reopen(remembered)) return;
    this.#parts.toasts.show(this.#texts.say("handleGone", { name: remembered.name }));
    remembered.handle = null;
    const button = this.#resumeButton();
    this.element.querySelector(".cu-actions > .cu-button")?.replaceWith(button);
    focusFirst([button]);
  }

  async #pickAgain() {
    const { name, size, path } = this.#resumable;
    const picked = await this.#parts.pickOne();
    if (picked === null) return;
    const { file } = picked;
    const isCalledSo = file.name === name;
    const isSame = isCalledSo && (size === null || file.size === size);
    const isTaken = isSame || (isCalledSo && (await this.#parts.replace(this.#resumable, file)));
    if (isTaken) this.#parts.take([{ ...picked, path: path === name ? undefined : path }]);
    else if (!isCalledSo) this.#parts.toasts.show(this.#texts.say("otherFilePicked", { name }));
  }
}
