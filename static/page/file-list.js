// @ts-check
/**
 * The list of all files, in groups: uploading, needs you, done.
 *
 * A file that changes its group moves there by itself, but never while somebody uses the list: a button must not
 * slip away from under the pointer. What the user does is shown at once.
 */

import { GROUPS } from "./catalog.js";
import { Chosen } from "./chosen.js";
import { el } from "./dom.js";
import { groupOf } from "./entry.js";
import { Group } from "./group.js";
import { Toolbar } from "./toolbar.js";
import { VirtualList } from "./virtual-list.js";

/** @typedef {import("./entry.js").Entry} Entry */
/** @typedef {import("./entry.js").GroupName} GroupName */

/** Milliseconds after the last movement or key in the list before files move by themselves. */
const SETTLING_TIME = 2000;
/** Milliseconds between two rearrangements of very many files. */
const PAUSE_WITH_MANY = 1000;
/** From so many files on. */
const MANY = 500;
/** Files that need neither search nor order. */
const FEW = 1;

/** @type {Record<GroupName, import("./format.js").MessageKey>} */
const TITLES = { uploading: "groupUploading", needs: "groupNeeds", done: "groupDone" };

export class FileList {
  element;
  #parts;
  #catalog;
  #toolbar;
  #chosen;
  #rows;
  /** @type {Record<GroupName, Group>} */
  #groups;
  /** The group in which a file is shown. @type {WeakMap<Entry, GroupName>} */
  #shownIn = new WeakMap();
  #noMatch;
  #count = 0;
  /** When the list was used the last time, as `performance.now()` counts. */
  #used = -Infinity;
  #arranged = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {import("./catalog.js").Catalog} parts.catalog
   * @param {(entry: Entry) => import("./virtual-list.js").Row} parts.createRow
   * @param {HTMLElement} parts.home Takes the focus when the last row is gone.
   * @param {HTMLElement} parts.resumeAll Stands beside what needs the user.
   * @param {() => number} parts.finishedInAll How many finished files the server has, loaded or not.
   * @param {() => void} parts.loadMore
   * @param {() => Promise<void>} parts.loadAll
   * @param {(entries: Entry[]) => Promise<boolean>} parts.remove
   * @param {(entries: Entry[]) => Promise<void>} parts.download
   */
  constructor(texts, parts) {
    const { catalog, home, loadMore, loadAll, remove, download } = parts;
    this.#parts = parts;
    this.#catalog = catalog;
    this.#rows = new VirtualList({
      createRow: (/** @type {Entry} */ entry) => this.#createRow(entry),
      onEnd: loadMore,
      home,
    });
    this.#toolbar = new Toolbar(texts, {
      onChange: () => this.#seek(),
      onChoose: () => this.#chosen.begin(),
    });
    const shown = () => this.#rows.items;
    const onChange = () => this.#showChosen();
    this.#chosen = new Chosen(texts, { shown, loadAll, onChange, remove, download });
    this.#groups = /** @type {any} */ (
      Object.fromEntries(
        GROUPS.map((name) => {
          const action = name === "needs" ? parts.resumeAll : null;
          const onFold = () => this.arrange();
          return [name, new Group(texts, { title: TITLES[name], action, onFold })];
        }),
      )
    );
    this.#noMatch = el("p", { class: "cu-note", hidden: true }, texts.say("noMatch"));
    this.element = el(
      "div",
      { class: "cu-file-list", hidden: true },
      this.#toolbar.element,
      this.#chosen.element,
      this.#rows.element,
      this.#noMatch,
    );
    this.#chosen.element.hidden = true;
    this.#listen();
  }

  #listen() {
    for (const type of ["pointermove", "pointerdown", "keydown", "wheel", "focusin"]) {
      this.#rows.element.addEventListener(type, () => (this.#used = performance.now()), {
        passive: true,
      });
    }
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#chosen.active) this.#chosen.end();
    });
  }

  /** Update a file's row, if it is in the document, and its group. @param {Entry} entry */
  update(entry) {
    this.#rows.rowOf(entry)?.update();
    if (this.#shownIn.get(entry) !== groupOf(entry)) this.arrangeSoon();
  }

  /**
   * Put every file where it belongs, as soon as nobody uses the list.
   *
   * @param {{byUser?: boolean}} [options] `byUser`: the user has just changed something, and waits for it.
   */
  arrangeSoon({ byUser = false } = {}) {
    if (byUser) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    const pause = this.#count > MANY ? this.#arranged + PAUSE_WITH_MANY : 0;
    const due = Math.max(byUser ? 0 : this.#used + SETTLING_TIME, pause) - performance.now();
    if (due <= 0) {
      this.arrange();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.arrangeSoon({ byUser });
    }, due);
  }

  /** Put every file where it belongs, now. */
  arrange() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#arranged = performance.now();
    const { search, order } = this.#toolbar;
    const groups = this.#catalog.grouped({ search, order });
    const shown = GROUPS.filter((name) => groups[name].length > 0);
    for (const name of shown) {
      for (const entry of groups[name]) this.#shownIn.set(entry, name);
      const more = name === "done" && search === "" ? this.#parts.finishedInAll() : 0;
      this.#groups[name].show(Math.max(groups[name].length, more));
    }
    this.#parts.resumeAll.hidden = !groups.needs.some(({ kind }) => kind === "unfinished");
    this.#count = GROUPS.reduce((sum, name) => sum + groups[name].length, 0);
    const sections = shown.map((name) => {
      const { heading, list, folded } = this.#groups[name];
      return { heading, list, items: folded ? [] : groups[name] };
    });
    this.element.hidden = this.#count === 0 && search === "";
    this.#rows.element.hidden = this.#count === 0;
    this.#rows.show(sections);
    this.#noMatch.hidden = this.#count > 0 || search === "";
    if (this.#chosen.active) this.#chosen.update();
    this.#showToolbar(search);
  }

  /** @param {string} search */
  #showToolbar(search) {
    const { active } = this.#chosen;
    this.#toolbar.element.hidden = active || (this.#count <= FEW && search === "");
    this.#chosen.element.hidden = !active;
  }

  /** Search or sort among all files, also those that are not loaded yet. */
  #seek() {
    this.arrange();
    const { search, order } = this.#toolbar;
    if (search !== "" || order !== "newest") void this.#parts.loadAll();
  }

  /** @param {Entry} entry @returns {import("./virtual-list.js").Row} */
  #createRow(entry) {
    const row = this.#parts.createRow(entry);
    const checkbox = this.#chosen.checkbox(entry);
    checkbox.checked = this.#chosen.has(entry);
    row.element.prepend(checkbox);
    return row;
  }

  #showChosen() {
    const { active } = this.#chosen;
    this.#rows.element.toggleAttribute("data-choosing", active);
    for (const [entry, { element }] of this.#rows.rows) {
      const checkbox = element.querySelector(".cu-choose");
      if (checkbox instanceof HTMLInputElement) checkbox.checked = this.#chosen.has(entry);
    }
    const left = !active && this.#chosen.element.contains(document.activeElement);
    this.#showToolbar(this.#toolbar.search);
    if (!left) return;
    if (this.#toolbar.element.hidden) this.#parts.home.focus();
    else this.#toolbar.focus();
  }
}
