// @ts-check
/** One file that was added on this page, from waiting for its turn to done. */

import { iconButton, setIconButton, switchOff } from "./buttons.js";
import { ACTIVE, canRetry, noticeWords, speedWords, stateWords } from "./describe.js";
import { el, focusFirst, setAttribute, setText } from "./dom.js";
import { checksumLine, fileActions } from "./file-actions.js";
import { listRow } from "./row.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./page.js").Context} Context */

/**
 * What an upload's first button does in each state: its icon, its label.
 *
 * @type {Record<Upload["state"], [import("./icons.js").IconName, import("./text.js").MessageKey]>}
 */
const ONWARD = {
  queued: ["pause", "pause"],
  checking: ["pause", "pause"],
  uploading: ["pause", "pause"],
  waiting: ["retry", "tryNow"],
  paused: ["resume", "resume"],
  completing: ["pause", "pause"],
  done: ["copy", "copyMd5"],
  failed: ["retry", "retry"],
  canceled: ["pause", "pause"],
};

/** @type {[import("./icons.js").IconName, import("./text.js").MessageKey]} */
const CHOOSE_AGAIN = ["file", "pickAgainName"];

export class UploadRow {
  /**
   * @param {Upload} upload
   * @param {Context} context
   */
  constructor(upload, context) {
    this.upload = upload;
    this.context = context;
    this.notice = "";
    this.finished = false;
    const name = upload.name;
    const { texts } = context;
    const path = upload.file.webkitRelativePath || upload.metadata.relative_path || name;
    this.words = el("p", { class: "cu-words" });
    this.figures = el("p", { class: "cu-figures" });
    const label = texts.say("uploadProgress", { name });
    this.progress = el("progress", { max: upload.size || 1, value: 0, "aria-label": label });
    this.onward = iconButton("pause", texts.say("pause", { name }), () => this.goOnOrPause());
    this.away = iconButton("close", texts.say("cancel", { name }), () => this.cancelOrDismiss());
    this.element = listRow(
      path,
      [this.figures, this.progress, this.words],
      [this.onward, this.away],
    );
  }

  /** @param {{code: any, data: Record<string, unknown>}} notice */
  note(notice) {
    this.notice = noticeWords(notice, this.context.texts);
    return this.notice;
  }

  /** Bring what is shown up to date. Only what differs is touched. */
  update() {
    const { upload, context } = this;
    const { state } = upload;
    setAttribute(this.element, "data-state", state);
    setAttribute(this.element, "data-waiting", upload.waiting?.reason);
    const said = [stateWords(upload, context.texts)];
    if (this.notice && state !== "failed") said.push(this.notice);
    setText(this.words, said.join(" · "));
    setText(this.figures, state === "uploading" ? speedWords(upload, context.texts) : "");
    this.updateProgress();
    if (state === "done") this.finish();
    else this.updateActions();
  }

  updateProgress() {
    const { state, sent, size } = this.upload;
    this.progress.hidden = state === "failed" || state === "done";
    const value = state === "completing" || size === 0 ? this.progress.max : sent;
    if (this.progress.value !== value) this.progress.value = value;
  }

  updateActions() {
    const { state, name } = this.upload;
    const { texts } = this.context;
    const [icon, key] = this.choosesAgain ? CHOOSE_AGAIN : ONWARD[state];
    setIconButton(this.onward, icon, texts.say(key, { name }));
    const away = state === "failed" ? "dismiss" : "cancel";
    setIconButton(this.away, "close", texts.say(away, { name }));
    switchOff(this.onward, state === "failed" && !canRetry(this.upload));
  }

  /** Whether the file is wanted anew: the browser has lost it, or it is not what it was. */
  get choosesAgain() {
    const { state, error, handle } = this.upload;
    if (state !== "failed" || handle) return false;
    return error?.code === "changed" || error?.code === "unreadable";
  }

  /** Offer what can be done with a finished file, in the place of what it took to get there. */
  finish() {
    const record = this.upload.result;
    if (this.finished || record === null) return;
    this.finished = true;
    const { copy, download } = fileActions(record, this.context);
    const focused = this.element.contains(document.activeElement);
    this.onward.replaceWith(copy);
    this.away.replaceWith(download);
    if (focused) focusFirst([copy]);
    this.words.after(...checksumLine(record, this.context.texts));
  }

  goOnOrPause() {
    const { upload, context } = this;
    if (this.choosesAgain) {
      void this.chooseAgain();
    } else if (upload.state === "failed") {
      this.notice = "";
      upload.retry();
    } else if (upload.waiting?.reason === "sign-in") {
      context.signInAgain();
    } else if (upload.state === "paused" || upload.state === "waiting") {
      upload.resume();
    } else {
      upload.pause();
    }
  }

  async chooseAgain() {
    const { upload, context } = this;
    const picked = await context.pickOne();
    if (picked === null) return;
    context.uploader.dismiss(upload);
    context.take([picked]);
  }

  async cancelOrDismiss() {
    const { upload, context } = this;
    if (!ACTIVE.has(upload.state) && upload.state !== "paused") {
      context.uploader.dismiss(upload);
      return;
    }
    const words = {
      title: context.texts.say("cancelTitle", { name: upload.name }),
      body: context.texts.say("cancelBody", { size: context.texts.size(upload.offset) }),
      confirm: context.texts.say("cancelConfirm"),
      keep: context.texts.say("keep"),
    };
    // What has not begun may go without a question.
    if (upload.offset === 0 || (await context.confirm(words))) await upload.cancel();
  }
}
