// @ts-check
/**
 * "My uploads": the uploads that the server keeps for this user, and the unfinished ones that this browser
 * remembers. Both are loaded and shown together, so that nothing jumps.
 */

import { setWords, wordButton } from "./buttons.js";
import { problemWords } from "./describe.js";
import { el, nextFrame, setText } from "./dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */

/** Number of unfinished uploads that the page loads. */
const MAX_UNFINISHED = 200;

export class Files {
  element;
  #texts;
  #uploader;
  #unfinished;
  #finished;
  #account;
  /** Page of the finished uploads. */
  #page = 1;
  /** Number of the latest request. */
  #latest = 0;
  #signedOut = false;
  #empty = false;
  #message;
  #again;
  #note;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "uploads" | "list" | "remembered" | "addEventListener">} parts.uploader
   * @param {import("./unfinished.js").Unfinished} parts.unfinished
   * @param {import("./finished.js").Finished} parts.finished
   * @param {Pick<import("./account.js").Account, "canSignIn" | "signIn"> | null} parts.account Null where
   *   users do not sign in.
   */
  constructor(texts, { uploader, unfinished, finished, account }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#unfinished = unfinished;
    this.#finished = finished;
    this.#account = account;
    this.#message = el("p", {}, texts.say("filesLoading"));
    this.#again = wordButton(texts.say("tryAgain"), {
      onclick: () => this.#tryAgain(),
      hidden: true,
    });
    uploader.addEventListener("change", () => this.#empty && nextFrame(this.#showEmpty));
    this.#note = el("div", { class: "cu-note" }, this.#message, this.#again);
    this.element = el(
      "section",
      {
        class: "cu-section cu-files",
        id: "cu-files",
        tabindex: "-1",
        "aria-labelledby": "cu-files-heading",
      },
      el("h2", { id: "cu-files-heading" }, texts.say("filesHeading")),
      this.#note,
      unfinished.element,
      finished.element,
    );
  }

  /**
   * Load the lists and show them. When several calls overlap, the result of the last one is shown.
   *
   * @param {number} [page] Page of the finished uploads.
   * @returns {Promise<void>}
   */
  async refresh(page = this.#page) {
    const request = (this.#latest += 1);
    this.#page = page;
    const remembered = await this.#uploader.remembered().catch(() => []);
    try {
      const [unfinished, finished] = await Promise.all([
        this.#uploader.list({ status: 1, perPage: MAX_UNFINISHED }),
        this.#uploader.list({ status: 2, page }),
      ]);
      if (request !== this.#latest) return;
      if (finished.uploads.length === 0 && page > 1) return await this.refresh(page - 1);
      this.#unfinished.show(unfinished.uploads, remembered);
      this.#finished.show(finished);
      this.#empty = this.#unfinished.size + finished.total === 0;
      this.#showEmpty();
    } catch (error) {
      if (request !== this.#latest) return;
      this.#unfinished.show([], remembered);
      this.#fail(/** @type {UploadError} */ (error));
    }
  }

  // A field, since `nextFrame` knows a task by its identity.
  /** Show a message when there is nothing; and where the files are, when they are in the list above. */
  #showEmpty = () => {
    const above = this.#uploader.uploads.some(({ state }) => state !== "failed");
    this.#say(this.#empty ? (above ? "filesAbove" : "filesEmpty") : null);
  };

  /** @param {UploadError} error */
  #fail(error) {
    this.#empty = false;
    this.#signedOut = this.#account !== null && isSignedOut(error);
    if (this.#signedOut) this.#finished.element.hidden = true;
    this.#say(this.#signedOut ? "filesSignedOut" : "filesFailed", problemWords(error, this.#texts));
    setWords(this.#again, this.#texts.say(this.#signedOut ? "signIn" : "tryAgain"));
    this.#again.hidden = this.#signedOut && !this.#account?.canSignIn;
  }

  /**
   * @param {import("./text.js").MessageKey | null} key
   * @param {string} [detail]
   */
  #say(key, detail = "") {
    this.#again.hidden = true;
    this.#note.hidden = key === null;
    if (key !== null) setText(this.#message, this.#texts.say(key, { detail }));
  }

  async #tryAgain() {
    if (this.#signedOut) this.#account?.signIn();
    else await this.refresh();
    if (this.#note.hidden) this.element.focus();
  }
}

/** @param {UploadError} error */
function isSignedOut({ status, detail }) {
  return status === 401 || (status === 403 && detail.startsWith("Authentication"));
}
