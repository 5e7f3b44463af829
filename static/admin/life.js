// @ts-check
/** One upload: all that is recorded, and what happened to it, in a dialog. */

import { wordButton } from "../page/buttons.js";
import { formDialog } from "../page/dialogs.js";
import { el } from "../page/dom.js";

/** @typedef {import("../page/format.js").Texts} Texts */

/** Times among the fields. */
const TIMES = /(_on|^expires)$/;

/**
 * Show an upload until the dialog is closed.
 *
 * @param {HTMLElement} root
 * @param {Texts} texts
 * @param {Record<string, any>} upload
 * @param {HTMLElement} buttons What can be done to it; the dialog closes when one is used.
 */
export function showLife(root, texts, upload, buttons) {
  const { journal, events, filename, ...fields } = upload;
  const lines = Object.entries(fields).flatMap(([name, value]) => [
    el("dt", {}, name),
    el("dd", {}, valueOf(name, value, texts)),
  ]);
  const entries = [...journal.map(entryOf), ...events.map(eventOf)]
    .sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
    .map(({ at, words }) => el("li", {}, [texts.date(at), ...words].filter(Boolean).join(" · ")));
  const close = wordButton(texts.say("adminClose"), { type: "submit" });
  close.autofocus = true;
  const happened = entries.length > 0 && [
    el("h3", {}, texts.say("adminJournal")),
    el("ul", { role: "list" }, ...entries),
  ];
  const list = el("dl", { class: "cu-admin-life" }, ...lines);
  const dialog = formDialog(filename, [buttons, list, ...(happened || [])], [close]);
  buttons.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  root.append(dialog);
  dialog.showModal();
}

/** @param {any} entry Of the journal. */
function entryOf(entry) {
  return { at: entry.at, words: [entry.what, entry.who, entry.detail] };
}

/** @param {any} event What a target was told, or is to be told. */
function eventOf(event) {
  const told = `${event.target}: ${event.status} (${event.attempts})`;
  return { at: event.at, words: [event.type, told, event.problem] };
}

/** @param {string} name @param {any} value @param {Texts} texts */
function valueOf(name, value, texts) {
  if (value === null) return "–";
  if (TIMES.test(name) && typeof value === "string") return `${texts.date(value)} (${value})`;
  if (typeof value === "object") return el("code", {}, JSON.stringify(value));
  return `${value}`;
}
