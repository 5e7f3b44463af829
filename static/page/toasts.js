// @ts-check
/** What did not work, said above the page's end until it is read: it moves nothing else. */

import { iconButton } from "./buttons.js";
import { el } from "./dom.js";

/** @typedef {import("./format.js").Texts} Texts */

/** Messages kept at a time; the oldest makes room. */
const MOST = 3;

export class Toasts {
  /** @param {Texts} texts */
  constructor(texts) {
    this.texts = texts;
    this.element = el("div", { class: "cu-toasts", role: "alert" });
  }

  /**
   * @param {string} words
   * @param {Node | null | ""} [link]
   */
  show(words, link) {
    const toast = el("div", { class: "cu-toast" }, el("p", {}, words, link && " ", link));
    toast.append(iconButton("close", this.texts.say("close"), () => toast.remove()));
    if (this.element.children.length >= MOST) this.element.firstElementChild?.remove();
    this.element.append(toast);
    return toast;
  }
}
