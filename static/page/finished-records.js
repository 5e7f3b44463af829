// @ts-check
/** The server's records of finished files that the page has, newest first. Thousands may finish one after the other. */

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

export class FinishedRecords {
  /** Newest first. @type {UploadRecord[]} */
  #listed = [];
  /** Finished since, newest last: each costs the same, however many there are. @type {UploadRecord[]} */
  #added = [];

  get all() {
    if (this.#added.length > 0) this.all = merge(this.#added.toReversed(), this.#listed);
    return this.#listed;
  }

  set all(records) {
    this.#listed = records;
    this.#added = [];
  }

  get length() {
    return this.#listed.length + this.#added.length;
  }

  /** @param {UploadRecord} record */
  add(record) {
    this.#added.push(record);
  }
}

/**
 * Join records, the first ones' order before the others'.
 *
 * @param {UploadRecord[]} first
 * @param {UploadRecord[]} others
 */
export function merge(first, others) {
  const known = new Set(first.map((record) => record.upload_id));
  return [...first, ...others.filter((record) => !known.has(record.upload_id))];
}
