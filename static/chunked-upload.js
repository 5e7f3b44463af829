// @ts-check
/**
 * Resumable uploads from a browser, for the chunked-upload service. No framework, no build step:
 *
 *     import { ChunkedUploader } from "/static/chunked-upload.js";
 *
 *     const uploader = new ChunkedUploader({ endpoint: "/uploads/" });
 *     const upload = uploader.add(input.files[0]);
 *     upload.addEventListener("progress", ({ detail }) => (bar.value = detail.sent / detail.size));
 *     upload.addEventListener("done", ({ detail }) => show(detail.result.url));
 *     upload.addEventListener("error", ({ detail }) => say(detail.error.message));
 *
 * Files go in chunks, so many at a time; a lost connection, a restarted server, a reloaded page and
 * another browser of the same user all go on where the server stands. The MD5 is computed in a worker
 * meanwhile, so that the server can check it at the end. docs/client-library.md has the recipes.
 *
 * SKELETON: the interface is settled, the inside follows.
 */

/** @typedef {import("./chunked-upload/types.js").UploaderOptions} UploaderOptions */
/** @typedef {import("./chunked-upload/types.js").AddOptions} AddOptions */
/** @typedef {import("./chunked-upload/types.js").UploadState} UploadState */
/** @typedef {import("./chunked-upload/types.js").Waiting} Waiting */
/** @typedef {import("./chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./chunked-upload/types.js").UploadPage} UploadPage */
/** @typedef {import("./chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("./chunked-upload/types.js").ErrorCode} ErrorCode */

/** Why an upload failed: `code` for programs, `message` in English, `status` and `detail` the server's. */
export class UploadError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {{status?: number, detail?: string, data?: Record<string, unknown>, cause?: unknown}} [more]
   */
  constructor(code, { status = 0, detail = "", data = {}, cause } = {}) {
    super(detail || code, { cause });
    this.name = "UploadError";
    this.code = code;
    /** HTTP status of the refusal; 0 where there was none. */
    this.status = status;
    /** What the server said, in its own words. */
    this.detail = detail;
    this.data = data;
  }
}

/**
 * One file on its way. Made by `uploader.add`.
 *
 * Events: `statechange` (detail: `StateChange`), `progress` (`Progress`), `done` (`{result}`),
 * `error` (`{error}`), `notice` (`Notice`).
 */
export class Upload extends EventTarget {
  /** @param {ChunkedUploader} uploader @param {File} file @param {AddOptions} options */
  constructor(uploader, file, options) {
    super();
    /** Unique within this page. @type {string} */
    this.id = "";
    this.uploader = uploader;
    this.file = file;
    this.options = options;
    /** The server's id; null until the first chunk is stored. @type {string | null} */
    this.uploadId = null;
    /** Bytes the server has confirmed. */
    this.offset = 0;
    /** Those and the ones on their way; for progress bars. */
    this.sent = 0;
    /** @type {UploadState} */
    this.state = "queued";
    /** Why it waits, while `state` is `waiting`. @type {Waiting | null} */
    this.waiting = null;
    /** @type {UploadError | null} */
    this.error = null;
    /** The server's record of the finished file. @type {UploadRecord | null} */
    this.result = null;
    /** When the server gives up the unfinished upload (ISO 8601). @type {string | null} */
    this.expires = null;
    /** Bytes per second, smoothed; 0 while unknown. */
    this.speed = 0;
    /** @type {number | null} */
    this.secondsLeft = null;
  }

  get name() {
    return this.file.name;
  }
  get size() {
    return this.file.size;
  }
  /** Stop sending; what the server has stays. */
  pause() {}
  /** Go on after `pause()`; while it waits: try right now (after signing in, say). */
  resume() {}
  /** After `failed`: try again. After a checksum mismatch the server's copy is removed first. */
  retry() {}
  /** Give up, and remove it from the server. Resolves to whether the server confirmed. @returns {Promise<boolean>} */
  async cancel() {
    return true;
  }
}

/**
 * Uploads files, a bounded number at a time.
 *
 * Events: `added` and `removed` (detail: `{upload}`), `change` (`{upload}`: state, error, or notice of one),
 * `progress` (`TotalProgress`), `idle` (nothing is left to do by itself).
 */
export class ChunkedUploader extends EventTarget {
  /**
   * @param {UploaderOptions} [options]
   * @throws {TypeError} for an option that cannot work, saying what is expected.
   */
  constructor(options = {}) {
    super();
    this.options = options;
    /** In the order they were added; canceled and dismissed ones are not in it. @type {readonly Upload[]} */
    this.uploads = [];
  }

  /** Queue a file. @param {File} file @param {AddOptions} [options] @returns {Upload} */
  add(file, options = {}) {
    return new Upload(this, file, options);
  }
  /** Forget a done, failed or canceled upload here; nothing changes on the server. @param {Upload} upload */
  dismiss(upload) {
    void upload;
  }
  pauseAll() {}
  resumeAll() {}
  retryAll() {}
  /** @returns {Promise<void>} */
  async cancelAll() {}

  /**
   * The caller's uploads as the server lists them, newest first.
   * @param {{page?: number, perPage?: number, status?: 1 | 2, signal?: AbortSignal}} [query] `status`: only
   *   the unfinished (1) or the complete ones (2).
   * @returns {Promise<UploadPage>}
   * @throws {UploadError}
   */
  async list(query = {}) {
    void query;
    throw new UploadError("internal");
  }
  /** Remove an upload, finished or not, from the server. @param {string} uploadId @throws {UploadError} */
  async remove(uploadId) {
    void uploadId;
  }

  /** Unfinished uploads that this browser knows of and that are not in `uploads`, newest first. @returns {Promise<Remembered[]>} */
  async remembered() {
    return [];
  }
  /** Forget one in this browser. @param {Remembered} remembered */
  async forget(remembered) {
    void remembered;
  }
  /**
   * Open a remembered upload's file by its File System Access handle and go on. Call it from a click: the
   * browser may ask the user for permission.
   * @param {Remembered} remembered
   * @returns {Promise<Upload | null>} null when there is no handle, no permission, or no file any more.
   */
  async reopen(remembered) {
    void remembered;
    return null;
  }
  /** Stop everything and let go of worker, locks and listeners; uploads stay resumable. */
  close() {}
}
