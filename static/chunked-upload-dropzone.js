// @ts-check
/**
 * The upload zones of the template helper `{{ chunked_upload.dropzone(...) }}`: Dropzone draws them and
 * takes the files, `chunked-upload.js` sends them. So uploads are chunked, checked by MD5, and go on
 * after a lost connection or a reload, whatever Dropzone's own requests could do.
 *
 * Every element with the attribute `data-chunked-upload` (JSON, see `ZoneOptions`) becomes a zone when
 * the page has been read; for elements that come later call `attach(element)`.
 *
 * A zone's element sends events that bubble: `chunked-upload:done` (detail: the server's record),
 * `chunked-upload:error` (`{file, error}`), `chunked-upload:complete` (`{uploads}`: all succeeded).
 */

import { ChunkedUploader } from "./chunked-upload.js";
import { dropzoneOptions, uploaderOptions } from "./chunked-upload/zone-options.js";

/** @typedef {import("./chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./chunked-upload/zone-options.js").ZoneOptions} ZoneOptions */
/** @typedef {File & {status: string, upload: {progress: number, bytesSent: number, total: number},
 *   previewElement?: HTMLElement}} ZoneFile What Dropzone makes of a file. */

// By its URL: the type checker would read what the bundler made of it.
await import(new URL("./vendor/dropzone.min.js", import.meta.url).href);
const { Dropzone } = globalThis;
Dropzone.autoDiscover = false;

/** What an upload waits for, and the text that says so. @type {Record<string, string>} */
const WAITING = {
  network: "waitingNetwork",
  server: "waitingServer",
  "storage-full": "waitingServer",
  "sign-in": "waitingSignIn",
  "other-tab": "waitingOtherTab",
};

/** Errors that have a text of their own. @type {Record<string, string>} */
const ERRORS = {
  changed: "fileChanged",
  unreadable: "fileChanged",
  checksum: "checksumError",
  type: "dictInvalidFileType",
};

/** The upload of each file. @type {WeakMap<File, import("./chunked-upload.js").Upload>} */
const uploads = new WeakMap();

/** A Dropzone whose files are sent by a `ChunkedUploader`. */
class Zone extends Dropzone {
  /**
   * @param {HTMLElement} element
   * @param {ZoneOptions} options
   */
  constructor(element, options) {
    super(element, dropzoneOptions(options));
    this.zone = options;
    this.uploader = new ChunkedUploader(uploaderOptions(options));
    this.mendThumbnails();
    this.on("addedfile", describe);
    this.on("removedfile", (/** @type {ZoneFile} */ file) => this.removeFromServer(file));
    this.on("queuecomplete", () => this.finish());
    /** The form that the uploads' ids go into. @type {HTMLFormElement | null} */
    this.form = element.closest("form");
    if (options.button) this.waitForButton(options.button);
    if (options.inForm) this.form?.addEventListener("submit", (event) => this.holdBack(event));
  }

  /**
   * Called by Dropzone for files whose turn has come.
   *
   * @param {ZoneFile[]} files
   */
  uploadFiles(files) {
    for (const file of files) this.send(file);
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
    uploads.get(file)?.cancel();
    this.emit("canceled", file);
    if (this.options.autoProcessQueue) this.processQueue();
  }

  /** @param {ZoneFile} file */
  send(file) {
    const upload = this.uploader.add(file, { metadata: this.zone.metadata });
    uploads.set(file, upload);
    const on = (/** @type {string} */ type, /** @type {(detail: any) => void} */ listener) =>
      upload.addEventListener(type, (event) => {
        if (file.status !== Dropzone.CANCELED) listener(/** @type {CustomEvent} */ (event).detail);
      });
    on("progress", ({ sent, size }) => this.report(file, sent, size));
    on("statechange", ({ to, waiting }) => {
      if (file.previewElement) file.previewElement.dataset.state = to;
      this.say(file, waiting ? this.zone.texts[WAITING[waiting.reason]] : "");
    });
    on("done", ({ result }) => this.succeed(file, result));
    on("error", ({ error }) => this.fail(file, error));
  }

  /**
   * @param {ZoneFile} file
   * @param {number} sent
   * @param {number} size
   */
  report(file, sent, size) {
    Object.assign(file.upload, { progress: size ? (100 * sent) / size : 100, bytesSent: sent });
    this.emit("uploadprogress", file, file.upload.progress, sent);
    const bar = file.previewElement?.querySelector(".dz-progress");
    bar?.setAttribute("aria-valuenow", String(Math.floor(file.upload.progress)));
  }

  /**
   * @param {ZoneFile} file
   * @param {UploadRecord} result
   */
  succeed(file, result) {
    this.report(file, file.size, file.size);
    if (this.zone.inForm) this.form?.append(hiddenField(this.zone.uploadIdName, result.upload_id));
    this._finished([file], result);
    this.tell("done", result);
  }

  /**
   * @param {ZoneFile} file
   * @param {import("./chunked-upload/errors.js").UploadError} error
   */
  fail(file, error) {
    const { texts } = this.zone;
    const known = texts[ERRORS[error.code]] ?? error.detail;
    const status = texts.dictResponseError.replace("{{statusCode}}", String(error.status));
    this._errorProcessing([file], known || (error.status ? status : error.message));
    this.offerRetry(file);
    this.tell("error", { file, error });
  }

  /**
   * Let a failed upload go on with what the server has: removing and adding the file begins anew.
   *
   * @param {ZoneFile} file
   */
  offerRetry(file) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.zone.texts.retry;
    button.addEventListener("click", () => {
      file.status = Dropzone.UPLOADING;
      file.previewElement?.classList.remove("dz-error", "dz-complete");
      this.emit("processing", file);
      uploads.get(file)?.retry();
    });
    this.say(file, "").append(button);
  }

  /**
   * Say something in a file's preview, beside its error.
   *
   * @param {ZoneFile} file
   * @param {string} text
   */
  say(file, text) {
    const preview = file.previewElement ?? document.createElement("div");
    let place = preview.querySelector(".chunked-upload-status");
    if (!place) {
      place = document.createElement("div");
      place.className = "chunked-upload-status";
      place.setAttribute("role", "status");
      preview.append(place);
    }
    place.textContent = text;
    return place;
  }

  /**
   * A removed file is removed from the server too, finished or not.
   *
   * @param {ZoneFile} file
   */
  async removeFromServer(file) {
    const upload = uploads.get(file);
    if (!upload?.result) {
      await upload?.cancel();
      return;
    }
    const { upload_id: id } = upload.result;
    const fields = this.form?.querySelectorAll(
      `input[name="${CSS.escape(this.zone.uploadIdName)}"]`,
    );
    for (const field of fields ?? []) {
      if (/** @type {HTMLInputElement} */ (field).value === id) field.remove();
    }
    await this.uploader.remove(id);
  }

  /** Nothing is left to send: go on to the next page or the form, if every file is there. */
  finish() {
    if (this.zone.button) this.options.autoProcessQueue = false;
    const submitting = this.submitting;
    this.submitting = null;
    const files = /** @type {ZoneFile[]} */ (this.files);
    if (!files.length || files.some((file) => file.status !== Dropzone.SUCCESS)) return;
    this.tell("complete", { uploads: files.map((file) => uploads.get(file)?.result) });
    if (submitting) this.form?.requestSubmit(submitting.submitter);
    else if (this.zone.redirect) location.assign(this.zone.redirect);
  }

  /** For a file that is no picture after all Dropzone takes the event of the error for its address. */
  mendThumbnails() {
    const show = this.options.thumbnail;
    this.off("thumbnail", show);
    this.on("thumbnail", (/** @type {ZoneFile} */ file, /** @type {unknown} */ address) => {
      if (typeof address === "string") show.call(this, file, address);
    });
  }

  /** Send what waits in the queue. */
  start() {
    this.options.autoProcessQueue = true;
    this.processQueue();
  }

  /** @param {string} id */
  waitForButton(id) {
    const button = document.getElementById(id);
    if (!button)
      throw new Error(`upload_on_click needs a button with the id "${id}" (upload_btn_id)`);
    const submits = this.zone.inForm && /** @type {HTMLButtonElement} */ (button).type === "submit";
    if (submits) return; // holdBack sees it
    button.addEventListener("click", (event) => {
      event.preventDefault();
      this.start();
    });
  }

  /**
   * Let a form wait for its uploads, then submit it as the user did.
   *
   * @param {SubmitEvent} event
   */
  holdBack(event) {
    if (!this.getActiveFiles().length) return;
    event.preventDefault();
    this.submitting = { submitter: event.submitter };
    this.start();
  }

  /**
   * @param {string} what
   * @param {unknown} detail
   */
  tell(what, detail) {
    const event = new CustomEvent(`chunked-upload:${what}`, { bubbles: true, detail });
    this.element.dispatchEvent(event);
  }
}

/**
 * Make an element an upload zone.
 *
 * @param {HTMLElement} element
 * @param {ZoneOptions} [options] By default those in its attribute.
 * @returns {Zone} A Dropzone.
 */
export function attach(element, options = JSON.parse(element.dataset.chunkedUpload ?? "{}")) {
  /** @type {any} */ (element).dropzone?.destroy(); // another Dropzone on the page found it first
  return new Zone(element, options);
}

/**
 * Tell screen readers what is in a file's preview.
 *
 * @param {ZoneFile} file
 */
function describe({ previewElement, name }) {
  const set = (
    /** @type {string} */ selector,
    /** @type {Record<string, string>} */ attributes,
  ) => {
    const element = previewElement?.querySelector(selector);
    for (const [key, value] of Object.entries(attributes)) element?.setAttribute(key, value);
  };
  set("img", { alt: "" });
  set(".dz-progress", { role: "progressbar", "aria-label": name });
  set("[data-dz-errormessage]", { role: "alert" });
}

/**
 * @param {string} name
 * @param {string} value
 */
function hiddenField(name, value) {
  return Object.assign(document.createElement("input"), { type: "hidden", name, value });
}

for (const element of document.querySelectorAll("[data-chunked-upload]")) {
  attach(/** @type {HTMLElement} */ (element));
}
