/**
 * A zone whose files Dropzone sends itself, whole, as it does under Flask-Dropzone: to a view of the
 * app's own, or several files in one request.
 */

import { Dropzone } from "./dropzone.js";
import { ignoreBrokenThumbnails, labelPreview } from "./preview.js";
import { Workflow } from "./workflow.js";
import { dropzoneOptions, wholeRequests } from "./zone-options.js";

/** @typedef {import("./zone-options.js").ZoneOptions} ZoneOptions */

export class WholeZone extends Dropzone {
  /** What the server said of a file. @type {WeakMap<File, any>} */
  #replies = new WeakMap();

  /**
   * @param {HTMLElement} element
   * @param {ZoneOptions} options
   */
  constructor(element, options) {
    super(element, { ...wholeRequests(options), ...dropzoneOptions(options, element) });
    ignoreBrokenThumbnails(this);
    this.on("addedfile", labelPreview);
    const workflow = new Workflow(this, options, (file) => this.#replies.get(file));
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
    this.on("error", (/** @type {File} */ file, /** @type {unknown} */ error) =>
      workflow.dispatch("error", { file, error }),
    );
  }
}
