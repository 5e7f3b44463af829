// @ts-check
/** Several files, chosen to be deleted or downloaded together. */

import { switchOff, wordButton } from "./buttons.js";
import { el, setText } from "./dom.js";
import { pathOf, recordOf, sizeOf } from "./entry.js";

/** @typedef {import("./entry.js").Entry} Entry */

export class Chosen {
  element;
  /** Whether the user is choosing. */
  active = false;
  #texts;
  #parts;
  /** @type {Set<Entry>} */
  #entries = new Set();
  /** From here a range is chosen with the shift key. @type {Entry | null} */
  #last = null;
  #all;
  #words = el("span", { "aria-live": "polite" });
  #download;
  #delete;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {() => Entry[]} parts.shown The files in the list, from top to bottom.
   * @param {() => Promise<void>} parts.loadAll Loads what the server has, so that all are chosen.
   * @param {() => void} parts.onChange
   * @param {(entries: Entry[]) => Promise<boolean>} parts.remove Asks, and deletes.
   * @param {(entries: Entry[]) => Promise<void>} parts.download
   */
  constructor(texts, parts) {
    this.#texts = texts;
    this.#parts = parts;
    this.#all = el("input", { type: "checkbox", onchange: () => this.#chooseAll() });
    this.#download = wordButton(texts.say("downloadChosen"), {
      icon: "download",
      onclick: () => void parts.download([...this.#entries].filter(recordOf)),
    });
    this.#delete = wordButton(texts.say("deleteChosen"), {
      icon: "delete",
      onclick: () => this.#remove(),
    });
    const finish = wordButton(texts.say("chooseEnd"), { onclick: () => this.end() });
    this.element = el(
      "div",
      { class: "cu-toolbar cu-chosen", role: "group", "aria-label": texts.say("choose") },
      el("label", {}, this.#all, el("span", {}, texts.say("chooseAll"))),
      this.#words,
      this.#download,
      this.#delete,
      finish,
    );
  }

  begin() {
    this.active = true;
    this.#changed();
    this.#all.focus();
  }

  end() {
    this.active = false;
    this.#entries.clear();
    this.#changed();
  }

  /** Make the box of a row. @param {Entry} entry */
  checkbox(entry) {
    const label = this.#texts.say("chooseOne", { name: pathOf(entry) });
    const input = el("input", { type: "checkbox", class: "cu-choose", "aria-label": label });
    input.addEventListener("click", (event) => this.#toggle(entry, input.checked, event.shiftKey));
    return input;
  }

  /** @param {Entry} entry */
  has(entry) {
    return this.#entries.has(entry);
  }

  /** Forget files that are no longer listed. */
  update() {
    const shown = new Set(this.#parts.shown());
    for (const entry of this.#entries) if (!shown.has(entry)) this.#entries.delete(entry);
    this.#show(shown.size);
  }

  /** Choose all files, whether in sight or not. */
  async #chooseAll() {
    const { checked } = this.#all;
    this.#entries.clear();
    if (checked) {
      await this.#parts.loadAll();
      for (const entry of this.#parts.shown()) this.#entries.add(entry);
    }
    this.#changed();
  }

  /** @param {Entry} entry @param {boolean} chosen @param {boolean} range */
  #toggle(entry, chosen, range) {
    for (const one of range ? this.#rangeTo(entry) : [entry]) {
      if (chosen) this.#entries.add(one);
      else this.#entries.delete(one);
    }
    this.#last = entry;
    this.#changed();
  }

  /** @param {Entry} entry */
  #rangeTo(entry) {
    const shown = this.#parts.shown();
    const [from, to] = [this.#last ?? entry, entry].map((one) => shown.indexOf(one));
    return from < 0 ? [entry] : shown.slice(Math.min(from, to), Math.max(from, to) + 1);
  }

  #changed() {
    this.#show(this.#parts.shown().length);
    this.#parts.onChange();
  }

  /** @param {number} all */
  #show(all) {
    const chosen = [...this.#entries];
    const size = this.#texts.size(chosen.reduce((sum, entry) => sum + sizeOf(entry), 0));
    setText(this.#words, this.#texts.say("chosen", { count: chosen.length, size }));
    this.#all.checked = all > 0 && chosen.length === all;
    this.#all.indeterminate = chosen.length > 0 && chosen.length < all;
    switchOff(this.#download, !chosen.some(recordOf));
    switchOff(this.#delete, chosen.length === 0);
  }

  async #remove() {
    if (await this.#parts.remove([...this.#entries])) this.end();
  }
}
