// @ts-check
/** The row of one file that was added on this page, from queued to done. */

import { iconButton, setIconButton } from "./buttons.js";
import { ACTIVE, canRetry, speedWords, stateWords } from "./describe.js";
import { el, focusFirst, setAttribute, setText } from "./dom.js";
import { uploadPath } from "./entry.js";
import { listRow } from "./row.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./picker.js").Picked} Picked */

/**
 * The main button in each state: its icon and label.
 *
 * @type {Record<Upload["state"], [import("./icons.js").IconName, import("./format.js").MessageKey]>}
 */
const MAIN_ACTIONS = {
  queued: ["pause", "pause"],
  checking: ["pause", "pause"],
  uploading: ["pause", "pause"],
  waiting: ["retry", "tryNow"],
  paused: ["resume", "resume"],
  completing: ["pause", "pause"],
  done: ["pause", "pause"],
  failed: ["retry", "retry"],
  canceled: ["pause", "pause"],
};

/**
 * Milliseconds for which the main button ignores clicks after "Retry now" has become "Pause" under the pointer.
 * Such a click was meant for "Retry now", and the upload is already trying.
 */
const SETTLING_TIME = 500;

/** @type {[import("./icons.js").IconName, import("./format.js").MessageKey]} */
const CHOOSE_AGAIN = ["file", "pickAgainName"];

/**
 * What a row needs from the page.
 *
 * @typedef {object} RowParts
 * @property {Pick<import("./file-actions.js").FileActions, "controls" | "checksum">} fileActions
 * @property {import("./thumbnails.js").Thumbnails} thumbnails
 * @property {import("./dialogs.js").Confirm} confirm
 * @property {() => void} signIn Let the user sign in.
 * @property {() => Promise<Picked | null>} pickOne Let the user choose one file.
 * @property {(picked: Picked[]) => void} take Upload files.
 * @property {(upload: Upload) => void} dismiss Remove an upload from the list.
 */

export class UploadRow {
  element;
  #entry;
  #upload;
  #texts;
  #parts;
  #finished = false;
  /** @type {Upload["state"]} */
  #shownState = "queued";
  /** When the upload stopped waiting, on the clock of `event.timeStamp`. */
  #waitedUntil = -Infinity;
  #words = el("span");
  #figures = el("p", { class: "cu-figures" });
  #progress;
  #mainButton;
  #endButton;

  /**
   * @param {import("./entry.js").UploadEntry} entry
   * @param {import("./format.js").Texts} texts
   * @param {RowParts} parts
   */
  constructor(entry, texts, parts) {
    const { upload } = entry;
    this.#entry = entry;
    this.#upload = upload;
    this.#texts = texts;
    this.#parts = parts;
    const { file } = upload;
    const name = uploadPath(upload);
    const label = texts.say("uploadProgress", { name });
    this.#progress = el("progress", { max: upload.size || 1, value: 0, "aria-label": label });
    this.#mainButton = iconButton("pause", texts.say("pause", { name }), (event) =>
      this.#act(event),
    );
    this.#endButton = iconButton("close", texts.say("cancel", { name }), () => this.#end());
    this.element = listRow({
      name,
      thumbnail: parts.thumbnails.element({ file, record: null, name, type: file.type }),
      details: [this.#figures, this.#progress, el("p", { class: "cu-words" }, this.#words)],
      actions: [this.#mainButton, this.#endButton],
    });
    this.element.dataset.kind = "upload";
  }

  /** Bring the row up to date. Only what differs is changed. */
  update() {
    const upload = this.#upload;
    const { state } = upload;
    if (this.#shownState === "waiting" && state !== "waiting")
      this.#waitedUntil = performance.now();
    this.#shownState = state;
    setAttribute(this.element, "data-state", state);
    setAttribute(this.element, "data-waiting", upload.waiting?.reason);
    const said = [stateWords(upload, this.#texts)];
    if (this.#entry.notice && state !== "failed") said.push(this.#entry.notice);
    setText(this.#words, said.join(" · "));
    setText(this.#figures, state === "uploading" ? speedWords(upload, this.#texts) : "");
    this.#updateProgress();
    if (state === "done") this.#finish();
    else this.#updateButtons();
  }

  #updateProgress() {
    const { state, sent, size } = this.#upload;
    this.#progress.hidden = state === "failed" || state === "done";
    const value = state === "completing" || size === 0 ? this.#progress.max : sent;
    if (this.#progress.value !== value) this.#progress.value = value;
  }

  #updateButtons() {
    const { state } = this.#upload;
    const name = uploadPath(this.#upload);
    const [icon, key] = this.#needsFile ? CHOOSE_AGAIN : MAIN_ACTIONS[state];
    setIconButton(this.#mainButton, icon, this.#texts.say(key, { name }));
    const end = state === "failed" ? "dismiss" : "cancel";
    setIconButton(this.#endButton, "close", this.#texts.say(end, { name }));
    const useless = state === "failed" && !this.#needsFile && !canRetry(this.#upload);
    if (useless && document.activeElement === this.#mainButton) this.#endButton.focus();
    this.#mainButton.hidden = useless;
  }

  /** Whether the user has to choose the file again: the browser cannot read it, or it has changed. */
  get #needsFile() {
    const { state, error, handle } = this.#upload;
    if (state !== "failed" || handle) return false;
    return error?.code === "changed" || error?.code === "unreadable";
  }

  /** Replace the buttons by the actions on a finished file. */
  #finish() {
    const record = this.#upload.result;
    if (this.#finished || record === null) return;
    this.#finished = true;
    const { fileActions } = this.#parts;
    const controls = fileActions.controls(record).filter((control) => control !== null);
    const focused = this.element.contains(document.activeElement);
    this.#mainButton.remove();
    this.#endButton.replaceWith(...controls);
    if (focused) focusFirst(controls);
    this.#words.after(...fileActions.checksum(record));
  }

  /**
   * What the main button does.
   *
   * @param {MouseEvent} event
   */
  #act(event) {
    const upload = this.#upload;
    if (event.timeStamp < this.#waitedUntil + SETTLING_TIME) return;
    if (this.#needsFile) {
      void this.#chooseAgain();
    } else if (upload.state === "failed") {
      this.#entry.notice = "";
      upload.retry();
    } else if (upload.waiting?.reason === "sign-in") {
      this.#parts.signIn();
    } else if (upload.state === "paused" || upload.state === "waiting") {
      upload.resume();
    } else {
      upload.pause();
    }
  }

  async #chooseAgain() {
    const picked = await this.#parts.pickOne();
    if (picked === null) return;
    const upload = this.#upload;
    const path = uploadPath(upload);
    // What has arrived of an older version is of no use; that of the same file is resumed.
    if (upload.error?.code === "changed" && isOtherVersion(picked.file, upload.file)) {
      void upload.cancel();
    } else {
      this.#parts.dismiss(upload);
    }
    this.#parts.take([{ ...picked, path: path.includes("/") ? path : undefined }]);
  }

  /** What the other button does: cancel the upload, or remove a failed one from the list. */
  async #end() {
    const upload = this.#upload;
    const texts = this.#texts;
    if (!ACTIVE.has(upload.state) && upload.state !== "paused") {
      this.#parts.dismiss(upload);
      return;
    }
    const words = {
      title: texts.say("cancelTitle", { name: uploadPath(upload) }),
      body: texts.say("cancelBody", { size: texts.size(upload.offset) }),
      confirm: texts.say("cancelConfirm"),
      keep: texts.say("keep"),
    };
    // No question when nothing would be lost.
    if (upload.offset === 0 || (await this.#parts.confirm(words))) await upload.cancel();
  }
}

/**
 * @param {File} file
 * @param {File} before
 */
function isOtherVersion(file, before) {
  const isSame = file.size === before.size && file.lastModified === before.lastModified;
  return file.name === before.name && !isSame;
}
