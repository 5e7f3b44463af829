// @ts-check
/**
 * All files of the list: the uploads of this page, the unfinished ones from before, and the finished ones on
 * the server. A file that is known in several ways is listed once.
 */

import { groupOf, pathOf, sizeOf } from "./entry.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./entry.js").FinishedEntry} FinishedEntry */
/** @typedef {import("./entry.js").GroupName} GroupName */
/** @typedef {import("./entry.js").Resumable} Resumable */
/** @typedef {import("./entry.js").UnfinishedEntry} UnfinishedEntry */
/** @typedef {import("./entry.js").UploadEntry} UploadEntry */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

/** @typedef {"newest" | "name" | "largest"} Order */

/** @type {GroupName[]} */
export const GROUPS = ["uploading", "needs", "done"];

export class Catalog {
  /** @type {Map<Upload, UploadEntry>} */
  #uploads = new Map();
  /** @type {UnfinishedEntry[]} */
  #unfinished = [];
  /** By the server's id, newest first. @type {Map<string, FinishedEntry>} */
  #finished = new Map();

  /** @param {Upload} upload */
  add(upload) {
    this.#uploads.set(upload, { key: upload.id, kind: "upload", upload, notice: "" });
  }

  /** @param {Upload} upload */
  remove(upload) {
    this.#uploads.delete(upload);
  }

  /** @param {Upload} upload */
  entryOf(upload) {
    return this.#uploads.get(upload);
  }

  /** Whether no file is known, shown or not. */
  get isEmpty() {
    return this.entries().next().done === true;
  }

  get uploadCount() {
    return this.#uploads.size;
  }

  /** The uploads of this page. */
  get uploads() {
    return [...this.#uploads.keys()];
  }

  /** The unfinished uploads from before that do not run on this page. */
  get unfinished() {
    const entries = [...this.entries()];
    return entries.flatMap((entry) => (entry.kind === "unfinished" ? entry.resumable : []));
  }

  /** @param {Resumable[]} resumables */
  setUnfinished(resumables) {
    const before = new Map(this.#unfinished.map((entry) => [entry.key, entry]));
    this.#unfinished = resumables.map((resumable) => {
      const key = `unfinished ${resumable.uploadId ?? resumable.remembered?.id}`;
      const known = before.get(key);
      // An entry that says the same stays, and its row keeps the focus.
      if (known?.resumable.offset === resumable.offset) return known;
      return { key, kind: /** @type {const} */ ("unfinished"), resumable };
    });
  }

  /** @param {Resumable} resumable */
  dropUnfinished(resumable) {
    this.#unfinished = this.#unfinished.filter((entry) => entry.resumable !== resumable);
  }

  /** @param {UploadRecord[]} records Newest first. */
  setFinished(records) {
    const before = this.#finished;
    this.#finished = new Map();
    for (const record of records) {
      const id = record.upload_id;
      const made = { key: id, kind: /** @type {const} */ ("finished"), record };
      this.#finished.set(id, before.get(id) ?? made);
    }
  }

  /**
   * Return the files of each group.
   *
   * @param {{search?: string, order?: Order}} [options] `search`: only files with this in their path.
   * @returns {Record<GroupName, Entry[]>}
   */
  grouped({ search = "", order = "newest" } = {}) {
    /** @type {Record<GroupName, Entry[]>} */
    const groups = { uploading: [], needs: [], done: [] };
    const wanted = fold(search.trim());
    for (const entry of this.entries()) {
      if (wanted === "" || fold(pathOf(entry)).includes(wanted)) groups[groupOf(entry)].push(entry);
    }
    // What was uploaded here comes in the order of adding, before the server's files: the newest is the last.
    if (order === "newest") groups.done = newestFirst(groups.done);
    else for (const group of GROUPS) groups[group].sort(COMPARE[order]);
    return groups;
  }

  /** Return every file once. @returns {Iterator<Entry> & Iterable<Entry>} */
  *entries() {
    /** Ids of the uploads of this page. */
    const present = new Set();
    /** Their files; and those of which it is not known yet whether they resume an unfinished upload. */
    const [added, undecided] = [new Set(), new Set()];
    for (const entry of this.#uploads.values()) {
      const { uploadId, size, state } = entry.upload;
      if (uploadId !== null) present.add(uploadId);
      yield entry;
      if (this.#unfinished.length === 0) continue;
      const file = `${size} ${pathOf(entry)}`;
      added.add(file);
      if (uploadId === null && state !== "failed") undecided.add(file);
    }
    for (const entry of this.#unfinished) {
      const { uploadId, size, path } = entry.resumable;
      const file = `${size} ${path}`;
      const runs = uploadId === null ? added.has(file) : present.has(uploadId);
      if (!runs && !undecided.has(file)) yield entry;
    }
    for (const [id, entry] of this.#finished) {
      if (!present.has(id)) yield entry;
    }
  }
}

/** @type {Record<Exclude<Order, "newest">, (a: Entry, b: Entry) => number>} */
const COMPARE = {
  name: (a, b) => collator.compare(pathOf(a), pathOf(b)),
  largest: (a, b) => sizeOf(b) - sizeOf(a),
};

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** @param {Entry[]} entries */
function newestFirst(entries) {
  const own = entries.findIndex(({ kind }) => kind !== "upload");
  const count = own === -1 ? entries.length : own;
  return [...entries.slice(0, count).reverse(), ...entries.slice(count)];
}

/** Fold case and accents apart from each other, as people search. @param {string} text */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
