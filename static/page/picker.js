// @ts-check
/**
 * Takes the user's files: dropped anywhere on the page, folders included, pasted, chosen, or from the camera. Where the browser
 * has the File System Access API, files come with a handle, by which they can be opened again after a
 * reload.
 */

import { wordButton } from "./buttons.js";
import { el, setText } from "./dom.js";
import { droppedFiles, named } from "./dropped.js";
import { icon } from "./icons.js";
import { listenForFiles } from "./incoming.js";
import { lookAt } from "./look-at.js";
import { dotted, limitWords, maxBytesOf, quotaWords } from "./limits.js";
import { usageLine } from "./usage.js";

/** @typedef {{file: File, handle?: FileSystemFileHandle | null, path?: string}} Picked */

/** Phones and tablets: nothing can be dropped there, and there are no folders to choose. */
const TOUCH = "(hover: none) and (pointer: coarse)";

export class Picker {
  element;
  #texts;
  #take;
  #toasts;
  #onEmptyFolders;
  #isTouch = matchMedia(TOUCH).matches;
  #title;
  #choose;
  #filesInput;
  #folderInput;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {import("./limits.js").Limits & Pick<import("./config.js").Config, "usage">} parts.limits
   * @param {import("./standing.js").Standing} parts.standing
   * @param {(picked: Picked[]) => void} parts.take Uploads files.
   * @param {(names: string[]) => void} parts.onEmptyFolders
   * @param {import("./toasts.js").Toasts} parts.toasts
   */
  constructor(texts, { limits, standing, take, onEmptyFolders, toasts }) {
    this.#texts = texts;
    this.#take = take;
    this.#onEmptyFolders = onEmptyFolders;
    this.#toasts = toasts;
    const accept = dotted(limits.allowedExtensions ?? []).join(",") || null;
    this.#filesInput = this.#makeInput("files", { multiple: true, accept });
    this.#folderInput = this.#makeInput("folder", { webkitdirectory: true });
    this.#title = el("p", { class: "cu-drop-title" }, texts.say(this.#titleKey));
    this.#choose = wordButton(texts.say("chooseFiles"), {
      kind: "primary",
      onclick: () => this.#chooseFiles(),
    });
    const limited = el("p", { class: "cu-limits" });
    const showLimits = () =>
      setText(
        limited,
        `${limitWords({ ...limits, maxBytes: maxBytesOf(standing.account, limits) }, texts)} ${quotaWords(standing.account, limits, texts)}`.trim(),
      );
    standing.addEventListener("change", showLimits);
    showLimits();
    this.element = el(
      "div",
      { class: "cu-drop" },
      icon("upload"),
      this.#title,
      el("p", { class: "cu-drop-hint" }, texts.say("dropHint")),
      el("div", { class: "cu-drop-buttons" }, this.#choose, ...this.#otherButtons(limits)),
      limited,
      limits.usage && usageLine(texts, standing, limits.usage),
      this.#filesInput,
      this.#folderInput,
    );
    listenForFiles({
      onDragging: (dragging) => this.#setDragging(dragging),
      onFiles: (data) => void this.#takeDropped(data),
    });
  }

  /** What the title says when nothing happens. @returns {import("./format.js").MessageKey} */
  get #titleKey() {
    return this.#isTouch ? "chooseTitle" : "dropTitle";
  }

  /** @param {import("./limits.js").Limits} limits */
  #otherButtons({ allowedExtensions }) {
    const texts = this.#texts;
    if (!this.#isTouch) {
      const onclick = () => this.#folderInput.click();
      return [wordButton(texts.say("chooseFolder"), { onclick })];
    }
    if (allowedExtensions && !allowedExtensions.includes("jpg")) return [];
    const camera = this.#makeInput("camera", { accept: "image/*", capture: "environment" });
    return [wordButton(texts.say("takePhoto"), { onclick: () => camera.click() }), camera];
  }

  /** Say in the title what goes on; empty: nothing. @param {string} words */
  showProgress(words) {
    setText(this.#title, words || this.#texts.say(this.#titleKey));
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
    const [picked = null] = await this.#pick({ multiple: false, folder: false });
    return picked;
  }

  /**
   * Let the user choose several files, or a folder with them.
   *
   * @param {{folder: boolean}} from
   * @returns {Promise<Picked[]>} Empty when none was chosen.
   */
  pickSeveral({ folder }) {
    return this.#pick({ multiple: true, folder });
  }

  /** @param {{multiple: boolean, folder: boolean}} how @returns {Promise<Picked[]>} */
  async #pick({ multiple, folder }) {
    const handles = folder ? null : await openPicker({ multiple });
    if (handles !== null) return Promise.all(handles.map(fromHandle));
    const kind = { multiple, webkitdirectory: folder };
    const input = el("input", { type: "file", hidden: true, "data-input": "again", ...kind });
    this.element.append(input);
    const files = await new Promise((resolve) => {
      input.addEventListener("change", () => resolve([...(input.files ?? [])]));
      input.addEventListener("cancel", () => resolve([]));
      input.click();
    });
    input.remove();
    await lookAt(files);
    return files.map((/** @type {File} */ file) => ({
      file,
      path: file.webkitRelativePath || undefined,
    }));
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
  async #takeFrom(input) {
    const files = [...(input.files ?? [])];
    // Emptied, so that the same file can be chosen again.
    input.value = "";
    await lookAt(files);
    if (files.length > 0)
      this.#take(files.map((file) => ({ file: named(file), path: file.webkitRelativePath })));
  }

  /** @param {DataTransfer} data */
  async #takeDropped(data) {
    const { picked, emptyFolders } = await droppedFiles(data, (count) => {
      if (count > 0) this.showProgress(this.#texts.say("readingFolder", { count }));
    });
    this.showProgress("");
    this.#onEmptyFolders(emptyFolders);
    if (picked.length > 0) this.#take(picked);
    else if (emptyFolders.length === 0) this.#toasts.show(this.#texts.say("nothingInFolder"));
  }

  /** @param {boolean} dragging */
  #setDragging(dragging) {
    this.element.toggleAttribute("data-dragging", dragging);
    setText(this.#title, this.#texts.say(dragging ? "dropNow" : this.#titleKey));
  }
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
