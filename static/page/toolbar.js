// @ts-check
/** Above the list: search, order, and the switch for choosing several files. */

import { wordButton } from "./buttons.js";
import { el, nextFrame } from "./dom.js";

/** @typedef {import("./catalog.js").Order} Order */

/** @type {[Order, import("./format.js").MessageKey][]} */
const ORDERS = [
  ["newest", "orderNewest"],
  ["name", "orderName"],
  ["largest", "orderLargest"],
];

export class Toolbar {
  element;
  #input;
  #select;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {() => void} parts.onChange The user searches, or wants another order.
   * @param {() => void} parts.onChoose The user wants to choose several files.
   */
  constructor(texts, { onChange, onChoose }) {
    this.#input = el("input", {
      type: "search",
      class: "cu-search",
      placeholder: texts.say("search"),
      "aria-label": texts.say("search"),
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => nextFrame(onChange),
    });
    const options = ORDERS.map(([value, key]) => el("option", { value }, texts.say(key)));
    const label = texts.say("order");
    this.#select = el(
      "select",
      { class: "cu-order", "aria-label": label, onchange: onChange },
      ...options,
    );
    const choose = wordButton(texts.say("choose"), { onclick: onChoose });
    choose.classList.add("cu-choose-several");
    this.element = el("div", { class: "cu-toolbar" }, this.#input, this.#select, choose);
  }

  get search() {
    return this.#input.value;
  }

  get order() {
    return /** @type {Order} */ (this.#select.value);
  }

  /** Take the focus, after several files were chosen. */
  focus() {
    /** @type {HTMLElement} */ (this.element.lastElementChild).focus();
  }
}
