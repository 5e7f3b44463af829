// @ts-check
/**
 * Where files come from: dropped anywhere on the page, folders included, or picked. Where the browser
 * has the File System Access API, files come with a handle, by which they can be opened again after a
 * reload.
 */

import { wordButton } from "./buttons.js";
import { el, setText } from "./dom.js";
import { droppedFiles } from "./dropped.js";
import { icon } from "./icons.js";

/** @typedef {import("./page.js").Context} Context */
/** @typedef {{file: File, handle?: FileSystemFileHandle | null, path?: string}} Picked */

export class Picker {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    const { texts, config } = context;
    const accept = dotted(config.allowedExtensions ?? []).join(",");
    this.files = el("input", {
      type: "file",
      multiple: true,
      hidden: true,
      accept: accept || null,
      "data-input": "files",
    });
    this.folder = el("input", {
      type: "file",
      webkitdirectory: true,
      hidden: true,
      "data-input": "folder",
    });
    for (const input of [this.files, this.folder]) {
      input.addEventListener("change", () => this.takeFrom(input));
    }
    this.title = el("p", { class: "cu-drop-title" }, texts.say("dropTitle"));
    this.choose = wordButton(texts.say("chooseFiles"), {
      kind: "primary",
      onclick: () => this.pick(),
    });
    const folder = wordButton(texts.say("chooseFolder"), { onclick: () => this.folder.click() });
    this.element = el(
      "div",
      { class: "cu-drop" },
      icon("upload"),
      this.title,
      el("p", { class: "cu-drop-hint" }, texts.say("dropHint")),
      el("div", { class: "cu-drop-buttons" }, this.choose, folder),
      el("p", { class: "cu-limits" }, limitWords(context)),
      this.files,
      this.folder,
    );
    this.listenForDrops();
  }

  async pick() {
    const handles = await openPicker({ multiple: true });
    if (handles === null) this.files.click();
    else this.context.take(await Promise.all(handles.map(fromHandle)));
  }

  /** @param {HTMLInputElement} input */
  takeFrom(input) {
    const files = [...(input.files ?? [])];
    // Emptied, so that the same file can be picked again.
    input.value = "";
    if (files.length > 0)
      this.context.take(files.map((file) => ({ file, path: file.webkitRelativePath })));
  }

  /**
   * Let one file be picked.
   *
   * @returns {Promise<Picked | null>} null when none was.
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

  listenForDrops() {
    window.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.setDragging(true);
    });
    window.addEventListener("dragleave", (event) => {
      // Into nothing: out of the window, or the drag was given up.
      if (event.relatedTarget === null) this.setDragging(false);
    });
    window.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.setDragging(false);
      void this.takeDropped(/** @type {DataTransfer} */ (event.dataTransfer));
    });
  }

  /** @param {DataTransfer} data */
  async takeDropped(data) {
    const picked = await droppedFiles(data);
    if (picked.length > 0) this.context.take(picked);
    else this.context.complain(this.context.texts.say("nothingInFolder"));
  }

  /** @param {boolean} dragging */
  setDragging(dragging) {
    this.element.toggleAttribute("data-dragging", dragging);
    setText(this.title, this.context.texts.say(dragging ? "dropNow" : "dropTitle"));
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
 * @returns {Promise<FileSystemFileHandle[] | null>} empty when nothing was chosen; null where there is no
 *   such dialog, and an `<input>` must do.
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

/** @param {Context} context */
function limitWords({ texts, config }) {
  const { maxBytes, allowedExtensions, deniedExtensions } = config;
  const said = [];
  if (maxBytes) said.push(texts.say("limitSize", { size: texts.size(maxBytes) }));
  if (allowedExtensions) {
    said.push(texts.say("limitTypes", { types: dotted(allowedExtensions).join(", ") }));
  } else if (deniedExtensions.length > 0) {
    said.push(texts.say("limitNotTypes", { types: dotted(deniedExtensions).join(", ") }));
  }
  return said.join(" ");
}

/**
 * File types as `accept` attributes and people write them.
 *
 * @param {string[]} extensions
 */
export function dotted(extensions) {
  return extensions.map((name) => `.${name}`);
}
