// @ts-check
/** A row of a list: a thumbnail, a name that keeps its end when it is too long, actions. */

import { el } from "./dom.js";

/**
 * Make a row.
 *
 * @param {object} parts
 * @param {string} parts.name With its folder, where it has one.
 * @param {HTMLElement} parts.thumbnail
 * @param {(Node | string | null)[]} parts.details Shown below the name.
 * @param {(Node | null)[]} parts.actions
 */
export function listRow({ name, thumbnail, details, actions }) {
  return el(
    "li",
    { class: "cu-row" },
    thumbnail,
    el("div", { class: "cu-row-main" }, nameLine(name), ...details),
    el("div", { class: "cu-actions" }, ...actions),
  );
}

/**
 * Where space is scarce, the folder gives way first, then the middle of the name: its end tells the type.
 *
 * @param {string} path
 */
function nameLine(path) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, path.length - name.length);
  const suffix = /.(\.[\p{L}\p{N}]{1,5})$/u.exec(name)?.[1] ?? "";
  const stem = name.slice(0, name.length - suffix.length);
  const seen = { "aria-hidden": "true" };
  return el(
    "p",
    { class: "cu-name", title: path, dir: "auto" },
    el("span", { class: "cu-unseen" }, path),
    folder && el("span", { ...seen, class: "cu-folder" }, folder),
    el("span", { ...seen, class: "cu-stem" }, stem),
    el("span", seen, suffix),
  );
}

/**
 * Return where the focus goes when a row leaves its list: to the next row, else the previous one, else
 * the given element.
 *
 * @param {Element} row
 * @param {HTMLElement} otherwise
 * @returns {(HTMLElement | null)[]} Candidates, in order; empty when the focus is not in the row.
 */
export function focusAfter(row, otherwise) {
  if (!row.contains(document.activeElement)) return [];
  const near = [row.nextElementSibling, row.previousElementSibling];
  /** @type {(HTMLElement | null)[]} */
  const actions = near.map(
    (other) => other?.querySelector(".cu-actions :not([hidden], :disabled)") ?? null,
  );
  return [...actions, otherwise];
}
