// @ts-check
/** A row of a list: a badge, a name that keeps its end when it is too long, actions. */

import { el } from "./dom.js";

/**
 * Make a row.
 *
 * @param {string} name
 * @param {(Node | string | null)[]} details Shown below the name.
 * @param {(Node | null)[]} actions
 */
export function listRow(name, details, actions) {
  const { suffix, badge } = splitName(name);
  return el(
    "li",
    { class: "cu-row" },
    el("span", { class: "cu-badge", "aria-hidden": "true" }, badge),
    el("div", { class: "cu-row-main" }, nameLine(name, suffix), ...details),
    el("div", { class: "cu-actions" }, ...actions),
  );
}

/** @param {string} name @param {string} suffix */
function nameLine(name, suffix) {
  const stem = name.slice(0, name.length - suffix.length);
  const seen = { "aria-hidden": "true" };
  return el(
    "p",
    { class: "cu-name", title: name, dir: "auto" },
    el("span", { class: "cu-unseen" }, name),
    el("span", { ...seen, class: "cu-stem" }, stem),
    el("span", seen, suffix),
  );
}

/** @param {string} name */
function splitName(name) {
  const suffix = /[^/]\.([\p{L}\p{N}]{1,5})$/u.exec(name)?.[1] ?? "";
  return { suffix: suffix && `.${suffix}`, badge: suffix.slice(0, 4).toUpperCase() };
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
