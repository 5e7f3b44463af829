// @ts-check
/** A group of the list: its heading, which folds it, with the number of its files, and the list of its rows. */

import { el, setAttribute, setText } from "./dom.js";
import { icon } from "./icons.js";

export class Group {
  heading;
  list;
  folded = false;
  #texts;
  #words = el("span");
  #count = el("span", { class: "cu-count" });
  #button;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {import("./format.js").MessageKey} parts.title
   * @param {Node | null} parts.action Stands at the heading's end.
   * @param {() => void} parts.onFold
   */
  constructor(texts, { title, action, onFold }) {
    this.#texts = texts;
    setText(this.#words, texts.say(title));
    const onclick = () => {
      this.folded = !this.folded;
      setAttribute(this.#button, "aria-expanded", String(!this.folded));
      onFold();
    };
    this.#button = el(
      "button",
      { class: "cu-fold", type: "button", "aria-expanded": "true", onclick },
      icon("fold"),
      this.#words,
      this.#count,
    );
    const name = texts.say(title);
    this.heading = el("div", { class: "cu-group" }, el("h3", {}, this.#button), action);
    this.list = el("ul", { class: "cu-list", role: "list", "aria-label": name });
  }

  /** @param {number} count */
  show(count) {
    setText(this.#count, this.#texts.number(count));
  }
}
