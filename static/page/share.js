// @ts-check
/** Links to finished files, for people without an account: made, copied, passed on and revoked in a dialog. */

import { iconButton } from "./buttons.js";
import { ShareDialog } from "./share-dialog.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */

/**
 * A link as the server tells it (docs/protocol.md).
 *
 * @typedef {{share_id: string, url: string, expires: string}} Link
 */

export class Share {
  #texts;
  #root;
  #endpoint;
  #maxAge;
  #service;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {HTMLElement} parts.root Where dialogs are put.
   * @param {Pick<import("./config.js").Config, "endpoint" | "share">} parts.config
   * @param {Pick<import("./service.js").Service, "ask">} parts.service
   */
  constructor(texts, { root, config, service }) {
    this.#texts = texts;
    this.#root = root;
    this.#endpoint = config.endpoint;
    this.#maxAge = config.share?.maxAge ?? null;
    this.#service = service;
  }

  /**
   * Return the button that shares a finished file; null where the server shares nothing.
   *
   * @param {UploadRecord} record
   * @returns {HTMLElement | null}
   */
  button({ upload_id: uploadId, filename: name }) {
    const maxAge = this.#maxAge;
    if (maxAge === null) return null;
    const url = `${this.#endpoint}${uploadId}/shares`;
    const open = () => new ShareDialog(this.#texts, { name, url, maxAge, service: this.#service });
    const label = this.#texts.say("share", { name });
    return iconButton("share", label, () => open().show(this.#root));
  }
}
