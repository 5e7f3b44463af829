/** An upload zone: a Dropzone whose files are sent by a `ChunkedUploader`. */

import { ChunkedUploader } from "../chunked-upload.js";
import { Dropzone } from "./dropzone.js";
import { showEarlier } from "./earlier.js";
import { Previews, wordsOf } from "./previews.js";
import { Workflow } from "./workflow.js";
import { dropzoneOptions, uploaderOptions } from "./zone-options.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("../chunked-upload.js").UploadError} UploadError */
/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./zone-options.js").ZoneOptions} ZoneOptions */
/** @typedef {File & {status: string, upload: {progress: number, bytesSent: number, total: number},
 *   previewElement?: HTMLElement}} ZoneFile What Dropzone makes of a file. */

/** Milliseconds between two looks at a countdown. */
const COUNTDOWN = 1000;

export class Zone extends Dropzone {
  #zone;
  #words;
  #uploader;
  #previews;
  #workflow;
  /** @type {WeakMap<File, Upload>} */
  #uploads = new WeakMap();
  /** @type {WeakMap<Upload, ReturnType<typeof setTimeout>>} */
  #countdowns = new WeakMap();

  /**
   * @param {HTMLElement} element
   * @param {ZoneOptions} options
   */
  constructor(element, options) {
    const words = wordsOf(options);
    const given = dropzoneOptions(options, element, words);
    super(element, given);
    this.#zone = options;
    this.#words = words;
    this.#uploader = new ChunkedUploader(uploaderOptions(options));
    this.#previews = new Previews(this, words, given);
    this.on("removedfile", (/** @type {ZoneFile} */ file) => this.#removeFromServer(file));
    this.#workflow = new Workflow(this, options, {
      resultOf: (file) => this.#uploads.get(file)?.result,
      resume: () => this.#uploader.resumeAll(),
    });
    if (options.resume) showEarlier(this, this.#uploader, words);
  }

  /**
   * Called by Dropzone to check a file.
   *
   * @param {ZoneFile} file
   * @param {(problem?: string) => void} done
   */
  accept(file, done) {
    const limit = (this.options.maxFilesize ?? Infinity) * 2 ** 20;
    const tooLarge = file.size > limit ? this.#words.tooLarge(file.size, limit) : undefined;
    super.accept(file, (/** @type {string | undefined} */ problem) =>
      done(problem && (tooLarge ?? problem)),
    );
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
  removeFile(file) {
    this.#previews.keepFocus(file, () => super.removeFile(file));
  }

  /** @param {ZoneFile} file */
  #send(file) {
    const upload = this.#uploader.add(file, { metadata: this.#zone.metadata });
    this.#uploads.set(file, upload);
    const on = (/** @type {string} */ type, /** @type {(detail: any) => void} */ listener) =>
      upload.addEventListener(type, (event) => {
        if (file.status !== Dropzone.CANCELED) listener(/** @type {CustomEvent} */ (event).detail);
      });
    on("progress", () => this.#report(file, upload));
    on("statechange", ({ waiting }) => {
      if (waiting) this.#previews.sayWaiting(waiting);
      this.#show(file, upload);
    });
    on("notice", (notice) => this.#previews.note(file, notice));
    on("done", ({ result }) => this.#succeed(file, upload, result));
    on("error", ({ error }) => this.#fail(file, upload, error));
  }

  /**
   * @param {ZoneFile} file
   * @param {Upload} upload
   */
  #show(file, upload) {
    this.#previews.update(file, upload, () => this.#act(file, upload));
    clearTimeout(this.#countdowns.get(upload));
    if (upload.state !== "waiting" || !file.previewElement?.isConnected) return;
    this.#countdowns.set(
      upload,
      setTimeout(() => this.#show(file, upload), COUNTDOWN),
    );
  }

  /**
   * @param {ZoneFile} file
   * @param {Upload} upload
   */
  #report(file, upload) {
    const { sent, size } = upload;
    Object.assign(file.upload, { progress: size ? (100 * sent) / size : 100, bytesSent: sent });
    this.emit("uploadprogress", file, file.upload.progress, sent);
    this.#previews.update(file, upload, () => this.#act(file, upload));
  }

  /**
   * @param {ZoneFile} file
   * @param {Upload} upload
   * @param {UploadRecord} result
   */
  #succeed(file, upload, result) {
    this.#report(file, upload);
    this.#workflow.addUpload(result.upload_id);
    file.status = Dropzone.SUCCESS;
    this.emit("success", file, result);
    this.#settle(file, upload);
    this.#previews.sayDone(file);
    this.#workflow.dispatch("done", result);
  }

  /**
   * @param {ZoneFile} file
   * @param {Upload} upload
   * @param {UploadError} error
   */
  #fail(file, upload, error) {
    file.status = Dropzone.ERROR;
    this.emit("error", file, this.#words.error(error));
    this.#settle(file, upload);
    this.#workflow.dispatch("error", { file, error });
  }

  /**
   * Do what the tile's button offers. What has failed resumes; removing and adding the file would start again.
   *
   * @param {ZoneFile} file
   * @param {Upload} upload
   */
  #act(file, upload) {
    if (upload.state !== "failed") {
      if (upload.state === "paused" || upload.state === "waiting") upload.resume();
      else upload.pause();
      return;
    }
    file.previewElement?.classList.remove("dz-error", "dz-complete");
    file.status = Dropzone.UPLOADING;
    this.emit("processing", file);
    upload.retry();
  }

  /**
   * Tell Dropzone that a file has succeeded or failed, and start the next one.
   *
   * @param {ZoneFile} file
   * @param {Upload} upload
   */
  #settle(file, upload) {
    this.emit("complete", file);
    this.#previews.update(file, upload, () => this.#act(file, upload));
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
