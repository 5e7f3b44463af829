// @ts-check
/**
 * What stands at the start of a row: an icon by the file's type, and small pictures of photos and videos.
 * Pictures are made one at a time, of rows near the screen only, and the newest few hundred are kept. A
 * file is never opened in the page: its bytes are decoded into a bitmap (picture-worker.js,
 * video-still.js), and the bitmap is drawn. Where that fails the icon stays.
 */

import { el } from "./dom.js";
import { icon } from "./icons.js";
import { stopSignal } from "./stopping.js";
import { kindOf, suffixOf } from "./type-icons.js";
import { videoStill } from "./video-still.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./type-icons.js").FileKind} FileKind */
/** @typedef {{file?: File | null, record?: UploadRecord | null, name: string, type?: string}} Subject */

/** Pixels of a picture's side, sharp on a dense screen too. */
const SIDE = 96;
/** Pictures that are kept: 40 kB each. */
const MAX_KEPT = 300;
/** Bytes of the largest picture file that is read. */
const MAX_PICTURE = 100 * 2 ** 20;
/** Bytes of the largest file that is fetched from the server for a picture of it. */
const MAX_FETCHED = 8 * 2 ** 20;
/** Milliseconds for one picture; then the worker is given up. */
const PATIENCE = 15_000;
/** Room around the screen in which rows get their pictures. */
const NEAR = "300px";
/** Pictures that browsers do not decode, or, like SVG, that are documents. */
const UNDECODED = /\.(svg|ico|psd|tiff?|raw|dng|cr2|nef|arw)$/i;

export class Thumbnails {
  #headers;
  #most;
  /** What each element shows. @type {WeakMap<Element, Subject>} */
  #subjects = new WeakMap();
  /** Elements near the screen that wait for their picture. @type {Set<HTMLElement>} */
  #waiting = new Set();
  /** The newest last; null: there is none. @type {Map<File | string, ImageBitmap | null>} */
  #kept = new Map();
  /** @type {Worker | null} */
  #worker = null;
  #working = false;
  #observer = new IntersectionObserver((seen) => this.#look(seen), { rootMargin: NEAR });

  /**
   * @param {object} [options]
   * @param {() => Record<string, string>} [options.headers] For files on the server.
   * @param {number} [options.most] Pictures that are kept.
   */
  constructor({ headers = () => ({}), most = MAX_KEPT } = {}) {
    this.#headers = headers;
    this.#most = most;
  }

  /**
   * Return the element for a file: of a fixed size, with its icon, and its picture as soon as there is one.
   *
   * @param {Subject} subject `file` where it is on this page, else `record` of a finished one.
   */
  element(subject) {
    const kind = kindOf(subject.name, subject.type ?? subject.file?.type);
    const suffix = suffixOf(subject.name).slice(0, 4).toUpperCase();
    const element = el(
      "span",
      { class: "cu-badge cu-thumbnail", "aria-hidden": "true", "data-kind": kind },
      icon(kind),
      suffix && el("span", {}, suffix),
    );
    if (isWanted(subject, kind)) {
      this.#subjects.set(element, subject);
      const kept = this.#kept.get(keyOf(subject));
      if (kept) draw(element, kept);
      else if (kept === undefined) this.#observer.observe(element);
    }
    return element;
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #look(seen) {
    for (const { target, isIntersecting } of seen) {
      const element = /** @type {HTMLElement} */ (target);
      if (isIntersecting) this.#waiting.add(element);
      else this.#waiting.delete(element);
    }
    void this.#work();
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    for (const element of this.#waiting) {
      this.#waiting.delete(element);
      this.#observer.unobserve(element);
      const picture = await this.#picture(/** @type {Subject} */ (this.#subjects.get(element)));
      if (picture) draw(element, picture);
    }
    this.#working = false;
  }

  /** @param {Subject} subject @returns {Promise<ImageBitmap | null>} */
  async #picture(subject) {
    const key = keyOf(subject);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const bitmap = await this.#make(subject).catch(() => null);
    this.#kept.set(key, bitmap);
    if (this.#kept.size > this.#most) this.#forgetOldest();
    return bitmap;
  }

  #forgetOldest() {
    const [key, bitmap] = /** @type {[File | string, ImageBitmap | null]} */ (
      this.#kept.entries().next().value
    );
    bitmap?.close(); // what was drawn of it stays
    this.#kept.delete(key);
  }

  /** @param {Subject} subject @returns {Promise<ImageBitmap | null>} */
  async #make({ file, record, name, type }) {
    const blob = file ?? (await this.#fetch(/** @type {UploadRecord} */ (record)));
    if (kindOf(name, type ?? file?.type) === "video") return videoStill(blob, SIDE);
    return this.#shrink(blob);
  }

  /** @param {UploadRecord} record @returns {Promise<Blob>} */
  async #fetch({ url }) {
    const priority = /** @type {const} */ ("low");
    const options = { headers: this.#headers(), priority, signal: stopSignal() };
    const response = await fetch(/** @type {string} */ (url), options);
    if (!response.ok) throw new Error(response.statusText);
    return response.blob();
  }

  /**
   * Let the worker make a small picture. A worker that takes too long is stopped; the next picture gets a new one.
   *
   * @param {Blob} blob
   * @returns {Promise<ImageBitmap | null>}
   */
  #shrink(blob) {
    // By an address that is right from the bundle's folder too.
    const url = new URL("../page/picture-worker.js", import.meta.url);
    const worker = (this.#worker ??= new Worker(url, { name: "pictures" }));
    return new Promise((resolve) => {
      const giveUp = () => {
        worker.terminate();
        this.#worker = null;
        resolve(null);
      };
      const timer = setTimeout(giveUp, PATIENCE);
      worker.onmessage = ({ data }) => {
        clearTimeout(timer);
        resolve(data.bitmap);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        giveUp();
      };
      worker.postMessage({ blob, side: SIDE });
    });
  }
}

/** @param {Subject} subject */
function keyOf({ file, record }) {
  return file ?? record?.upload_id ?? "";
}

/**
 * Whether to try: pictures and videos that are not too large, and nothing is fetched for those who save data.
 *
 * @param {Subject} subject
 * @param {FileKind} kind
 */
function isWanted({ file, record, name }, kind) {
  if ((kind !== "picture" && kind !== "video") || UNDECODED.test(name)) return false;
  if (file) return file.size > 0 && (kind === "video" || file.size <= MAX_PICTURE);
  const saving = /** @type {any} */ (navigator).connection?.saveData;
  if (saving || !record?.url) return false;
  return record.offset > 0 && record.offset <= MAX_FETCHED;
}

/** @param {HTMLElement} element @param {ImageBitmap} picture */
function draw(element, picture) {
  const canvas = el("canvas", { width: SIDE, height: SIDE });
  canvas.getContext("2d")?.drawImage(picture, 0, 0, SIDE, SIDE);
  element.replaceChildren(canvas);
}
