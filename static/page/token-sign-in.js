// @ts-check
/**
 * Signing in with a Bearer token, where the server requires one. The token is kept in the tab or, if the user
 * wants it, in the browser (token-store.js). Signing out stops every request at once, in every tab.
 */

import { wordButton } from "./buttons.js";
import { problemWords } from "./describe.js";
import { formDialog } from "./dialogs.js";
import { el, setText } from "./dom.js";
import { stopRequests } from "./stopping.js";
import { TokenStore } from "./token-store.js";

/** @typedef {import("./format.js").Texts} Texts */

/** Fires `change` when the token changes or is removed. */
export class TokenSignIn extends EventTarget {
  #root;
  #texts;
  #store;
  #check;
  #token;
  #declined = false;
  /** The open dialog's answer. @type {Promise<boolean> | null} */
  #asking = null;
  /** @type {HTMLDialogElement | null} */
  #dialog = null;

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
    this.#store = new TokenStore(endpoint);
    this.#check = check;
    this.#token = this.#store.read();
    this.#store.addEventListener("signed-in", () => this.#followSignIn());
    this.#store.addEventListener("signed-out", () => this.#change(""));
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

  /** Forget the token, in every tab. */
  signOut() {
    this.#store.clear();
    this.#change("");
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
    const keep = el("input", { type: "checkbox" });
    const kept = el("p", { class: "cu-quiet" }, texts.say("signInKept"));
    keep.addEventListener("change", () =>
      setText(kept, texts.say(keep.checked ? "signInKeptHere" : "signInKept")),
    );
    const problem = el("p", { class: "cu-problem", id: "cu-token-error", role: "alert" });
    const later = wordButton(texts.say("notNow"), { onclick: () => dialog.close() });
    const submit = wordButton(texts.say("signIn"), { type: "submit", kind: "primary" });
    const dialog = formDialog(
      texts.say("signInTitle"),
      [
        el("p", {}, texts.say(again ? "signInAgain" : "signInBody")),
        el("label", { class: "cu-field" }, el("span", {}, texts.say("signInToken")), input),
        problem,
        el("label", { class: "cu-choice" }, keep, el("span", {}, texts.say("signInKeep"))),
        kept,
      ],
      [later, submit],
    );
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault();
      submit.disabled = true;
      const said = await this.#tryToken(input.value.trim(), keep.checked);
      submit.disabled = false;
      setText(problem, said);
      if (said) input.focus();
      else dialog.close("signed in");
    });
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        this.#dialog = null;
        resolve(dialog.returnValue === "signed in");
      });
      this.#dialog = dialog;
      this.#root.append(dialog);
      dialog.showModal();
    });
  }

  /**
   * Sign in with a token, if the server accepts it.
   *
   * @param {string} token
   * @param {boolean} keep For this browser, not for the tab alone.
   * @returns {Promise<string>} The problem, in words; empty when there is none.
   */
  async #tryToken(token, keep) {
    const before = this.#token;
    this.#token = token;
    try {
      await this.#check();
    } catch (error) {
      this.#token = before;
      return this.#explain(/** @type {import("./service.js").ServiceError} */ (error));
    }
    this.#store.write(token, { keep });
    this.#change(token);
    return "";
  }

  /** @param {import("./service.js").ServiceError} error */
  #explain(error) {
    if (error.status === 401 || error.status === 403) return this.#texts.say("signInUnknown");
    return this.#texts.say("signInFailed", { detail: problemWords(error, this.#texts) });
  }

  /** Another tab has signed in for the whole browser. */
  #followSignIn() {
    if (this.#store.isOfTab) return;
    this.#dialog?.close("signed in");
    this.#change(this.#store.read());
  }

  /** @param {string} token */
  #change(token) {
    if (!token) stopRequests();
    this.#token = token;
    this.dispatchEvent(new Event("change"));
  }
}
