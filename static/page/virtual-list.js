// @ts-check
/**
 * A long list in a box that scrolls: only the rows in sight, and some around them, are in the document. So 50,000
 * files cost as much as 30, and the page stays short.
 *
 * Rows may differ in height. Each is measured while it is in the document; until then it counts as high as
 * the others. Rows are put in their places by `transform`: when one leaves, the others glide, and nothing
 * is laid out again.
 */

import { el, focusFirst, nextFrame, setAttribute } from "./dom.js";
import { focusAfter } from "./row.js";

/**
 * @template Item
 * @typedef {object} Section
 * @property {HTMLElement} heading
 * @property {HTMLElement} list A `ul` for the rows.
 * @property {Item[]} items
 */

/** @typedef {{element: HTMLElement, update: () => void}} Row */

/** Pixels above and below the box in which rows are kept, so that scrolling shows no gaps. */
const AROUND = 600;
/** Pixels that a row counts until one has been measured. */
const USUAL_HEIGHT = 84;

/** @template {object} Item */
export class VirtualList {
  element;
  #content;
  #createRow;
  #onEnd;
  #home;
  /** @type {Section<Item>[]} */
  #sections = [];
  /** Headings and items from top to bottom. @type {Place<Item>[]} */
  #places = [];
  /** @type {Map<Item, Row>} */
  #rows = new Map();
  /** Measured heights in pixels, of headings and items; of a `ul`: of one of its rows. @type {WeakMap<object, number>} */
  #heights = new WeakMap();
  /** @type {WeakMap<Element, object>} */
  #measured = new WeakMap();
  #observer = new ResizeObserver((entries) => this.#measure(entries));

  /**
   * @param {object} parts
   * @param {(item: Item) => Row} parts.createRow
   * @param {() => void} parts.onEnd Called when the end is in sight.
   * @param {HTMLElement} parts.home Takes the focus when the last row is gone.
   */
  constructor({ createRow, onEnd, home }) {
    this.#createRow = createRow;
    this.#onEnd = onEnd;
    this.#home = home;
    this.#content = el("div", { class: "cu-scroll-content" });
    this.element = el("div", { class: "cu-scroll" }, this.#content);
    this.element.addEventListener("scroll", () => nextFrame(this.#render));
    this.#observer.observe(this.element);
  }

  /** Return an item's row, if it is in the document. @param {Item} item */
  rowOf(item) {
    return this.#rows.get(item);
  }

  /** The rows in the document. */
  get rows() {
    return this.#rows.entries();
  }

  /** All items, from top to bottom. */
  get items() {
    return this.#sections.flatMap(({ items }) => items);
  }

  /**
   * Show other items.
   *
   * @param {Section<Item>[]} sections Those without a heading to show are left out by the caller.
   */
  show(sections) {
    const anchor = this.#anchor();
    const before = this.#sections;
    this.#sections = sections;
    for (const { heading, list } of sections) {
      if (heading.isConnected) continue;
      this.#watch(heading, heading);
      this.#content.append(heading, list);
    }
    placeInOrder(
      this.#content,
      sections.flatMap(({ heading, list }) => [heading, list]),
    );
    this.#arrange();
    this.#hold(anchor);
    this.#render();
    // At last: its rows have moved to other sections, with the focus.
    for (const { heading, list } of before) {
      if (sections.some((section) => section.heading === heading)) continue;
      this.#observer.unobserve(heading);
      heading.remove();
      list.remove();
    }
  }

  /** Compute where everything is. */
  #arrange() {
    let top = 0;
    this.#places = [];
    for (const section of this.#sections) {
      const { heading, items } = section;
      this.#places.push({ section, item: null, at: 0, top });
      top += this.#heights.get(heading) ?? 0;
      for (const [at, item] of items.entries()) {
        this.#places.push({ section, item, at, top });
        // Until it is measured: as high as another row of its section.
        top += this.#heights.get(item) ?? this.#heights.get(section.list) ?? USUAL_HEIGHT;
      }
    }
    this.#content.style.blockSize = `${top}px`;
  }

  // A field, since `nextFrame` knows a task by its identity.
  #render = () => {
    const shown = this.#inSight();
    const wanted = new Set(shown.map(({ item }) => item));
    for (const [item, row] of this.#rows) if (!wanted.has(item)) this.#drop(item, row);
    for (const { heading, list } of this.#sections) {
      const own = shown.filter(({ section, item }) => section.list === list && item !== null);
      const rows = own.map((place) => this.#put(place));
      placeInOrder(list, rows);
      const place = shown.find(({ section, item }) => section.list === list && item === null);
      if (place) move(heading, place.top);
      heading.hidden = place === undefined;
      list.hidden = rows.length === 0;
    }
    if (shown.at(-1) === this.#places.at(-1)) this.#onEnd();
  };

  /** Places in the box or near it, and the one that has the focus. */
  #inSight() {
    const { scrollTop, clientHeight } = this.element;
    const from = this.#placeAt(scrollTop - AROUND);
    const to = this.#placeAt(scrollTop + clientHeight + AROUND);
    const shown = this.#places.slice(from, to + 1);
    const focused = this.#focusedItem();
    if (focused === null || shown.some(({ item }) => item === focused)) return shown;
    const place = this.#places.find(({ item }) => item === focused);
    if (place === undefined) return shown;
    return [...shown, place].sort((a, b) => a.top - b.top);
  }

  /** Return the index of the last place that begins above a height. @param {number} top */
  #placeAt(top) {
    let [low, high] = [0, this.#places.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#places[middle].top <= top) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #focusedItem() {
    const focused = document.activeElement;
    if (!this.#content.contains(focused)) return null;
    for (const [item, { element }] of this.#rows) if (element.contains(focused)) return item;
    return null;
  }

  /** Put an item's row in its place. @param {Place<Item>} place */
  #put({ section, item, at, top }) {
    const wanted = /** @type {Item} */ (item);
    let row = this.#rows.get(wanted);
    if (row === undefined) {
      row = this.#createRow(wanted);
      row.update();
      this.#rows.set(wanted, row);
      this.#watch(row.element, wanted);
    }
    setAttribute(row.element, "aria-setsize", section.items.length);
    setAttribute(row.element, "aria-posinset", at + 1);
    move(row.element, top);
    return row.element;
  }

  /** @param {Item} item @param {Row} row */
  #drop(item, row) {
    this.#rows.delete(item);
    this.#observer.unobserve(row.element);
    const focus = focusAfter(row.element, this.#home);
    row.element.remove();
    focusFirst(focus);
  }

  /** @param {Element} element @param {object} owner */
  #watch(element, owner) {
    this.#measured.set(element, owner);
    this.#observer.observe(element);
  }

  /** @param {ResizeObserverEntry[]} entries */
  #measure(entries) {
    let changed = false;
    for (const { target, borderBoxSize } of entries) {
      const owner = this.#measured.get(target);
      const height = borderBoxSize[0].blockSize;
      if (owner === undefined || height === 0 || this.#heights.get(owner) === height) continue;
      this.#heights.set(owner, height);
      if (owner !== target && target.parentElement) this.#heights.set(target.parentElement, height);
      changed = true;
    }
    if (changed) this.#replace();
    nextFrame(this.#render);
  }

  /** Put what is in the document where it belongs now. Rows that come into sight follow in the next frame. */
  #replace() {
    const anchor = this.#anchor();
    this.#arrange();
    for (const { section, item, top } of this.#places) {
      const element = item === null ? section.heading : this.#rows.get(item)?.element;
      if (element) move(element, top);
    }
    this.#hold(anchor);
  }

  /** The first item in sight, and how far it is from the top; null at the top, where nothing is held. */
  #anchor() {
    const { scrollTop } = this.element;
    if (scrollTop === 0) return null;
    const { item, top } = this.#places[this.#placeAt(scrollTop)];
    return item && { item, distance: top - scrollTop };
  }

  /** Keep an item where it was for the eye. @param {{item: Item, distance: number} | null} anchor */
  #hold(anchor) {
    const place = anchor && this.#places.find(({ item }) => item === anchor.item);
    if (!place) return;
    const wanted = place.top - anchor.distance;
    if (Math.abs(this.element.scrollTop - wanted) < 1) return;
    // Scrolled instead of glided.
    this.#content.toggleAttribute("data-still", true);
    this.element.scrollTop = wanted;
    requestAnimationFrame(() => this.#content.toggleAttribute("data-still", false));
  }
}

/**
 * @template Item
 * @typedef {object} Place
 * @property {Section<Item>} section
 * @property {Item | null} item Null: the heading.
 * @property {number} at Index in its section.
 * @property {number} top In pixels.
 */

/** @param {HTMLElement} element @param {number} top */
function move(element, top) {
  const wanted = `translateY(${top}px)`;
  if (element.style.transform !== wanted) element.style.transform = wanted;
}

/**
 * Give a parent's children an order. An element that has to be moved keeps the focus.
 *
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} wanted
 */
function placeInOrder(parent, wanted) {
  let next = parent.firstElementChild;
  for (const element of wanted) {
    if (element === next) {
      next = next.nextElementSibling;
      continue;
    }
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    parent.insertBefore(element, next);
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
