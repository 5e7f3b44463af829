/** Uploads that an earlier page has left unfinished: a zone names them, so that they are chosen again. */

import { el } from "../page/dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */

/** As many as fit into an empty zone, so that nothing moves when they are shown. */
const MOST = 3;
/** Milliseconds in which further changes join one look at the store. */
const GATHER = 300;

/**
 * Name them under the zone's message, as long as there are any.
 *
 * @param {any} zone A Dropzone.
 * @param {ChunkedUploader} uploader
 * @param {import("./words.js").Words} words
 */
export function showEarlier(zone, uploader, words) {
  const list = el("ul", { class: "chunked-upload-earlier", hidden: true });
  const message = zone.element.querySelector(".dz-message");
  if (message === null) return;
  message.after(list);
  const show = async () => {
    const now = Date.now() + uploader.clockOffset;
    const unfinished = (await uploader.remembered()).filter(
      ({ result, expires }) => !result && (expires === null || Date.parse(expires) > now),
    );
    const found = unfinished.slice(0, MOST);
    list.replaceChildren(...found.map((upload) => el("li", {}, words.earlier(upload))));
    list.hidden = found.length === 0;
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  uploader.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(show, GATHER);
  });
  void show();
}
