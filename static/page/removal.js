// @ts-check
/** Deletes files on the server, finished or not, after asking. */

import { problemWords } from "./describe.js";
import { nameOf, uploadIdOf } from "./entry.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */
/** @typedef {import("./entry.js").Entry} Entry */

/** Requests that run at the same time. */
const SIMULTANEOUS = 4;

export class Removal {
  #texts;
  #parts;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "remove" | "forget" | "dismiss">} parts.uploader
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {import("./dialogs.js").Confirm} parts.confirm
   * @param {(removed: Entry[]) => void} parts.onRemoved
   */
  constructor(texts, parts) {
    this.#texts = texts;
    this.#parts = parts;
  }

  /**
   * Delete files, if the user confirms.
   *
   * @param {Entry[]} entries
   * @returns {Promise<boolean>} Whether the user did.
   */
  async remove(entries) {
    if (!(await this.#ask(entries))) return false;
    await this.#delete(entries);
    return true;
  }

  /** @param {Entry[]} entries */
  async #delete(entries) {
    const left = entries.values(); // which those that run at the same time share
    /** @type {Entry[]} */
    const removed = [];
    /** @type {unknown} */
    let problem;
    const run = async () => {
      for (const entry of left) {
        try {
          await this.#removeOne(entry);
          removed.push(entry);
        } catch (error) {
          problem = error;
        }
      }
    };
    await Promise.all(Array.from({ length: SIMULTANEOUS }, run));
    this.#parts.onRemoved(removed);
    this.#tell(entries, removed, problem);
  }

  /**
   * Delete an unfinished upload whose file has changed, if the user wants to upload the new version.
   *
   * @param {import("./entry.js").UnfinishedEntry} entry
   * @param {File} file The new version.
   * @returns {Promise<boolean>} Whether the user does.
   */
  async replace(entry, file) {
    const texts = this.#texts;
    const { path: name, size } = entry.resumable;
    const [before, now] = texts.sizes(size ?? 0, file.size);
    const isWanted = await this.#parts.confirm({
      title: texts.say("changedTitle", { name }),
      body: texts.say("changedBody", { before, now }),
      confirm: texts.say("changedConfirm"),
      keep: texts.say("notNow"),
    });
    if (!isWanted) return false;
    await this.#delete([entry]);
    return true;
  }

  /** @param {Entry[]} entries */
  #ask(entries) {
    const texts = this.#texts;
    const values = { count: entries.length, name: nameOf(entries[0]) };
    return this.#parts.confirm({
      title: texts.say(entries.length === 1 ? "deleteTitle" : "deleteSeveralTitle", values),
      body: texts.say(entries.length === 1 ? "deleteBody" : "deleteSeveralBody"),
      confirm: texts.say("deleteConfirm"),
      keep: texts.say(entries.length === 1 ? "keepFile" : "keepFiles"),
    });
  }

  /** @param {Entry} entry */
  async #removeOne(entry) {
    const { uploader } = this.#parts;
    if (entry.kind === "upload" && entry.upload.state !== "done") {
      await entry.upload.cancel();
      return;
    }
    const uploadId = uploadIdOf(entry);
    try {
      if (uploadId !== null) await uploader.remove(uploadId);
    } catch (error) {
      const { status } = /** @type {UploadError} */ (error);
      if (status !== 404 && status !== 410) throw error;
    }
    if (entry.kind === "unfinished" && entry.resumable.remembered) {
      await uploader.forget(entry.resumable.remembered);
    }
    if (entry.kind === "upload") uploader.dismiss(entry.upload);
  }

  /** @param {Entry[]} entries @param {Entry[]} removed @param {unknown} problem */
  #tell(entries, removed, problem) {
    const texts = this.#texts;
    const failed = entries.length - removed.length;
    if (failed > 0) {
      const gone = new Set(removed);
      const [first] = entries.filter((entry) => !gone.has(entry));
      const detail = problemWords(problem, texts);
      this.#parts.toasts.show(
        texts.say("deleteFailed", { count: failed, name: nameOf(first), detail }),
      );
    }
    if (removed.length > 0) {
      const values = { count: removed.length, name: nameOf(removed[0]) };
      this.#parts.announcer.say(texts.say("deleted", values));
    }
  }
}
