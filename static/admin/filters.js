// @ts-check
/** The form with the filters and the order. What is set is in the page's address, too. */

import { wordButton } from "../page/buttons.js";
import { el } from "../page/dom.js";

/** @typedef {import("../page/format.js").Texts} Texts */
/** @typedef {import("../page/format.js").MessageKey} MessageKey */

/** Fields of text, by their parameters. @type {[string, MessageKey][]} */
const TEXTS = [
  ["search", "adminSearch"],
  ["owner", "adminOwner"],
  ["storage", "adminStorage"],
  ["older", "adminOlder"],
  ["newer", "adminNewer"],
  ["larger", "adminLarger"],
  ["smaller", "adminSmaller"],
];

/** @type {[string, MessageKey][]} */
const STATUSES = [
  ["", "adminAny"],
  ["uploading", "adminUploading"],
  ["complete", "adminComplete"],
  ["expired", "adminExpired"],
  ["hook-waiting", "adminHookWaiting"],
];

/** @type {[string, MessageKey][]} */
const SORTS = [
  ["", "adminNewest"],
  ["oldest", "adminOldest"],
  ["largest", "adminLargest"],
  ["smallest", "adminSmallest"],
  ["name", "adminByName"],
  ["expires", "adminByExpiry"],
];

export class Filters {
  element;
  #texts;

  /** @param {Texts} texts @param {(query: URLSearchParams) => void} onChange */
  constructor(texts, onChange) {
    this.#texts = texts;
    const show = wordButton(texts.say("adminShow"), { type: "submit", kind: "primary" });
    const clear = wordButton(texts.say("adminReset"), { onclick: () => this.#clear() });
    const [search, ...fields] = TEXTS.map(([name, key]) => this.#field(key, el("input", { name })));
    this.element = el(
      "form",
      { class: "cu-admin-filters", role: "search" },
      search,
      this.#field("adminStatus", this.#choice("status", STATUSES)),
      this.#field("adminSet", el("select", { name: "set" }, this.#option("", "adminAny"))),
      ...fields,
      this.#field("adminSort", this.#choice("sort", SORTS)),
      el("div", { class: "cu-admin-buttons" }, show, clear),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const search_ = this.query.toString();
      history.replaceState(null, "", search_ ? `?${search_}` : location.pathname);
      onChange(this.query);
    });
    this.#fill(new URLSearchParams(location.search));
  }

  /** What is asked for; a field that is empty does not matter. */
  get query() {
    const fields = [...new FormData(this.element)].map(([name, value]) => [
      name,
      `${value}`.trim(),
    ]);
    return new URLSearchParams(fields.filter(([, value]) => value !== ""));
  }

  /** Offer the upload sets that there are. @param {string[]} names */
  offer(names) {
    const select = this.#named("set");
    if (select.options.length > 1) return;
    select.append(...names.map((name) => el("option", { value: name }, name)));
    select.value = new URLSearchParams(location.search).get("set") ?? "";
    /** @type {HTMLElement} */ (select.parentElement).hidden = names.length < 2;
  }

  /** @param {URLSearchParams} query */
  #fill(query) {
    for (const [name, value] of query) {
      const field = this.element.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) {
        field.value = value;
      }
    }
  }

  #clear() {
    this.element.reset();
    this.element.requestSubmit();
  }

  /** @param {string} name */
  #named(name) {
    return /** @type {HTMLSelectElement} */ (this.element.elements.namedItem(name));
  }

  /** @param {MessageKey} key @param {HTMLElement} input */
  #field(key, input) {
    return el("label", {}, el("span", {}, this.#texts.say(key)), input);
  }

  /** @param {string} name @param {[string, MessageKey][]} choices */
  #choice(name, choices) {
    return el("select", { name }, ...choices.map(([value, key]) => this.#option(value, key)));
  }

  /** @param {string} value @param {MessageKey} key */
  #option(value, key) {
    return el("option", { value }, this.#texts.say(key));
  }
}
