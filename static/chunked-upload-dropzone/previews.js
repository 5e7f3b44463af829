/** The tiles of a zone, what is said of them to screen readers, and where the focus goes. */

import { Announcer } from "../page/announce.js";
import { focusFirst } from "../page/dom.js";
import { chooseLanguage, loadTexts } from "../page/language.js";
import { Tile } from "./tile.js";
import { Words } from "./words.js";

/** @typedef {import("./zone.js").ZoneFile} ZoneFile */
/** @typedef {import("./tile.js").Shown} Shown */

/** In the document's language, else the browser's. Dropzone takes its texts as a zone is made. */
const texts = await loadTexts(
  chooseLanguage(document.documentElement, { fallback: null, languages: null }),
  {},
);

/** @param {import("./zone-options.js").ZoneOptions} options */
export function wordsOf(options) {
  return new Words(options, texts);
}

export class Previews {
  #zone;
  #words;
  /** Whether the tiles are made from a template of the app's, which has looks of its own. */
  #hasOwnTemplate;
  #announcer = new Announcer(texts);
  /** @type {WeakMap<File, Tile>} */
  #tiles = new WeakMap();

  /**
   * @param {any} zone A Dropzone.
   * @param {Words} words
   * @param {{previewTemplate?: string}} given The options that it was made with.
   */
  constructor(zone, words, { previewTemplate }) {
    this.#zone = zone;
    this.#words = words;
    this.#hasOwnTemplate = previewTemplate !== undefined;
    this.#announcer.element.className = "chunked-upload-unseen";
    zone.element.append(this.#announcer.element);
    ignoreBrokenThumbnails(zone);
    zone.on("addedfile", (/** @type {ZoneFile} */ file) => this.#add(file));
    zone.on("error", (/** @type {ZoneFile} */ file) => this.#tiles.get(file)?.fail());
  }

  /** @param {ZoneFile} file */
  #add(file) {
    if (!this.#hasOwnTemplate) file.previewElement?.classList.add("chunked-upload-tile");
    this.#tiles.set(file, new Tile(file, this.#words));
  }

  /**
   * @param {ZoneFile} file
   * @param {Shown} upload
   * @param {() => void} [onAction] Pauses, resumes, or tries again now.
   */
  update(file, upload, onAction) {
    this.#tiles.get(file)?.update(upload, onAction);
  }

  /**
   * Show a notice in a file's tile, and say it.
   *
   * @param {ZoneFile} file
   * @param {any} notice
   */
  note(file, notice) {
    const text = this.#words.notice(notice);
    this.#tiles.get(file)?.note(text);
    this.#announcer.say(`${file.name}: ${text}`);
  }

  /**
   * Say what a file waits for; once, not with each second of a countdown.
   *
   * @param {import("../chunked-upload/types.js").Waiting} waiting
   */
  sayWaiting(waiting) {
    this.#announcer.say(this.#words.reason(waiting));
  }

  /** @param {ZoneFile} file */
  sayDone(file) {
    this.#announcer.sayDone(file.name);
  }

  /**
   * Keep the focus near a tile that is being removed.
   *
   * @param {ZoneFile} file
   * @param {() => void} remove
   */
  keepFocus({ previewElement }, remove) {
    const focused = previewElement?.contains(document.activeElement);
    const [next, previous] = [
      previewElement?.nextElementSibling,
      previewElement?.previousElementSibling,
    ].map((tile) => tile?.querySelector(".dz-remove"));
    remove();
    if (!focused) return;
    const button = this.#zone.element.querySelector(".dz-message button");
    focusFirst(/** @type {HTMLElement[]} */ ([next, previous, button]));
  }
}

/**
 * For a file that is no valid image, Dropzone takes the error event for the thumbnail's address.
 *
 * @param {any} zone A Dropzone.
 */
function ignoreBrokenThumbnails(zone) {
  const show = zone.options.thumbnail;
  zone.off("thumbnail", show);
  zone.on("thumbnail", (/** @type {ZoneFile} */ file, /** @type {unknown} */ address) => {
    if (typeof address !== "string") return;
    show.call(zone, file, address);
    const image = file.previewElement?.querySelector("img[data-dz-thumbnail]");
    image?.setAttribute("alt", ""); // the name stands beside it
  });
}
