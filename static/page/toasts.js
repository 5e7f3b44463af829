// @ts-check
/** Problems, shown above the end of the page until they are closed. They move nothing else. */

import { iconButton } from "./buttons.js";
import { el } from "./dom.js";

/** Messages shown at a time; a further one replaces the oldest. */
const MAX_TOASTS = 3;

export class Toasts {
  element = el("div", { class: "cu-toasts", role: "alert" });
  #texts;

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
    toast.append(iconButton("close", this.#texts.say("close"), () => toast.remove()));
    if (this.element.children.length >= MAX_TOASTS) this.element.firstElementChild?.remove();
    this.element.append(toast);
    return toast;
  }
}
