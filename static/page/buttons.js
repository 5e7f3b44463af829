// @ts-check
/** Buttons with words, and icon buttons with a label. */

import { el, setAttribute, setText } from "./dom.js";
import { icon, setIcon } from "./icons.js";

/** @typedef {import("./icons.js").IconName} IconName */
/** @typedef {(event: MouseEvent) => void} OnClick */

/**
 * Make a button with words.
 *
 * @param {string} words
 * @param {{onclick?: OnClick, kind?: "primary" | "danger", icon?: IconName, label?: string,
 *   hidden?: boolean, type?: "button" | "submit"}} [options] `label`: for screen readers, when the words
 *   alone do not name the file.
 */
export function wordButton(
  words,
  { onclick, kind, icon: name, label, hidden, type = "button" } = {},
) {
  const style = kind ? `cu-button cu-${kind}` : "cu-button";
  const properties = { class: style, type, hidden, "aria-label": label };
  const button = el("button", properties, name && icon(name), el("span", {}, words));
  if (onclick) button.addEventListener("click", whileOn(button, onclick));
  return button;
}

/**
 * Make a button with an icon.
 *
 * @param {IconName} name
 * @param {string} label
 * @param {OnClick} onclick
 */
export function iconButton(name, label, onclick) {
  const button = el("button", { class: "cu-icon-button", type: "button" }, icon(name));
  button.addEventListener("click", whileOn(button, onclick));
  setIconButton(button, name, label);
  return button;
}

/**
 * Change the icon and label of a button (or link) in place, so that it keeps the focus.
 *
 * @param {HTMLElement} button
 * @param {IconName} name
 * @param {string} label
 */
export function setIconButton(button, name, label) {
  setIcon(/** @type {SVGSVGElement} */ (button.firstElementChild), name);
  setAttribute(button, "aria-label", label);
  setAttribute(button, "title", label);
}

/**
 * Switch a button off or on. It keeps the focus, which a `disabled` button would lose: the user may have
 * just used it.
 *
 * @param {HTMLElement} button
 * @param {boolean} off
 */
export function switchOff(button, off) {
  setAttribute(button, "aria-disabled", off ? "true" : null);
}

/** @param {HTMLElement} button @param {OnClick} onclick @returns {OnClick} */
function whileOn(button, onclick) {
  return (event) => {
    if (button.ariaDisabled !== "true") onclick(event);
  };
}

/** @param {HTMLButtonElement} button @param {string} words */
export function setWords(button, words) {
  setText(/** @type {Element} */ (button.lastElementChild), words);
}
