/**
 * The files that are not uploaded yet, in IndexedDB: localStorage cannot hold the handles by which files
 * are opened again. A file is stored when it is added, before its first byte is sent. Where the browser
 * stores nothing (private windows, blocked site data, a full disk), uploads still work, but files must be
 * chosen again after a reload. So no failure here is an error: `keep` says whether the entry was stored.
 */

/** @typedef {import("./types.js").Remembered} Remembered */
/** @typedef {{action: (store: IDBObjectStore) => IDBRequest, resolve: (result: any) => void}} Lookup */

const DATABASE = "chunked-upload";
const VERSION = 2;
const STORE = "files";
/** The store of version 1, whose key was the server's id. */
const OLD_STORE = "uploads";
/** Milliseconds that an older version of the database may stay open in another tab. */
const BLOCKED_FOR = 2000;
/** Milliseconds that a finished upload is kept, for other tabs that wait with the same file. */
const FINISHED_FOR = 3_600_000;
/** Entries that are looked up, or written, before the page may draw again. */
const TOGETHER = 100;

/** Return a key for a new entry. `crypto.randomUUID` is missing outside of HTTPS. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(36)).join("");
}

export class ResumeStore {
  /** Whose entries are found; null: those of nobody in particular. @type {string | null} */
  user = null;
  /** Files that are being stored for the first time. */
  unstored = 0;
  #endpoint;
  /** @type {Promise<IDBDatabase | null> | null} */
  #opened = null;
  /** Entries to write, by key; null deletes one. @type {Map<string, Remembered | null>} */
  #changes = new Map();
  /** @type {Promise<boolean> | null} */
  #writing = null;
  /** @type {Lookup[]} */
  #lookups = [];
  /** @type {Promise<void> | null} */
  #reading = null;
  #hasFailed = false;

  /** @param {string} endpoint */
  constructor(endpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * Return the files that are not uploaded yet, newest first. Outdated entries are removed.
   *
   * @param {number | null} now The server's time; null while unknown: then nothing counts as expired.
   * @returns {Promise<Remembered[]>}
   */
  async all(now) {
    /** @type {Remembered[]} */
    const found = (await this.#read((store) => store.getAll())) ?? [];
    const own = found.filter(
      (record) => record.endpoint === this.#endpoint && this.#isOfUser(record),
    );
    const outdated = own.filter((record) => isOutdated(record, now));
    for (const record of outdated) this.forget(record.id);
    const unfinished = own.filter((record) => !record.result && !outdated.includes(record));
    return unfinished.sort((a, b) => b.updated - a.updated);
  }

  /**
   * Return the entries with that fingerprint or name, newest first, finished ones included.
   *
   * @param {"fingerprint" | "name"} index
   * @param {string} value
   * @returns {Promise<Remembered[]>}
   */
  async find(index, value) {
    const key = [this.#endpoint, value];
    /** @type {Remembered[]} */
    const found = (await this.#read((store) => store.index(index).getAll(key))) ?? [];
    const current = found.filter((record) => this.#isOfUser(record) && !isOutdated(record, null));
    return current.sort((a, b) => b.updated - a.updated);
  }

  /**
   * @param {Omit<Remembered, "endpoint" | "updated">} file
   * @returns {Promise<boolean>} Whether it was stored.
   */
  keep(file) {
    return this.#change(file.id, { ...file, endpoint: this.#endpoint, updated: Date.now() });
  }

  /** @param {string} id */
  async forget(id) {
    await this.#change(id, null);
  }

  /** Return whether this is the first time that something could not be stored. */
  isFirstFailure() {
    const isFirst = !this.#hasFailed;
    this.#hasFailed = true;
    return isFirst;
  }

  /** @param {Remembered} record One from before has no user. */
  #isOfUser({ user = null }) {
    return user === this.user;
  }

  async close() {
    await this.#reading;
    await this.#writing;
    const database = await this.#opened;
    this.#opened = null;
    database?.close();
  }

  /**
   * Write soon, together with what else changes: thousands of files may be added at once.
   *
   * @param {string} id
   * @param {Remembered | null} record
   */
  #change(id, record) {
    this.#changes.set(id, record);
    this.#writing ??= Promise.resolve().then(() => this.#write());
    return this.#writing;
  }

  async #write() {
    const database = await this.#database();
    this.#writing = null;
    const changes = this.#changes;
    this.#changes = new Map();
    if (!database) return false;
    try {
      const transaction = database.transaction(STORE, "readwrite");
      const success = succeeds(transaction);
      const store = transaction.objectStore(STORE);
      let number = 0;
      for (const [id, record] of changes) {
        const request = record === null ? store.delete(id) : put(store, record);
        if ((number += 1) % TOGETHER === 0) await over(request);
      }
      return await success;
    } catch {
      return false; // the database was closed meanwhile
    }
  }

  /**
   * Read soon, together with what else is looked up: thousands of files may be added at once.
   *
   * @param {(store: IDBObjectStore) => IDBRequest} action
   * @returns {Promise<any>} The request's result; null when it failed.
   */
  #read(action) {
    return new Promise((resolve) => {
      this.#lookups.push({ action, resolve });
      this.#reading ??= this.#readAll();
    });
  }

  async #readAll() {
    /** @type {IDBDatabase | null} */
    let database;
    do {
      await this.#writing; // what was kept before is found
      database = await this.#database();
    } while (this.#writing !== null);
    this.#reading = null;
    const lookups = this.#lookups;
    this.#lookups = [];
    for (let at = 0; at < lookups.length; at += TOGETHER) {
      const some = lookups.slice(at, at + TOGETHER);
      const found = database ? await readTogether(database, some) : [];
      for (const [number, { resolve }] of some.entries()) resolve(found[number] ?? null);
    }
  }

  #database() {
    return (this.#opened ??= this.#open());
  }

  /** @returns {Promise<IDBDatabase | null>} */
  #open() {
    return new Promise((resolve) => {
      /** @type {IDBOpenDBRequest} */
      let request;
      try {
        request = indexedDB.open(DATABASE, VERSION);
      } catch {
        return resolve(null);
      }
      request.onupgradeneeded = () => upgrade(request.result, request.transaction);
      request.onsuccess = () => {
        // Another tab needs a newer version: close, and open again when needed.
        request.result.onversionchange = () => this.close();
        resolve(request.result);
      };
      request.onerror = () => resolve(null);
      // Another tab closes an older version as soon as it has written; it need not be waited for longer.
      request.onblocked = () => setTimeout(() => resolve(null), BLOCKED_FOR);
    });
  }
}

/**
 * @param {IDBDatabase} database
 * @param {IDBTransaction | null} transaction
 */
function upgrade(database, transaction) {
  const store = database.createObjectStore(STORE, { keyPath: "id" });
  store.createIndex("fingerprint", ["endpoint", "fingerprint"]);
  store.createIndex("name", ["endpoint", "name"]);
  if (!database.objectStoreNames.contains(OLD_STORE)) return;
  const old = transaction?.objectStore(OLD_STORE).getAll();
  if (!old) return;
  old.onsuccess = () => {
    for (const record of old.result) store.put({ path: "", ...record, id: newKey() });
    database.deleteObjectStore(OLD_STORE);
  };
}

/**
 * @param {IDBObjectStore} store
 * @param {Remembered} record
 */
function put(store, record) {
  try {
    return store.put(record);
  } catch {
    // Some handles cannot be stored. Without one the user picks the file again.
    return store.put({ ...record, handle: null });
  }
}

/**
 * @param {IDBDatabase} database
 * @param {Lookup[]} lookups
 * @returns {Promise<any[]>} Their results; none when one of them failed.
 */
async function readTogether(database, lookups) {
  try {
    const transaction = database.transaction(STORE, "readonly");
    const store = transaction.objectStore(STORE);
    const requests = lookups.map(({ action }) => action(store));
    return (await succeeds(transaction)) ? requests.map(({ result }) => result) : [];
  } catch {
    return []; // the database was closed meanwhile
  }
}

/**
 * Wait for a request, whatever comes of it.
 *
 * @param {IDBRequest} request
 * @returns {Promise<void>}
 */
function over(request) {
  return new Promise((resolve) => {
    request.onsuccess = request.onerror = () => resolve();
  });
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<boolean>}
 */
function succeeds(transaction) {
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () => resolve(false); // the disk is full, for example
  });
}

/**
 * @param {Remembered} record
 * @param {number | null} now
 */
function isOutdated({ result, updated, expires }, now) {
  if (result) return updated + FINISHED_FOR < Date.now();
  return now !== null && expires !== null && Date.parse(expires) < now;
}
