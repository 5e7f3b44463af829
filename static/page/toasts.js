// @ts-check
/**
 * Messages above the end of the page. They move nothing else, and go by themselves after the time it takes to
 * read them: not while the pointer or the focus is on them, nor while the page is in the background. Screen
 * readers say them when they appear. One with a link stays until it is closed.
 */

import { iconButton } from "./buttons.js";
import { el } from "./dom.js";

/** Messages shown at a time; a further one replaces the oldest. */
const MAX_TOASTS = 3;
/** Milliseconds for the shortest message, and more for each character. */
const SHORTEST = 6000;
const PER_CHARACTER = 60;
/** Milliseconds between looks at the clock. */
const TICK = 500;

export class Toasts {
  element = el("div", { class: "cu-toasts", role: "alert" });
  #texts;
  /** Milliseconds that each message still has. @type {Map<HTMLElement, number>} */
  #left = new Map();
  /** @type {number | undefined} */
  #timer;

  /** @param {import("./format.js").Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  /**
   * @param {string} words
   * @param {Node | null | ""} [link]
   */
  show(words, link) {
    const toast = el("div", { class: "cu-toast" }, el("p", {}, words, link && " ", link));
    const close = () => this.#remove(toast);
    toast.append(iconButton("close", this.#texts.say("close"), close));
    const oldest = this.element.firstElementChild;
    if (oldest && this.element.children.length >= MAX_TOASTS) {
      this.#remove(/** @type {HTMLElement} */ (oldest));
    }
    this.element.append(toast);
    if (!link) this.#left.set(toast, SHORTEST + PER_CHARACTER * words.length);
    this.#timer ??= window.setInterval(() => this.#tick(), TICK);
    return toast;
  }

  clear() {
    this.#left.clear();
    this.element.replaceChildren();
  }

  #tick() {
    if (document.hidden || this.element.matches(":has(:hover, :focus)")) return;
    for (const [toast, left] of this.#left) {
      if (left <= TICK) this.#remove(toast);
      else this.#left.set(toast, left - TICK);
    }
    if (this.#left.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @param {HTMLElement} toast */
  #remove(toast) {
    this.#left.delete(toast);
    toast.remove();
  }
}
