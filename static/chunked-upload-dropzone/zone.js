/** An upload zone: a Dropzone whose files are sent by a `ChunkedUploader`. */

import { ChunkedUploader } from "../chunked-upload.js";
import { Dropzone } from "./dropzone.js";
import {
  ignoreBrokenThumbnails,
  labelPreview,
  offerRetry,
  showProgress,
  showStatus,
} from "./preview.js";
import { Workflow } from "./workflow.js";
import { dropzoneOptions, uploaderOptions } from "./zone-options.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./zone-options.js").ZoneOptions} ZoneOptions */
/** @typedef {File & {status: string, upload: {progress: number, bytesSent: number, total: number},
 *   previewElement?: HTMLElement}} ZoneFile What Dropzone makes of a file. */

/** Texts by the reason why an upload waits. @type {Record<string, string>} */
const WAITING = {
  network: "waitingNetwork",
  server: "waitingServer",
  "storage-full": "waitingServer",
  "sign-in": "waitingSignIn",
  "other-tab": "waitingOtherTab",
};

/** Texts by error code; other errors show the server's message. @type {Record<string, string>} */
const ERRORS = {
  changed: "fileChanged",
  unreadable: "fileChanged",
  checksum: "checksumError",
  type: "dictInvalidFileType",
};

export class Zone extends Dropzone {
  #zone;
  #uploader;
  #workflow;
  /** @type {WeakMap<File, import("../chunked-upload.js").Upload>} */
  #uploads = new WeakMap();

  /**
   * @param {HTMLElement} element
   * @param {ZoneOptions} options
   */
  constructor(element, options) {
    super(element, dropzoneOptions(options, element));
    this.#zone = options;
    this.#uploader = new ChunkedUploader(uploaderOptions(options));
    ignoreBrokenThumbnails(this);
    this.on("addedfile", labelPreview);
    this.on("removedfile", (/** @type {ZoneFile} */ file) => this.#removeFromServer(file));
    this.#workflow = new Workflow(this, options, (file) => this.#uploads.get(file)?.result);
  }

  /**
   * Called by Dropzone for the files that it wants to upload now.
   *
   * @param {ZoneFile[]} files
   */
  uploadFiles(files) {
    for (const file of files) this.#send(file);
  }

  /**
   * Called by Dropzone when the user cancels or removes a file.
   *
   * @param {ZoneFile} file
   */
  cancelUpload(file) {
    if (file.status !== Dropzone.UPLOADING) {
      super.cancelUpload(file);
      return;
    }
    file.status = Dropzone.CANCELED;
    this.#uploads.get(file)?.cancel();
    this.emit("canceled", file);
    if (this.options.autoProcessQueue) this.processQueue();
  }

  /** @param {ZoneFile} file */
  #send(file) {
    const upload = this.#uploader.add(file, { metadata: this.#zone.metadata });
    this.#uploads.set(file, upload);
    const on = (/** @type {string} */ type, /** @type {(detail: any) => void} */ listener) =>
      upload.addEventListener(type, (event) => {
        if (file.status !== Dropzone.CANCELED) listener(/** @type {CustomEvent} */ (event).detail);
      });
    on("progress", ({ sent, size }) => this.#report(file, sent, size));
    on("statechange", ({ to, waiting }) => {
      if (file.previewElement) file.previewElement.dataset.state = to;
      showStatus(file, waiting ? this.#zone.texts[WAITING[waiting.reason]] : "");
    });
    on("done", ({ result }) => this.#succeed(file, result));
    on("error", ({ error }) => this.#fail(file, error));
  }

  /**
   * @param {ZoneFile} file
   * @param {number} sent
   * @param {number} size
   */
  #report(file, sent, size) {
    Object.assign(file.upload, { progress: size ? (100 * sent) / size : 100, bytesSent: sent });
    this.emit("uploadprogress", file, file.upload.progress, sent);
    showProgress(file, file.upload.progress);
  }

  /**
   * @param {ZoneFile} file
   * @param {UploadRecord} result
   */
  #succeed(file, result) {
    this.#report(file, file.size, file.size);
    this.#workflow.addUpload(result.upload_id);
    file.status = Dropzone.SUCCESS;
    this.emit("success", file, result);
    this.#settle(file);
    this.#workflow.dispatch("done", result);
  }

  /**
   * @param {ZoneFile} file
   * @param {import("../chunked-upload.js").UploadError} error
   */
  #fail(file, error) {
    const { texts } = this.#zone;
    const known = texts[ERRORS[error.code]] ?? error.detail;
    const status = texts.dictResponseError.replace("{{statusCode}}", String(error.status));
    file.status = Dropzone.ERROR;
    this.emit("error", file, known || (error.status ? status : error.message));
    this.#settle(file);
    offerRetry(file, texts.retry, () => {
      file.status = Dropzone.UPLOADING;
      this.emit("processing", file);
      this.#uploads.get(file)?.retry();
    });
    this.#workflow.dispatch("error", { file, error });
  }

  /**
   * Tell Dropzone that a file has succeeded or failed, and start the next one.
   *
   * @param {ZoneFile} file
   */
  #settle(file) {
    this.emit("complete", file);
    if (this.options.autoProcessQueue) this.processQueue();
  }

  /**
   * Delete a file that the user removed on the server too, whether its upload is finished or not.
   *
   * @param {ZoneFile} file
   */
  async #removeFromServer(file) {
    const upload = this.#uploads.get(file);
    if (!upload?.result) {
      await upload?.cancel();
      return;
    }
    this.#workflow.removeUpload(upload.result.upload_id);
    await this.#uploader.remove(upload.result.upload_id);
  }
}
