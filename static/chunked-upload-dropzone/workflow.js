/**
 * When a zone's files are sent (at once, by a button, by the form around the zone), and what follows
 * once all have succeeded: the form is submitted, or the next page opens.
 */

import { Dropzone } from "./dropzone.js";
import { SurroundingForm } from "./surrounding-form.js";

/** @typedef {import("./zone-options.js").ZoneOptions} ZoneOptions */

export class Workflow {
  #zone;
  #options;
  #resultOf;
  #resume;
  /** @type {SurroundingForm | null} */
  #form = null;

  /**
   * @param {any} zone A Dropzone.
   * @param {ZoneOptions} options
   * @param {object} parts
   * @param {(file: File) => unknown} parts.resultOf What the server said of a file.
   * @param {() => void} [parts.resume] Resumes what is paused.
   */
  constructor(zone, options, { resultOf, resume = () => {} }) {
    this.#zone = zone;
    this.#options = options;
    this.#resultOf = resultOf;
    this.#resume = resume;
    zone.on("queuecomplete", () => this.#finish());
    if (options.button) this.#waitForButton(options.button);
    const form = zone.element.closest("form");
    if (!options.inForm || !form) return;
    this.#form = new SurroundingForm(form, options.uploadIdName);
    this.#form.waitFor(
      () => zone.getActiveFiles().length > 0,
      () => this.#start(),
    );
  }

  /** @param {string} uploadId Of an upload that has succeeded. */
  addUpload(uploadId) {
    this.#form?.addField(uploadId);
  }

  /** @param {string} uploadId Of an upload that is removed. */
  removeUpload(uploadId) {
    this.#form?.removeField(uploadId);
  }

  /**
   * Send an event from the zone's element.
   *
   * @param {string} name
   * @param {unknown} detail
   */
  dispatch(name, detail) {
    const event = new CustomEvent(`chunked-upload:${name}`, { bubbles: true, detail });
    this.#zone.element.dispatchEvent(event);
  }

  /** The queue is empty: if every file was uploaded, submit the form or go to the next page. */
  #finish() {
    if (this.#options.button) this.#zone.options.autoProcessQueue = false;
    const submit = this.#form?.takeSubmission();
    const files = /** @type {(File & {status: string})[]} */ (this.#zone.files);
    if (!files.length || files.some((file) => file.status !== Dropzone.SUCCESS)) return;
    this.dispatch("complete", { uploads: files.map(this.#resultOf) });
    if (submit) submit();
    else if (this.#options.redirect) location.assign(this.#options.redirect);
  }

  /** Upload the queued files, and what the user has paused: the form waits for all of them. */
  #start() {
    this.#resume();
    this.#zone.options.autoProcessQueue = true;
    this.#zone.processQueue();
  }

  /** @param {string} id */
  #waitForButton(id) {
    const button = document.getElementById(id);
    if (!button)
      throw new Error(`upload_on_click needs a button with the id "${id}" (upload_btn_id)`);
    const submits =
      this.#options.inForm && /** @type {HTMLButtonElement} */ (button).type === "submit";
    if (submits) return; // the form starts the uploads
    button.addEventListener("click", (event) => {
      event.preventDefault();
      this.#start();
    });
  }
}
