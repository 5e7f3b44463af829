/**
 * The unfinished uploads that this browser knows of, in IndexedDB: localStorage cannot hold the handles
 * by which files are opened again. Where the browser stores nothing (private windows, blocked site
 * data), uploads still work but resume less often. So no failure here is an error: the entry is lost.
 */

/** @typedef {import("./types.js").Remembered} Remembered */

const DATABASE = "chunked-upload";
const STORE = "uploads";
/** Milliseconds that a finished upload is kept, for other tabs that wait with the same file. */
const FINISHED_FOR = 3_600_000;

export class ResumeStore {
  #endpoint;
  /** @type {Promise<IDBDatabase | null> | null} */
  #opened = null;

  /** @param {string} endpoint */
  constructor(endpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * Return the unfinished uploads, newest first. Outdated ones are removed.
   *
   * @returns {Promise<Remembered[]>}
   */
  async all() {
    /** @type {Remembered[]} */
    const found = (await this.#do("readonly", (store) => store.getAll())) ?? [];
    const own = found.filter((record) => record.endpoint === this.#endpoint);
    for (const record of own.filter(isOutdated)) this.forget(record.uploadId);
    const unfinished = own.filter((record) => !record.result && !isOutdated(record));
    return unfinished.sort((a, b) => b.updated - a.updated);
  }

  /**
   * Return the newest upload with that fingerprint or name, finished ones included.
   *
   * @param {"fingerprint" | "name"} index
   * @param {string} value
   * @returns {Promise<Remembered | null>}
   */
  async find(index, value) {
    const key = [this.#endpoint, value];
    /** @type {Remembered[]} */
    const found = (await this.#do("readonly", (store) => store.index(index).getAll(key))) ?? [];
    const current = found.filter((record) => !isOutdated(record));
    return current.sort((a, b) => b.updated - a.updated)[0] ?? null;
  }

  /** @param {Omit<Remembered, "endpoint" | "updated">} upload */
  async keep(upload) {
    const record = { ...upload, endpoint: this.#endpoint, updated: Date.now() };
    const kept = await this.#do("readwrite", (store) => store.put(record));
    if (kept === null && record.handle) {
      // Some handles cannot be stored. Without one the user picks the file again.
      await this.#do("readwrite", (store) => store.put({ ...record, handle: null }));
    }
  }

  /** @param {string} uploadId */
  async forget(uploadId) {
    await this.#do("readwrite", (store) => store.delete([this.#endpoint, uploadId]));
  }

  async close() {
    const database = await this.#opened;
    this.#opened = null;
    database?.close();
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   * @returns {Promise<any>} The request's result; null when it failed.
   */
  async #do(mode, action) {
    this.#opened ??= this.#open();
    const database = await this.#opened;
    if (!database) return null;
    return new Promise((resolve) => {
      try {
        const request = action(database.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result ?? undefined);
        request.onerror = () => resolve(null);
      } catch {
        resolve(null); // the database was closed meanwhile, or the record cannot be cloned
      }
    });
  }

  /** @returns {Promise<IDBDatabase | null>} */
  #open() {
    return new Promise((resolve) => {
      /** @type {IDBOpenDBRequest} */
      let request;
      try {
        request = indexedDB.open(DATABASE, 1);
      } catch {
        return resolve(null);
      }
      request.onupgradeneeded = () => {
        const store = request.result.createObjectStore(STORE, {
          keyPath: ["endpoint", "uploadId"],
        });
        store.createIndex("fingerprint", ["endpoint", "fingerprint"]);
        store.createIndex("name", ["endpoint", "name"]);
      };
      request.onsuccess = () => {
        // Another tab needs a newer version: close, and open again when needed.
        request.result.onversionchange = () => this.close();
        resolve(request.result);
      };
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    });
  }
}

/** @param {Remembered} record */
function isOutdated({ result, updated, expires }) {
  if (result) return updated + FINISHED_FOR < Date.now();
  return expires !== null && Date.parse(expires) < Date.now();
}
