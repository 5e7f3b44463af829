/**
 * The way to send to servers that do not speak the draft: django-chunked-upload's chunks
 * (docs/protocol.md). A chunk that breaks off is dropped, so chunks are short.
 */

import { readReply } from "./replies.js";

/**
 * What the server has stored.
 *
 * @typedef {object} Stored
 * @property {number} offset
 * @property {string | null} expires
 * @property {number | null} [most] Bytes that a request may have, if the server says so.
 */

/**
 * @typedef {object} Sending
 * @property {AbortSignal} signal
 * @property {(loaded: number) => void} onProgress
 * @property {() => void} [onSent] All bytes are on their way.
 */

export class Chunks {
  keepsPrefix = false;
  #server;
  #fieldName;

  /**
   * @param {import("./server.js").Server} server
   * @param {string} fieldName
   */
  constructor(server, fieldName) {
    this.#server = server;
    this.#fieldName = fieldName;
  }

  /**
   * Send the first chunk, which creates the upload. It is a form, since it carries the metadata.
   *
   * @param {File} file
   * @param {number} most Bytes that a request may have.
   * @param {Record<string, string>} metadata
   * @param {Sending} sending
   * @returns {Promise<Stored & {uploadId: string}>}
   */
  async create(file, most, metadata, sending) {
    const stop = Math.min(most, file.size);
    const form = new FormData();
    for (const [name, value] of Object.entries(metadata)) form.append(name, value);
    form.append(this.#fieldName, file.slice(0, stop), file.name);
    const headers = contentRange(0, stop, file.size);
    const reply = await this.#server.send("POST", "", { body: form, headers, ...sending });
    const { upload_id: uploadId, offset, expires } = readReply(reply, "");
    return { uploadId, offset, expires };
  }

  /**
   * Send a later chunk: the bytes alone.
   *
   * @param {string} uploadId
   * @param {Blob} bytes
   * @param {{start: number, size: number}} range Where they begin, and the file's size.
   * @param {Sending} sending
   * @returns {Promise<Stored>}
   */
  async append(uploadId, bytes, { start, size }, sending) {
    const headers = {
      ...contentRange(start, start + bytes.size, size),
      "Content-Type": "application/octet-stream",
    };
    const reply = await this.#server.send("PUT", uploadId, { body: bytes, headers, ...sending });
    return readReply(reply, uploadId);
  }

  /** There is nothing to keep of a chunk that is under way. */
  async settle() {}
}

/**
 * @param {number} start
 * @param {number} stop
 * @param {number} total
 * @returns {Record<string, string>} Empty for an empty file, which has no byte range.
 */
function contentRange(start, stop, total) {
  return total ? { "Content-Range": `bytes ${start}-${stop - 1}/${total}` } : {};
}
