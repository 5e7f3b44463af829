// @ts-check
/**
 * Takes the user's files: dropped anywhere on the page, folders included, or chosen. Where the browser
 * has the File System Access API, files come with a handle, by which they can be opened again after a
 * reload.
 */

import { wordButton } from "./buttons.js";
import { el, setText } from "./dom.js";
import { droppedFiles } from "./dropped.js";
import { icon } from "./icons.js";
import { dotted, limitWords } from "./limits.js";

/** @typedef {{file: File, handle?: FileSystemFileHandle | null, path?: string}} Picked */

export class Picker {
  element;
  #texts;
  #take;
  #toasts;
  #title;
  #choose;
  #filesInput;
  #folderInput;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {import("./limits.js").Limits} parts.limits
   * @param {(picked: Picked[]) => void} parts.take Uploads files.
   * @param {import("./toasts.js").Toasts} parts.toasts
   */
  constructor(texts, { limits, take, toasts }) {
    this.#texts = texts;
    this.#take = take;
    this.#toasts = toasts;
    const accept = dotted(limits.allowedExtensions ?? []).join(",") || null;
    this.#filesInput = this.#makeInput("files", { multiple: true, accept });
    this.#folderInput = this.#makeInput("folder", { webkitdirectory: true });
    this.#title = el("p", { class: "cu-drop-title" }, texts.say("dropTitle"));
    this.#choose = wordButton(texts.say("chooseFiles"), {
      kind: "primary",
      onclick: () => this.#chooseFiles(),
    });
    const folder = wordButton(texts.say("chooseFolder"), {
      onclick: () => this.#folderInput.click(),
    });
    this.element = el(
      "div",
      { class: "cu-drop" },
      icon("upload"),
      this.#title,
      el("p", { class: "cu-drop-hint" }, texts.say("dropHint")),
      el("div", { class: "cu-drop-buttons" }, this.#choose, folder),
      el("p", { class: "cu-limits" }, limitWords(limits, texts)),
      this.#filesInput,
      this.#folderInput,
    );
    this.#listenForDrops();
  }

  /** The button that chooses files, which takes the focus when the element that had it is gone. */
  get button() {
    return this.#choose;
  }

  /**
   * Let the user choose one file.
   *
   * @returns {Promise<Picked | null>} Null when none was chosen.
   */
  async pickOne() {
    const handles = await openPicker({ multiple: false });
    if (handles !== null) return handles.length > 0 ? fromHandle(handles[0]) : null;
    const input = el("input", { type: "file", hidden: true, "data-input": "again" });
    this.element.append(input);
    const file = await new Promise((resolve) => {
      input.addEventListener("change", () => resolve(input.files?.[0] ?? null));
      input.addEventListener("cancel", () => resolve(null));
      input.click();
    });
    input.remove();
    return file && { file };
  }

  /** @param {string} name @param {Record<string, any>} properties */
  #makeInput(name, properties) {
    const input = el("input", { type: "file", hidden: true, "data-input": name, ...properties });
    input.addEventListener("change", () => this.#takeFrom(input));
    return input;
  }

  async #chooseFiles() {
    const handles = await openPicker({ multiple: true });
    if (handles === null) this.#filesInput.click();
    else this.#take(await Promise.all(handles.map(fromHandle)));
  }

  /** @param {HTMLInputElement} input */
  #takeFrom(input) {
    const files = [...(input.files ?? [])];
    // Emptied, so that the same file can be chosen again.
    input.value = "";
    if (files.length > 0)
      this.#take(files.map((file) => ({ file, path: file.webkitRelativePath })));
  }

  #listenForDrops() {
    window.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#setDragging(true);
    });
    window.addEventListener("dragleave", (event) => {
      // No related target: the drag left the window, or was canceled.
      if (event.relatedTarget === null) this.#setDragging(false);
    });
    window.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#setDragging(false);
      void this.#takeDropped(/** @type {DataTransfer} */ (event.dataTransfer));
    });
  }

  /** @param {DataTransfer} data */
  async #takeDropped(data) {
    const picked = await droppedFiles(data);
    if (picked.length > 0) this.#take(picked);
    else this.#toasts.show(this.#texts.say("nothingInFolder"));
  }

  /** @param {boolean} dragging */
  #setDragging(dragging) {
    this.element.toggleAttribute("data-dragging", dragging);
    setText(this.#title, this.#texts.say(dragging ? "dropNow" : "dropTitle"));
  }
}

/** @param {DragEvent} event */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/**
 * Open the browser's file dialog.
 *
 * @param {{multiple: boolean}} options
 * @returns {Promise<FileSystemFileHandle[] | null>} Empty when nothing was chosen; null where the browser
 *   has no such dialog, so that an `<input>` is needed.
 */
async function openPicker(options) {
  const picker = /** @type {any} */ (window).showOpenFilePicker;
  if (!picker) return null;
  try {
    return await picker.call(window, options);
  } catch (error) {
    return /** @type {Error} */ (error).name === "AbortError" ? [] : null;
  }
}

/** @param {FileSystemFileHandle} handle @returns {Promise<Picked>} */
async function fromHandle(handle) {
  return { file: await handle.getFile(), handle };
}
