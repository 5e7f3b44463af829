/**
 * A zone whose files Dropzone sends itself, whole, as it does under Flask-Dropzone: to a view of the
 * app's own, or several files in one request.
 */

import { Dropzone } from "./dropzone.js";
import { Previews, wordsOf } from "./previews.js";
import { Workflow } from "./workflow.js";
import { dropzoneOptions, wholeRequests } from "./zone-options.js";

/** @typedef {import("./zone-options.js").ZoneOptions} ZoneOptions */
/** @typedef {import("./zone.js").ZoneFile} ZoneFile */
/** @typedef {import("../chunked-upload.js").Upload["state"]} UploadState */

export class WholeZone extends Dropzone {
  /** What the server said of a file. @type {WeakMap<File, any>} */
  #replies = new WeakMap();
  /** @type {Previews} */
  #previews;

  /**
   * @param {HTMLElement} element
   * @param {ZoneOptions} options
   */
  constructor(element, options) {
    const words = wordsOf(options);
    const given = { ...wholeRequests(options), ...dropzoneOptions(options, element, words) };
    super(element, given);
    this.#previews = new Previews(this, words, given);
    this.on("processing", (/** @type {ZoneFile} */ file) => this.#show(file, "uploading"));
    this.on("uploadprogress", (/** @type {ZoneFile} */ file) => this.#show(file, "uploading"));
    this.on("complete", (/** @type {ZoneFile} */ file) =>
      this.#show(file, file.status === Dropzone.SUCCESS ? "done" : "failed"),
    );
    const workflow = new Workflow(this, options, { resultOf: (file) => this.#replies.get(file) });
    const noted = new Set();
    this.on("success", (/** @type {File} */ file, /** @type {any} */ reply) => {
      this.#replies.set(file, reply);
      // An upload set answers with the upload; for files sent together, with all of them.
      for (const { upload_id } of reply?.uploads ?? [reply ?? {}]) {
        if (!upload_id || noted.has(upload_id)) continue;
        noted.add(upload_id);
        workflow.addUpload(upload_id);
      }
      workflow.dispatch("done", reply);
    });
    this.on("success", (/** @type {ZoneFile} */ file) => this.#previews.sayDone(file));
    this.on("error", (/** @type {File} */ file, /** @type {unknown} */ error) =>
      workflow.dispatch("error", { file, error }),
    );
  }

  /**
   * @param {ZoneFile} file
   * @param {UploadState} state
   */
  #show(file, state) {
    const { size } = file;
    const sent = Math.round(((file.upload?.progress ?? 0) / 100) * size);
    const unknown = { speed: 0, secondsLeft: null, waiting: null, error: null };
    this.#previews.update(file, { state, sent, size, ...unknown });
  }
}
