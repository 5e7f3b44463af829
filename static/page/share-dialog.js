// @ts-check
/** The dialog with the links to one file. */

import { iconButton, wordButton } from "./buttons.js";
import { problemWords } from "./describe.js";
import { formDialog } from "./dialogs.js";
import { el, focusFirst, setText } from "./dom.js";

/** @typedef {import("./share.js").Link} Link */

/** Seconds for which a link may be made to work, as far as the server allows. */
const AGES = [3600, 86400, 7 * 86400, 30 * 86400];

export class ShareDialog {
  #texts;
  #name;
  #url;
  #service;
  #age;
  #create;
  #list = el("ul", { class: "cu-links", role: "list" });
  /** What happened, for everybody: what is outside of a dialog is not read out. */
  #said = el("p", { class: "cu-quiet", role: "status" });
  #problem = el("p", { class: "cu-problem", role: "alert" });
  #dialog;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {string} parts.name The file's.
   * @param {string} parts.url Of its links.
   * @param {number} parts.maxAge Seconds that a link may work at most.
   * @param {Pick<import("./service.js").Service, "ask">} parts.service
   */
  constructor(texts, { name, url, maxAge, service }) {
    this.#texts = texts;
    this.#name = name;
    this.#url = url;
    this.#service = service;
    this.#age = el("select", {}, ...this.#ages(maxAge));
    this.#create = wordButton(texts.say("shareCreate"), { type: "submit", kind: "primary" });
    const close = wordButton(texts.say("shareClose"), { onclick: () => this.#dialog.close() });
    this.#dialog = formDialog(
      texts.say("shareTitle", { name }),
      [
        el("p", {}, texts.say("shareBody")),
        el("label", { class: "cu-field" }, el("span", {}, texts.say("shareFor")), this.#age),
        this.#list,
        this.#said,
        this.#problem,
      ],
      [close, this.#create],
    );
    this.#dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try(() => this.#make());
    });
    this.#dialog.addEventListener("close", () => this.#dialog.remove());
  }

  /** @param {HTMLElement} root */
  show(root) {
    root.append(this.#dialog);
    this.#dialog.showModal();
    void this.#try(async () => {
      const { shares } = await this.#service.ask("GET", this.#url);
      this.#list.append(...shares.map((/** @type {Link} */ link) => this.#row(link)));
    });
  }

  /** @param {number} maxAge */
  #ages(maxAge) {
    const ages = [...AGES.filter((age) => age < maxAge), maxAge];
    return ages.map((age) => {
      const words = this.#texts.duration(age);
      return el("option", { value: age, selected: age === maxAge }, words);
    });
  }

  /** Do something on the server; a failure is said in the dialog. @param {() => Promise<void>} action */
  async #try(action) {
    this.#create.disabled = true;
    setText(this.#problem, "");
    try {
      await action();
    } catch (error) {
      const detail = problemWords(error, this.#texts);
      setText(this.#problem, this.#texts.say("shareFailed", { detail }));
    }
    this.#create.disabled = false;
  }

  async #make() {
    const body = { max_age: Number(this.#age.value) };
    const row = this.#row(await this.#service.ask("POST", this.#url, body));
    this.#list.prepend(row);
    setText(this.#said, this.#texts.say("shareMade"));
    row.querySelector("button")?.focus();
  }

  /** @param {Link} link */
  #row(link) {
    const texts = this.#texts;
    const end = Date.parse(link.expires);
    const expires = texts.say("expires", { when: texts.until(end) });
    // A file may have several links: its end tells one from the others.
    const of = `, ${expires} (${texts.date(end)})`;
    const address = el("input", {
      readonly: true,
      value: link.url,
      dir: "ltr",
      "aria-label": texts.say("shareAddress", { name: this.#name }) + of,
    });
    const copy = iconButton("copy", texts.say("shareCopy") + of, () => this.#copy(link, address));
    const revoke = iconButton("delete", texts.say("shareRevoke") + of, () =>
      this.#try(() => this.#revoke(link, row)),
    );
    const actions = el("div", { class: "cu-actions" }, copy, this.#passOn(link, of), revoke);
    const row = el("li", {}, address, actions, el("p", { class: "cu-quiet" }, expires));
    return row;
  }

  /**
   * Return the button that hands the link to another app; null where the browser cannot.
   *
   * @param {Link} link
   * @param {string} of Which one it is.
   */
  #passOn({ url }, of) {
    const data = { title: this.#name, url };
    if (!navigator.canShare?.(data)) return null;
    // Rejects when the user thinks better of it.
    const share = () => navigator.share(data).catch(() => {});
    return iconButton("share", this.#texts.say("sharePassOn") + of, share);
  }

  /** @param {Link} link @param {HTMLInputElement} address */
  async #copy({ url }, address) {
    try {
      await navigator.clipboard.writeText(url);
      setText(this.#said, this.#texts.say("shareCopied"));
    } catch {
      // Plain HTTP or a policy forbids it.
      address.select();
      setText(this.#said, this.#texts.say("shareCopyByHand"));
    }
  }

  /** @param {Link} link @param {HTMLElement} row */
  async #revoke({ share_id: shareId }, row) {
    await this.#service.ask("DELETE", `${this.#url}/${shareId}`);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#create.disabled = false;
    setText(this.#said, this.#texts.say("shareRevoked"));
    focusFirst([next?.querySelector("button"), this.#create]);
  }
}
