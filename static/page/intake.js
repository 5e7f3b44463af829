// @ts-check
/**
 * What happens to files between being chosen and being uploaded: junk is left out, and so is a file that needs
 * more than what is left of the quota; both are said. Thousands of files are added bit by bit, so that the
 * page stays usable.
 */

import { isJunk } from "./junk.js";

/** @typedef {import("./picker.js").Picked} Picked */
/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */

/** Milliseconds for which files are added before the page may draw and listen. */
const WITHOUT_BREATH = 30;
/** Names that are said; of more, how many there are. */
const MOST_NAMES = 3;
/** Unfinished uploads that are looked through for one to resume. */
const MOST_UNFINISHED = 200;

export class Intake {
  #texts;
  #uploader;
  #announcer;
  #toasts;
  #standing;
  #onProgress;
  /** The batches before, so that files keep their order. @type {Promise<void>} */
  #before = Promise.resolve();

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "add" | "list" | "remembered">} parts.uploader
   * @param {import("./announce.js").Announcer} parts.announcer
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {import("./standing.js").Standing} parts.standing
   * @param {(words: string) => void} parts.onProgress Called while many files are added; empty at the end.
   */
  constructor(texts, { uploader, announcer, toasts, standing, onProgress }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#announcer = announcer;
    this.#toasts = toasts;
    this.#standing = standing;
    this.#onProgress = onProgress;
  }

  /**
   * Upload files, after all that were taken before.
   *
   * @param {Picked[]} picked
   * @returns {Promise<void>}
   */
  take(picked) {
    const taken = this.#before.then(() => this.#take(picked));
    this.#before = taken.catch(() => {}); // what fails for some files does not concern the next ones
    return taken;
  }

  /** @param {Picked[]} picked */
  async #take(picked) {
    const wanted = picked.filter((one) => !isJunk(one));
    if (wanted.length < picked.length) this.#sayJunk(picked.filter(isJunk));
    const fitting = await this.#withinQuota(wanted);
    let since = performance.now();
    for (const [at, one] of fitting.entries()) {
      if (performance.now() - since > WITHOUT_BREATH) {
        await this.#breathe(at, fitting.length);
        since = performance.now();
      }
      this.#add(one);
    }
    this.#onProgress("");
    const count = fitting.length;
    if (count > 0) this.#announcer.say(this.#texts.say("addedFiles", { count }));
  }

  /** @param {Picked} picked */
  #add({ file, handle = null, path }) {
    this.#uploader.add(file, { handle, metadata: path ? { relative_path: path } : {} });
  }

  /** @param {number} done @param {number} count @returns {Promise<void>} */
  #breathe(done, count) {
    this.#onProgress(this.#texts.say("addingFiles", { done, count }));
    return new Promise((resolve) => setTimeout(resolve));
  }

  /** @param {Picked[]} junk */
  #sayJunk(junk) {
    const names = [...new Set(junk.map(({ file }) => file.name))];
    this.#say("junkLeftOut", junk.length, names);
  }

  /**
   * @param {"junkLeftOut" | "emptyFolders" | "overQuotaMany"} key
   * @param {number} count
   * @param {string[]} names
   * @param {Record<string, string>} [others] Further values of the text.
   */
  #say(key, count, names, others = {}) {
    const shown = names.slice(0, MOST_NAMES).join(", ");
    const words = names.length > MOST_NAMES ? `${shown}, …` : shown;
    this.#toasts.show(this.#texts.say(key, { count, names: words, ...others }));
  }

  /** Say that folders had nothing in them. @param {string[]} names */
  sayEmpty(names) {
    if (names.length > 0) this.#say("emptyFolders", names.length, names);
  }

  /**
   * Leave out what the server would refuse for lack of space. One that resumes an unfinished upload stays:
   * its space is held already.
   *
   * @param {Picked[]} picked
   * @returns {Promise<Picked[]>}
   */
  async #withinQuota(picked) {
    const bytes = this.#standing.account?.quota?.bytes;
    if (!bytes || picked.every(({ file }) => file.size <= bytes.left)) return picked;
    const held = await this.#unfinished();
    const fits = (/** @type {Picked} */ { file }) =>
      file.size <= bytes.left || held.has(keyOf(file.name, file.size));
    this.#sayTooLarge(
      picked.filter((one) => !fits(one)).map(({ file }) => file),
      bytes.left,
    );
    return picked.filter(fits);
  }

  /** @returns {Promise<Set<string>>} */
  async #unfinished() {
    const query = { status: /** @type {const} */ (1), perPage: MOST_UNFINISHED };
    const [remembered, listed] = await Promise.all([
      this.#uploader.remembered().catch(() => []),
      this.#uploader.list(query).catch(() => ({ uploads: [] })),
    ]);
    return new Set([
      ...remembered.map(({ name, size }) => keyOf(name, size)),
      ...listed.uploads.map(({ filename, length }) => keyOf(filename, length)),
    ]);
  }

  /** @param {File[]} files @param {number} free Bytes. */
  #sayTooLarge(files, free) {
    const texts = this.#texts;
    const left = texts.size(free);
    if (files.length === 1) {
      const [{ name, size }] = files;
      this.#toasts.show(texts.say("overQuota", { name, size: texts.size(size), left }));
    } else if (files.length > 1) {
      const names = files.map(({ name }) => name);
      this.#say("overQuotaMany", files.length, names, { left });
    }
  }
}

/** @param {string} name @param {number | null} size */
function keyOf(name, size) {
  return `${size} ${name}`;
}
