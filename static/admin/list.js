// @ts-check
/** All uploads, a page at a time: a table whose rows can be selected. */

import { wordButton } from "../page/buttons.js";
import { el } from "../page/dom.js";
import { expiryOf, receivedOf, statusOf } from "./words.js";

/** @typedef {import("./words.js").Listed} Listed */
/** @typedef {import("../page/format.js").MessageKey} MessageKey */

/** The columns after the one with the checkbox. @type {MessageKey[]} */
const COLUMNS = [
  "adminName",
  "adminStatus",
  "adminSize",
  "adminOwner",
  "adminStorage",
  "adminCreated",
  "adminExpires",
];

export class UploadList {
  element = el("div");
  #texts;
  #ask;
  #open;
  #changed;
  #body = el("tbody");
  #empty;
  #all;
  #pages = el("div", { class: "cu-admin-buttons" });
  /** @type {Listed[]} */
  #shown = [];
  /** @type {Set<string>} */
  #selected = new Set();
  /** Where the pages before this one began. @type {string[]} */
  #before = [];
  #after = "";
  #query = new URLSearchParams();

  /**
   * @param {import("../page/format.js").Texts} texts
   * @param {object} parts
   * @param {(query: URLSearchParams) => Promise<{uploads: Listed[], next: string | null}>} parts.ask
   * @param {(upload: Listed) => void} parts.open Called for the upload whose name is chosen.
   * @param {() => void} parts.changed Called when other rows are selected.
   */
  constructor(texts, { ask, open, changed }) {
    this.#texts = texts;
    this.#ask = ask;
    this.#open = open;
    this.#changed = changed;
    this.#empty = el("p", { hidden: true }, texts.say("adminEmpty"));
    this.#all = el("input", { type: "checkbox", "aria-label": texts.say("adminSelectAll") });
    this.#all.addEventListener("change", () => this.#selectAll(this.#all.checked));
    const heads = COLUMNS.map((key) => el("th", { scope: "col" }, texts.say(key)));
    const head = el("thead", {}, el("tr", {}, el("td", {}, this.#all), ...heads));
    this.element.append(el("table", {}, head, this.#body), this.#empty, this.#pages);
  }

  /** @returns {Listed[]} */
  get selected() {
    return this.#shown.filter((upload) => this.#selected.has(upload.upload_id));
  }

  /** Show the first page of what a query asks for. @param {URLSearchParams} query */
  async show(query) {
    this.#query = query;
    this.#before = [];
    await this.#load("");
  }

  /** Load the page again that is shown. */
  refresh() {
    return this.#load(this.#after);
  }

  /** @param {string} after */
  async #load(after) {
    const query = new URLSearchParams(this.#query);
    if (after) query.set("after", after);
    const { uploads, next } = await this.#ask(query);
    this.#after = after;
    this.#shown = uploads;
    this.#selected.clear();
    this.#all.checked = false;
    this.#body.replaceChildren(...uploads.map((upload) => this.#row(upload)));
    this.#empty.hidden = uploads.length > 0;
    this.#showPages(next);
    this.#changed();
  }

  /** @param {string | null} next */
  #showPages(next) {
    const buttons = [];
    if (this.#before.length > 0) {
      const back = () => this.#load(this.#before.pop() ?? "");
      buttons.push(wordButton(this.#texts.say("adminBack"), { onclick: () => void back() }));
    }
    if (next !== null) {
      const forward = () => {
        this.#before.push(this.#after);
        return this.#load(next);
      };
      buttons.push(wordButton(this.#texts.say("adminNext"), { onclick: () => void forward() }));
    }
    this.#pages.replaceChildren(...buttons);
  }

  /** @param {Listed} upload */
  #row(upload) {
    const texts = this.#texts;
    const label = texts.say("adminSelect", { name: upload.filename });
    const box = el("input", { type: "checkbox", "aria-label": label });
    box.addEventListener("change", () => this.#select(upload, box.checked));
    const onclick = () => this.#open(upload);
    const name = el("button", { type: "button", class: "cu-admin-name", onclick }, upload.filename);
    const cells = [
      name,
      statusOf(upload, texts),
      receivedOf(upload, texts),
      upload.owner ?? "–",
      upload.storage ?? "–",
      texts.date(upload.created_on),
      expiryOf(upload, texts),
    ];
    const labelled = cells.map((cell, n) =>
      el("td", { "data-label": texts.say(COLUMNS[n]) }, el("span", {}, cell)),
    );
    return el("tr", {}, el("td", { "data-label": "" }, box), ...labelled);
  }

  /** @param {Listed} upload @param {boolean} on */
  #select(upload, on) {
    if (on) this.#selected.add(upload.upload_id);
    else this.#selected.delete(upload.upload_id);
    this.#changed();
  }

  /** @param {boolean} on */
  #selectAll(on) {
    this.#selected = new Set(on ? this.#shown.map((upload) => upload.upload_id) : []);
    for (const box of this.#body.querySelectorAll("input")) box.checked = on;
    this.#changed();
  }
}
