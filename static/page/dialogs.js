// @ts-check
/** Questions, in native dialogs: they hold the focus, close with Escape, and return the focus. */

import { wordButton } from "./buttons.js";
import { el } from "./dom.js";

/**
 * Asks whether to delete something.
 *
 * @typedef {(words: {title: string, body: string, confirm: string, keep: string}) => Promise<boolean>} Confirm
 */

let made = 0;

/**
 * Make a dialog with a form in it.
 *
 * @param {string} title
 * @param {(Node | string | false)[]} content
 * @param {HTMLButtonElement[]} buttons
 */
export function formDialog(title, content, buttons) {
  const id = `cu-dialog-${(made += 1)}`;
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id }, title),
    ...content,
    el("div", { class: "cu-dialog-buttons" }, ...buttons),
  );
  return el("dialog", { class: "cu-dialog", "aria-labelledby": id }, form);
}

/**
 * Ask whether to delete something. The safe answer has the focus.
 *
 * @param {HTMLElement} root Where the dialog is put while it is open.
 * @param {{title: string, body: string, confirm: string, keep: string}} words
 * @returns {Promise<boolean>}
 */
export function confirmRemoval(root, words) {
  const keep = wordButton(words.keep, { type: "submit" });
  const confirm = wordButton(words.confirm, { type: "submit", kind: "danger" });
  keep.autofocus = true;
  confirm.value = "confirm";
  const dialog = formDialog(words.title, [el("p", {}, words.body)], [keep, confirm]);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "confirm");
    });
    root.append(dialog);
    dialog.showModal();
  });
}
