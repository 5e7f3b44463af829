// @ts-check
/**
 * Signing in with a Bearer token, where the server requires one. The token is kept in `sessionStorage`:
 * it survives a reload, other tabs do not see it, and it is gone when the tab is closed.
 */

import { wordButton } from "./buttons.js";
import { problemWords } from "./describe.js";
import { formDialog } from "./dialogs.js";
import { el, setText } from "./dom.js";

/** @typedef {import("./format.js").Texts} Texts */

/** Fires `change` when the token changes or is removed. */
export class TokenSignIn extends EventTarget {
  #root;
  #texts;
  #storageKey;
  #check;
  #token;
  #declined = false;
  /** The open dialog's answer. @type {Promise<boolean> | null} */
  #asking = null;

  /**
   * @param {HTMLElement} root
   * @param {Texts} texts
   * @param {string} endpoint
   * @param {() => Promise<unknown>} check Sends the server a request; rejects when the token is refused.
   */
  constructor(root, texts, endpoint, check) {
    super();
    this.#root = root;
    this.#texts = texts;
    this.#storageKey = `chunked-upload token ${endpoint}`;
    this.#check = check;
    this.#token = this.#read();
  }

  /** Empty when nobody is signed in. */
  get token() {
    return this.#token;
  }

  /** Whether the user answered "Not now" the last time. */
  get declined() {
    return this.#declined;
  }

  /** @returns {Record<string, string>} */
  get headers() {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  signOut() {
    this.#keep("");
  }

  /**
   * Ask for the token. While the dialog is open, further calls return its answer.
   *
   * @param {{again?: boolean}} [options] `again`: the server no longer accepts the previous token.
   * @returns {Promise<boolean>} Whether the user has signed in.
   */
  ask({ again = false } = {}) {
    this.#asking ??= this.#openDialog(again).then((signedIn) => {
      this.#asking = null;
      this.#declined = !signedIn;
      return signedIn;
    });
    return this.#asking;
  }

  /** @param {boolean} again @returns {Promise<boolean>} */
  #openDialog(again) {
    const texts = this.#texts;
    const input = el("input", {
      type: "password",
      name: "token",
      autocomplete: "current-password",
      spellcheck: "false",
      required: true,
      autofocus: true,
      "aria-describedby": "cu-token-error",
    });
    const problem = el("p", { class: "cu-problem", id: "cu-token-error", role: "alert" });
    const later = wordButton(texts.say("notNow"), { onclick: () => dialog.close() });
    const submit = wordButton(texts.say("signIn"), { type: "submit", kind: "primary" });
    const dialog = formDialog(
      texts.say("signInTitle"),
      [
        el("p", {}, texts.say(again ? "signInAgain" : "signInBody")),
        el("label", { class: "cu-field" }, el("span", {}, texts.say("signInToken")), input),
        problem,
        el("p", { class: "cu-quiet" }, texts.say("signInKept")),
      ],
      [later, submit],
    );
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault();
      submit.disabled = true;
      const said = await this.#tryToken(input.value.trim());
      submit.disabled = false;
      setText(problem, said);
      if (said) input.focus();
      else dialog.close("signed in");
    });
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "signed in");
      });
      this.#root.append(dialog);
      dialog.showModal();
    });
  }

  /**
   * Sign in with a token, if the server accepts it.
   *
   * @param {string} token
   * @returns {Promise<string>} The problem, in words; empty when there is none.
   */
  async #tryToken(token) {
    const before = this.#token;
    this.#token = token;
    try {
      await this.#check();
    } catch (error) {
      this.#token = before;
      return this.#explain(/** @type {import("../chunked-upload.js").UploadError} */ (error));
    }
    this.#keep(token);
    return "";
  }

  /** @param {import("../chunked-upload.js").UploadError} error */
  #explain(error) {
    if (error.status === 401 || error.status === 403) return this.#texts.say("signInUnknown");
    return this.#texts.say("signInFailed", { detail: problemWords(error, this.#texts) });
  }

  /** @param {string} token */
  #keep(token) {
    this.#token = token;
    try {
      if (token) sessionStorage.setItem(this.#storageKey, token);
      else sessionStorage.removeItem(this.#storageKey);
    } catch {
      // Storage is switched off: the token lasts as long as the page.
    }
    this.dispatchEvent(new Event("change"));
  }

  #read() {
    try {
      return sessionStorage.getItem(this.#storageKey) ?? "";
    } catch {
      return "";
    }
  }
}
