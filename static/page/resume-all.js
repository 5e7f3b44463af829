// @ts-check
/**
 * "Resume all": continues every unfinished upload from before with one click. Those whose files the browser cannot
 * open by itself are asked for together: several files, or the folder they are in.
 */

import { wordButton } from "./buttons.js";
import { formDialog } from "./dialogs.js";
import { el } from "./dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload/types.js").Remembered} Remembered */
/** @typedef {import("./entry.js").Resumable} Resumable */
/** @typedef {import("./picker.js").Picked} Picked */

/** File names that the question lists. */
const MAX_NAMES = 6;

export class ResumeAll {
  element;
  #texts;
  #parts;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {HTMLElement} parts.root Where the question is put while it is open.
   * @param {Pick<ChunkedUploader, "reopenAll">} parts.uploader
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {() => Resumable[]} parts.unfinished
   * @param {(from: {folder: boolean}) => Promise<Picked[]>} parts.pickSeveral
   * @param {(picked: Picked[]) => void} parts.take
   * @param {import("./unfinished-row.js").UnfinishedParts["replace"]} parts.replace
   */
  constructor(texts, parts) {
    this.#texts = texts;
    this.#parts = parts;
    const label = texts.say("resumeAllUnfinished");
    const onclick = () => void this.#resume();
    this.element = wordButton(texts.say("resumeAll"), { icon: "resume", label, onclick });
  }

  async #resume() {
    const unfinished = this.#parts.unfinished();
    const remembered = unfinished.flatMap((one) => one.remembered ?? []);
    const closed = new Set(await this.#parts.uploader.reopenAll(remembered));
    const left = unfinished.filter((one) => one.remembered === null || closed.has(one.remembered));
    if (left.length > 0) this.#ask(left);
  }

  /** @param {Resumable[]} wanted */
  #ask(wanted) {
    const texts = this.#texts;
    const later = wordButton(texts.say("notNow"), { type: "submit" });
    const files = wordButton(texts.say("chooseFiles"), {
      kind: "primary",
      onclick: () => this.#choose(dialog, wanted, { folder: false }),
    });
    const folder = wordButton(texts.say("chooseFolder"), {
      onclick: () => this.#choose(dialog, wanted, { folder: true }),
    });
    files.autofocus = true;
    const names = wanted.slice(0, MAX_NAMES).map(({ path }) => el("li", { dir: "auto" }, path));
    const more = wanted.length - names.length;
    const content = [
      el("p", {}, texts.say("chooseAgainBody")),
      el("ul", { class: "cu-names" }, ...names),
      more > 0 && el("p", { class: "cu-quiet" }, texts.say("chooseAgainMore", { count: more })),
    ];
    const title = texts.say("chooseAgainTitle", { count: wanted.length });
    const dialog = formDialog(title, content, [later, folder, files]);
    dialog.addEventListener("close", () => dialog.remove());
    this.#parts.root.append(dialog);
    dialog.showModal();
  }

  /**
   * @param {HTMLDialogElement} dialog
   * @param {Resumable[]} wanted
   * @param {{folder: boolean}} from
   */
  async #choose(dialog, wanted, from) {
    const picked = await this.#parts.pickSeveral(from);
    if (picked.length === 0) return;
    dialog.close();
    const { matched, changed, others } = match(picked, wanted);
    if (matched.length > 0) this.#parts.take(matched);
    for (const { resumable, picked: one } of changed) {
      if (await this.#parts.replace(resumable, one.file)) this.#parts.take([one]);
    }
    // A folder has other files as well, of course.
    if (others.length === 0 || (from.folder && matched.length + changed.length > 0)) return;
    const values = { count: others.length, name: others[0].file.name };
    this.#parts.toasts.show(this.#texts.say("notAmongThem", values));
  }
}

/**
 * Find the files that were asked for, by path, name and size. The library makes sure later that a file is the same
 * one. Files with the name of one that is missing, but another size, have changed.
 *
 * @param {Picked[]} picked
 * @param {Resumable[]} wanted
 */
export function match(picked, wanted) {
  // By name, since there may be thousands of both.
  /** @type {Map<string, Resumable[]>} */
  const left = new Map();
  for (const one of wanted) left.set(one.name, [...(left.get(one.name) ?? []), one]);
  /** @param {Picked} one @param {(resumable: Resumable) => boolean} fits */
  const find = ({ file, path = file.name }, fits) => {
    const namesakes = left.get(file.name) ?? [];
    const fitting = namesakes.filter(fits);
    const best =
      fitting.find((resumable) => resumable.path === path) ??
      fitting.find((resumable) => path.endsWith(`/${resumable.path}`)) ??
      fitting[0];
    if (best !== undefined) namesakes.splice(namesakes.indexOf(best), 1);
    return best;
  };
  /** @type {Picked[]} */
  const matched = [];
  /** @type {Picked[]} */
  const rest = [];
  for (const one of picked) {
    const { size } = one.file;
    const resumable = find(one, (other) => other.size === null || other.size === size);
    if (resumable === undefined) rest.push(one);
    else matched.push(placed(one, resumable));
  }
  /** @type {{resumable: Resumable, picked: Picked}[]} */
  const changed = [];
  /** @type {Picked[]} */
  const others = [];
  for (const one of rest) {
    const resumable = find(one, () => true);
    if (resumable === undefined) others.push(one);
    else changed.push({ resumable, picked: placed(one, resumable) });
  }
  return { matched, changed, others };
}

/**
 * Return a file at the place that it had in its folder.
 *
 * @param {Picked} picked
 * @param {Resumable} resumable
 * @returns {Picked}
 */
function placed(picked, { path, name }) {
  return { ...picked, path: path === name ? undefined : path };
}
