// @ts-check
/**
 * What is on the server and what this browser remembers: loads both for the list, and says so where there is
 * nothing or where they cannot be had. Finished files come in pages, as the user reaches them.
 */

import { setWords, wordButton } from "./buttons.js";
import { problemWords } from "./describe.js";
import { el, setText } from "./dom.js";
import { FinishedRecords, merge } from "./finished-records.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */
/** @typedef {import("../chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./entry.js").Resumable} Resumable */

/** Number of unfinished uploads that the page loads. */
const MAX_UNFINISHED = 1000;
/** Finished files asked for at a time; the server may send fewer. */
const PER_PAGE = 50;

export class Files {
  element;
  #texts;
  #uploader;
  #standing;
  #catalog;
  #list;
  #account;
  /** Those that are loaded. */
  #finished = new FinishedRecords();
  /** How many there are on the server. */
  #total = 0;
  /** Number of the latest refresh. */
  #latest = 0;
  /** The loading of the next page. @type {Promise<boolean> | null} */
  #loading = null;
  #signedOut = false;
  #loaded = false;
  #message;
  #again;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "list" | "remembered" | "addEventListener">} parts.uploader
   * @param {Pick<import("./standing.js").Standing, "settled">} parts.standing
   * @param {import("./catalog.js").Catalog} parts.catalog
   * @param {Pick<import("./file-list.js").FileList, "arrange">} parts.list
   * @param {Pick<import("./account.js").Account, "canSignIn" | "signIn"> | null} parts.account Null where
   *   users do not sign in.
   */
  constructor(texts, { uploader, standing, catalog, list, account }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#standing = standing;
    this.#catalog = catalog;
    this.#list = list;
    this.#account = account;
    // The words that mostly come next have their place already: nothing moves when they come.
    this.#message = el(
      "p",
      { class: "cu-stack" },
      el("span", {}, texts.say("filesLoading")),
      el("span", { "aria-hidden": "true" }, texts.say("filesEmpty")),
    );
    this.#again = wordButton(texts.say("tryAgain"), {
      onclick: () => this.#tryAgain(),
      hidden: true,
    });
    this.element = el("div", { class: "cu-note", tabindex: "-1" }, this.#message, this.#again);
    uploader.addEventListener("added", () => this.#loaded && this.#say(null));
  }

  /** How many finished files there are, loaded or not. */
  get total() {
    return this.#total;
  }

  /**
   * Load the lists and show them. When several calls overlap, the result of the last one is shown.
   *
   * @returns {Promise<void>}
   */
  async refresh() {
    const request = (this.#latest += 1);
    const lists = Promise.all([
      this.#uploader.list({ status: 1, perPage: MAX_UNFINISHED, metadata: true }),
      this.#page(1),
    ]);
    lists.catch(() => {}); // it is awaited below
    const remembered = await this.#remembered();
    try {
      const [unfinished, finished] = await lists;
      if (request !== this.#latest) return;
      this.#total = finished.total;
      this.#finished.all = merge(
        finished.uploads,
        finished.next === null ? [] : this.#finished.all,
      );
      this.#show(merged(unfinished.uploads, remembered));
      this.#loaded = true;
      this.#sayEmpty();
    } catch (error) {
      if (request !== this.#latest) return;
      this.#loaded = false;
      if (isSignedOut(/** @type {UploadError} */ (error))) this.#forgetFinished();
      this.#show(merged([], remembered));
      this.#fail(/** @type {UploadError} */ (error));
    }
  }

  /** Take all files off the list that are not uploads of this page. */
  clear() {
    this.#latest += 1; // what is being loaded is not shown
    this.#forgetFinished();
    this.#show([]);
  }

  /** What the browser remembers, once it is known whose it is. */
  async #remembered() {
    await this.#standing.settled;
    return this.#uploader.remembered().catch(() => []);
  }

  /** Load the next page of finished files. @returns {Promise<boolean>} Whether there may be more. */
  loadMore() {
    if (!this.#loaded || this.#finished.length >= this.#total) return Promise.resolve(false);
    this.#loading ??= this.#loadNext().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Load all finished files. */
  async loadAll() {
    while (await this.loadMore());
  }

  /** Add an upload that has just finished. Its row is that of the upload. @param {UploadRecord} record */
  add(record) {
    this.#finished.add(record);
    this.#total += 1;
  }

  /** Take deleted files off the list. @param {(string | null)[]} uploadIds */
  drop(uploadIds) {
    const gone = new Set(uploadIds);
    const before = this.#finished.all;
    const left = before.filter((record) => !gone.has(record.upload_id));
    this.#total -= before.length - left.length;
    this.#finished.all = left;
    this.#catalog.setFinished(left);
    this.#list.arrange();
    this.#sayEmpty();
    void this.loadMore();
  }

  /** @returns {Promise<boolean>} */
  async #loadNext() {
    const before = this.#finished.length;
    const request = this.#latest;
    // Deleted and new files have moved the pages: what is loaded already is left out.
    let number = Math.floor(before / this.#perPage) + 1;
    for (;;) {
      const page = await this.#page(number).catch(() => null);
      if (page === null || request !== this.#latest) return false;
      this.#finished.all = merge(this.#finished.all, page.uploads);
      if (this.#finished.length > before || page.next === null) {
        this.#total = page.next === null ? this.#finished.length : page.total;
        break;
      }
      number += 1;
    }
    this.#catalog.setFinished(this.#finished.all);
    this.#list.arrange();
    return this.#finished.length < this.#total;
  }

  /** Number of finished files in the server's pages. */
  #perPage = PER_PAGE;

  /** @param {number} page */
  async #page(page) {
    const query = { status: /** @type {const} */ (2), page, perPage: PER_PAGE, metadata: true };
    const reply = await this.#uploader.list(query);
    this.#perPage = reply.per_page;
    return reply;
  }

  #forgetFinished() {
    this.#finished.all = [];
    this.#total = 0;
  }

  /** @param {Resumable[]} unfinished */
  #show(unfinished) {
    this.#catalog.setUnfinished(unfinished);
    this.#catalog.setFinished(this.#finished.all);
    this.#list.arrange();
  }

  #sayEmpty() {
    this.#say(this.#catalog.isEmpty && this.#total === 0 ? "filesEmpty" : null);
  }

  /** @param {UploadError} error */
  #fail(error) {
    this.#signedOut = this.#account !== null && isSignedOut(error);
    this.#say(this.#signedOut ? "filesSignedOut" : "filesFailed", problemWords(error, this.#texts));
    setWords(this.#again, this.#texts.say(this.#signedOut ? "signIn" : "tryAgain"));
    this.#again.hidden = this.#signedOut && !this.#account?.canSignIn;
  }

  /**
   * @param {import("./format.js").MessageKey | null} key
   * @param {string} [detail]
   */
  #say(key, detail = "") {
    this.#again.hidden = true;
    this.element.hidden = key === null;
    if (key !== null) setText(this.#message, this.#texts.say(key, { detail }));
  }

  async #tryAgain() {
    if (this.#signedOut) {
      this.#account?.signIn();
      return;
    }
    await this.refresh();
    if (this.#again.hidden) this.element.closest("section")?.focus();
  }
}

/**
 * Join the server's unfinished uploads with the browser's. The browser knows the id of one unless the page was
 * left before the server had answered; then the fingerprint tells which one it is.
 *
 * @param {UploadRecord[]} records
 * @param {Remembered[]} remembered
 * @returns {Resumable[]}
 */
function merged(records, remembered) {
  const own = new Map(remembered.map((one) => [one.uploadId ?? fileKey(one), one]));
  own.delete(null); // files of which no sample was read yet are not on the server
  const known = records.map((record) =>
    fromRecord(record, own.get(record.upload_id) ?? own.get(recordKey(record)) ?? null),
  );
  const joined = new Set(known.map((one) => one.remembered));
  const listed = new Set(known.map((one) => one.uploadId));
  const others = remembered.filter(
    (one) => !one.result && !joined.has(one) && !listed.has(one.uploadId),
  );
  return [...known, ...others.map(fromRemembered)];
}

/**
 * Return what a file is known by before the server has given it an id; null while that is unknown.
 *
 * @param {Pick<Remembered, "fingerprint" | "path" | "name">} file
 */
function fileKey({ fingerprint, path, name }) {
  return fingerprint && `${fingerprint} ${path || name}`;
}

/** Return the same of the server's record. @param {UploadRecord} record */
function recordKey({ filename: name, metadata = {} }) {
  const { fingerprint = null, relative_path: path = "" } = metadata;
  return fileKey({ fingerprint, path, name });
}

/** @param {UploadRecord} record @param {Remembered | null} remembered @returns {Resumable} */
function fromRecord(record, remembered) {
  const { upload_id: uploadId, filename, length: size, offset, expires } = record;
  const name = remembered?.name ?? filename;
  const path = remembered?.path || name;
  return { uploadId, name, path, size, offset, expires, remembered };
}

/** @param {Remembered} remembered @returns {Resumable} */
function fromRemembered(remembered) {
  const { uploadId, name, path, size, offset, expires } = remembered;
  return { uploadId, name, path: path || name, size, offset, expires, remembered };
}

/** @param {UploadError} error */
function isSignedOut({ status, detail }) {
  return status === 401 || (status === 403 && detail.startsWith("Authentication"));
}
