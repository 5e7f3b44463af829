// @ts-check
/** What is stored in all, what is active, and what has failed. */

import { el } from "../page/dom.js";
import { receivedOf } from "./words.js";

/** @typedef {import("../page/format.js").Texts} Texts */
/** @typedef {import("./words.js").Listed} Listed */
/** @typedef {{uploads: number, bytes: number}} Sum */

/**
 * @typedef {object} Totals
 * @property {Record<string, Sum>} statuses
 * @property {Record<string, Sum>} storages
 * @property {number} hooks_waiting
 * @property {(Sum & {owner: string | null})[]} owners
 * @property {{storage: string, place: string, free: number | null, used: number | null,
 *   size: number | null}[]} disks
 */

/**
 * @typedef {object} Failure
 * @property {string} at
 * @property {string} what
 * @property {string | null} upload_id
 * @property {string | null} who
 * @property {number | null} status
 * @property {string | null} detail
 * @property {number} times
 */

/** @param {Totals} totals @param {Texts} texts */
export function totalsOf(totals, texts) {
  const storages = Object.entries(totals.storages).map(([name, sum]) =>
    line(name || texts.say("adminNoStorage"), sum, texts),
  );
  const owners = totals.owners.map((one) =>
    line(one.owner ?? texts.say("adminNoOwner"), one, texts),
  );
  const statuses = Object.entries(totals.statuses).map(([name, sum]) => line(name, sum, texts));
  const waits =
    totals.hooks_waiting > 0 &&
    el(
      "p",
      { class: "cu-admin-bad" },
      texts.say("adminHooksWaiting", { count: totals.hooks_waiting }),
    );
  return el(
    "div",
    { class: "cu-admin-figures" },
    panel(texts.say("adminByStatus"), el("dl", {}, ...statuses), waits),
    panel(texts.say("adminByStorage"), el("dl", {}, ...storages), ...disks(totals, texts)),
    panel(texts.say("adminByOwner"), el("dl", {}, ...owners.slice(0, 10))),
  );
}

/** @param {(Listed & {write_lease: boolean})[]} uploads @param {Texts} texts @param {(upload: Listed) => void} open */
export function activeOf(uploads, texts, open) {
  if (uploads.length === 0) return el("p", {}, texts.say("adminActiveNone"));
  const items = uploads.map((upload) => {
    const onclick = () => open(upload);
    const name = el("button", { type: "button", class: "cu-admin-name", onclick }, upload.filename);
    const about = `${receivedOf(upload, texts)} · ${upload.owner ?? texts.say("adminNoOwner")}`;
    return el("li", {}, name, " ", el("span", { class: "cu-quiet" }, about));
  });
  return el("ul", { class: "cu-admin-panel", role: "list" }, ...items);
}

/** @param {Failure[]} failures @param {Texts} texts */
export function failuresOf(failures, texts) {
  if (failures.length === 0) return el("p", {}, texts.say("adminFailuresNone"));
  /** @type {import("../page/format.js").MessageKey[]} */
  const columns = ["adminFailureTime", "adminFailure", "adminOwner", "adminFailureDetail"];
  const head = columns.map((key) => el("th", { scope: "col" }, texts.say(key)));
  const rows = failures.map((one) => {
    const times = one.times > 1 && texts.say("adminTimes", { count: one.times });
    const what = [one.what, one.status, times].filter(Boolean).join(" · ");
    const detail = [one.detail, one.upload_id].filter(Boolean).join(" · ");
    const cells = [texts.date(one.at), what, one.who ?? "–", detail];
    return el(
      "tr",
      {},
      ...cells.map((cell, n) =>
        el("td", { "data-label": texts.say(columns[n]) }, el("span", {}, cell)),
      ),
    );
  });
  const body = el("tbody", {}, ...rows);
  return el("table", {}, el("thead", {}, el("tr", {}, ...head)), body);
}

/** @param {Totals} totals @param {Texts} texts */
function disks({ disks: found }, texts) {
  return found.flatMap(({ place, free, used, size }) => {
    if (free === null || size === null) return [el("p", { class: "cu-quiet" }, place)];
    const words = texts.say("adminDisk", { free: texts.size(free), size: texts.size(size), place });
    const meter = el("meter", { min: 0, max: size, value: used, "aria-label": words });
    return [el("p", { class: "cu-quiet" }, words), meter];
  });
}

/** @param {string} title @param {(Node | false)[]} content */
function panel(title, ...content) {
  return el("div", { class: "cu-admin-panel" }, el("h3", {}, title), ...content);
}

/** @param {string} name @param {Sum} sum @param {Texts} texts */
function line(name, { uploads, bytes }, texts) {
  const count = texts.say("adminCount", { count: uploads });
  return el(
    "div",
    {},
    el("dt", {}, name),
    el("dd", { class: "cu-admin-number" }, count),
    el("dd", { class: "cu-admin-number" }, texts.size(bytes)),
  );
}
