// @ts-check
/**
 * "My uploads": what the server keeps for this person, and what this browser remembers of unfinished
 * ones. Both are asked together and shown together, so that nothing jumps.
 */

import { setWords, wordButton } from "./buttons.js";
import { problemWords } from "./describe.js";
import { el, nextFrame, setText } from "./dom.js";
import { Finished } from "./finished.js";
import { Unfinished } from "./unfinished.js";

/** @typedef {import("../chunked-upload.js").UploadError} UploadError */
/** @typedef {import("../chunked-upload/types.js").UploadPage} UploadPage */
/** @typedef {import("./page.js").Context} Context */

/** As many unfinished uploads as the page looks for. */
const MOST_UNFINISHED = 200;

export class Files {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    const { texts } = context;
    this.showEmpty = this.showEmpty.bind(this);
    this.page = 1;
    this.asked = 0;
    this.signedOut = false;
    this.empty = false;
    this.unfinished = new Unfinished(context);
    this.finished = new Finished(context, {
      turnTo: (page) => this.refresh(page),
      onDeleted: () => this.refresh(),
    });
    this.message = el("p", {}, texts.say("filesLoading"));
    this.again = wordButton(texts.say("tryAgain"), {
      onclick: () => this.tryAgain(),
      hidden: true,
    });
    context.uploader.addEventListener("change", () => this.empty && nextFrame(this.showEmpty));
    this.note = el("div", { class: "cu-note" }, this.message, this.again);
    this.element = el(
      "section",
      {
        class: "cu-section cu-files",
        id: "cu-files",
        tabindex: "-1",
        "aria-labelledby": "cu-files-heading",
      },
      el("h2", { id: "cu-files-heading" }, texts.say("filesHeading")),
      this.note,
      this.unfinished.element,
      this.finished.element,
    );
  }

  /**
   * Ask again and show what is there. Of several askings the last one is shown.
   *
   * @param {number} [page] Page of the finished ones.
   * @returns {Promise<void>}
   */
  async refresh(page = this.page) {
    const asked = (this.asked += 1);
    this.page = page;
    const remembered = await this.context.uploader.remembered().catch(() => []);
    try {
      const [unfinished, finished] = await Promise.all([
        this.context.uploader.list({ status: 1, perPage: MOST_UNFINISHED }),
        this.context.uploader.list({ status: 2, page }),
      ]);
      if (asked !== this.asked) return;
      if (finished.uploads.length === 0 && page > 1) return await this.refresh(page - 1);
      this.unfinished.show(unfinished.uploads, remembered);
      this.finished.show(finished);
      this.empty = this.unfinished.size + finished.total === 0;
      this.showEmpty();
    } catch (error) {
      if (asked !== this.asked) return;
      this.unfinished.show([], remembered);
      this.fail(/** @type {UploadError} */ (error));
    }
  }

  /** Say so when there is nothing; and where it is, when it is on the list above. */
  showEmpty() {
    const above = this.context.uploader.uploads.some(({ state }) => state !== "failed");
    this.say(this.empty ? (above ? "filesAbove" : "filesEmpty") : null);
  }

  /** @param {UploadError} error */
  fail(error) {
    const { texts, canSignIn, config } = this.context;
    this.empty = false;
    this.signedOut = config.signIn.with !== null && isSignedOut(error);
    if (this.signedOut) this.finished.element.hidden = true;
    this.say(this.signedOut ? "filesSignedOut" : "filesFailed", problemWords(error, texts));
    setWords(this.again, texts.say(this.signedOut ? "signIn" : "tryAgain"));
    this.again.hidden = this.signedOut && !canSignIn;
  }

  /**
   * @param {import("./text.js").MessageKey | null} key
   * @param {string} [detail]
   */
  say(key, detail = "") {
    this.again.hidden = true;
    this.note.hidden = key === null;
    if (key !== null) setText(this.message, this.context.texts.say(key, { detail }));
  }

  async tryAgain() {
    if (this.signedOut) this.context.signInAgain();
    else await this.refresh();
    if (this.note.hidden) this.element.focus();
  }
}

/** @param {UploadError} error */
function isSignedOut({ status, detail }) {
  return status === 401 || (status === 403 && detail.startsWith("Authentication"));
}
