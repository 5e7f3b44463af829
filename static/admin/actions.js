// @ts-check
/** What can be done to uploads, several at once: the buttons, the questions before, the results. */

import { wordButton } from "../page/buttons.js";
import { confirmRemoval, formDialog } from "../page/dialogs.js";
import { el } from "../page/dom.js";
import { problemOf } from "./words.js";

/** @typedef {import("../page/format.js").Texts} Texts */
/** @typedef {import("../page/format.js").MessageKey} MessageKey */
/** @typedef {{upload_id: string, filename: string}} Named */

/** @type {[string, MessageKey][]} */
const ACTIONS = [
  ["verify", "adminVerify"],
  ["extend", "adminExtend"],
  ["expire", "adminExpire"],
  ["run-hook", "adminRunHook"],
  ["delete", "adminDelete"],
];

/** Names that a question says. */
const MAX_NAMES = 5;

export class Actions {
  /** What became of the latest action. */
  element = el("div", { class: "cu-admin-result", role: "status" });
  #root;
  #texts;
  #service;
  #endpoint;
  #onDone;

  /**
   * @param {HTMLElement} root
   * @param {Texts} texts
   * @param {object} parts
   * @param {import("../page/service.js").Service} parts.service
   * @param {string} parts.endpoint
   * @param {() => void} parts.onDone Called when uploads may have changed.
   */
  constructor(root, texts, { service, endpoint, onDone }) {
    this.#root = root;
    this.#texts = texts;
    this.#service = service;
    this.#endpoint = endpoint;
    this.#onDone = onDone;
  }

  /** Make a button for each action. @param {() => Named[]} chosen Whom it is about when it is used. */
  buttons(chosen) {
    const made = ACTIONS.map(([action, key]) =>
      wordButton(this.#texts.say(key), {
        kind: action === "delete" ? "danger" : undefined,
        onclick: () => void this.#begin(action, chosen()),
      }),
    );
    return el("div", { class: "cu-admin-buttons" }, ...made);
  }

  /** @param {string} action @param {Named[]} uploads */
  async #begin(action, uploads) {
    if (uploads.length === 0) return;
    this.element.replaceChildren();
    if (action === "verify") return this.#verifyAll(uploads);
    const count = uploads.length;
    let span;
    if (action === "delete" && !(await this.#confirm(uploads))) return;
    if (action === "extend" && !(span = await this.#askSpan(count))) return;
    const upload_ids = uploads.map((upload) => upload.upload_id);
    try {
      const body = { action, upload_ids, for: span };
      const { results } = await this.#service.ask("POST", `${this.#endpoint}/actions`, body);
      for (const { upload_id, done, said } of results) {
        const name = uploads.find((upload) => upload.upload_id === upload_id)?.filename ?? "";
        this.#say(this.#texts.say("adminDone", { name, said }), done);
      }
    } catch (error) {
      this.#say(problemOf(error, this.#texts), false);
    }
    this.#onDone();
  }

  /** @param {Named[]} uploads */
  async #verifyAll(uploads) {
    for (const upload of uploads) {
      const line = this.#say("", true);
      try {
        await this.#verify(upload, line);
      } catch (error) {
        line.className = "cu-admin-bad";
        const problem = problemOf(error, this.#texts);
        line.textContent = this.#texts.say("adminDamaged", { name: upload.filename, problem });
      }
    }
  }

  /**
   * Have a file read, some seconds of it with each request, and show how far it is.
   *
   * @param {Named} upload
   * @param {HTMLElement} line
   */
  async #verify({ upload_id, filename: name }, line) {
    const url = `${this.#endpoint}/uploads/${upload_id}/verify`;
    let told = { read: 0, length: 1, done: false, problem: "", checksums: [""], state: null };
    while (!told.done) {
      told = await this.#service.ask("POST", url, { state: told.state });
      const percent = this.#texts.percent(told.read, told.length);
      line.textContent = this.#texts.say("adminVerifying", { name, percent });
    }
    const { problem, checksums } = told;
    line.className = problem ? "cu-admin-bad" : "cu-admin-good";
    const key = checksums.length > 0 ? "adminVerified" : "adminVerifiedSize";
    line.textContent = problem
      ? this.#texts.say("adminDamaged", { name, problem })
      : this.#texts.say(key, { name, checksums: checksums.join(", ") });
  }

  /** @param {Named[]} uploads */
  #confirm(uploads) {
    const names = uploads.slice(0, MAX_NAMES).map((upload) => upload.filename);
    if (uploads.length > MAX_NAMES) names.push("…");
    return confirmRemoval(this.#root, {
      title: this.#texts.say("adminDeleteTitle", { count: uploads.length }),
      body: this.#texts.say("adminDeleteBody", { names: names.join(", ") }),
      confirm: this.#texts.say("adminDelete"),
      keep: this.#texts.say("adminKeep"),
    });
  }

  /** @param {number} count @returns {Promise<string>} Empty when nothing is to be done. */
  #askSpan(count) {
    const texts = this.#texts;
    const input = el("input", { value: "7d", required: true, autofocus: true });
    const field = el(
      "label",
      { class: "cu-field" },
      el("span", {}, texts.say("adminExtendSpan")),
      input,
    );
    const submit = wordButton(texts.say("adminExtend"), { type: "submit", kind: "primary" });
    submit.value = "extend";
    const later = wordButton(texts.say("adminClose"), { onclick: () => dialog.close() });
    const dialog = formDialog(
      texts.say("adminExtendTitle", { count }),
      [el("p", {}, texts.say("adminExtendBody")), field],
      [later, submit],
    );
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "extend" ? input.value.trim() : "");
      });
      this.#root.append(dialog);
      dialog.showModal();
    });
  }

  /** @param {string} words @param {boolean} good */
  #say(words, good) {
    const line = el("p", { class: good ? "cu-admin-good" : "cu-admin-bad" }, words);
    this.element.append(line);
    return line;
  }
}
