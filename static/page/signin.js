// @ts-check
/**
 * Signing in with a Bearer token, where the server wants one. The token lives in `sessionStorage`: it
 * outlasts a reload, is seen by this tab alone, and is gone when the tab is closed.
 */

import { wordButton } from "./buttons.js";
import { formDialog } from "./dialogs.js";
import { problemWords } from "./describe.js";
import { el, setText } from "./dom.js";

/** @typedef {import("./format.js").Texts} Texts */

export class TokenSignIn extends EventTarget {
  /**
   * Fires `change` when the token becomes another, or none.
   *
   * @param {HTMLElement} root
   * @param {Texts} texts
   * @param {string} endpoint
   * @param {() => Promise<unknown>} check Asks the server something; rejects when it does not take the token.
   */
  constructor(root, texts, endpoint, check) {
    super();
    this.root = root;
    this.texts = texts;
    this.key = `chunked-upload token ${endpoint}`;
    this.check = check;
    this.token = this.read();
    /** Nobody wanted to sign in when they were last asked. */
    this.declined = false;
    /** @type {Promise<boolean> | null} */
    this.asking = null;
  }

  /** @returns {Record<string, string>} */
  get headers() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  signOut() {
    this.keep("");
  }

  /**
   * Ask for the token; asked while it is asking, it is the same question.
   *
   * @param {{again?: boolean}} [options] `again`: the server no longer takes the one it had.
   * @returns {Promise<boolean>} whether somebody has signed in.
   */
  ask({ again = false } = {}) {
    this.asking ??= this.openDialog(again).then((signedIn) => {
      this.asking = null;
      this.declined = !signedIn;
      return signedIn;
    });
    return this.asking;
  }

  /** @param {boolean} again @returns {Promise<boolean>} */
  openDialog(again) {
    const { texts } = this;
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
      const said = await this.tryToken(input.value.trim());
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
      this.root.append(dialog);
      dialog.showModal();
    });
  }

  /**
   * Sign in with a token the server takes.
   *
   * @param {string} token
   * @returns {Promise<string>} what is wrong with it; empty when nothing is.
   */
  async tryToken(token) {
    const before = this.token;
    this.token = token;
    try {
      await this.check();
    } catch (error) {
      this.token = before;
      return this.explain(/** @type {import("../chunked-upload.js").UploadError} */ (error));
    }
    this.keep(token);
    return "";
  }

  /** @param {import("../chunked-upload.js").UploadError} error */
  explain(error) {
    if (error.status === 401 || error.status === 403) return this.texts.say("signInUnknown");
    return this.texts.say("signInFailed", { detail: problemWords(error, this.texts) });
  }

  /** @param {string} token */
  keep(token) {
    this.token = token;
    try {
      if (token) sessionStorage.setItem(this.key, token);
      else sessionStorage.removeItem(this.key);
    } catch {
      // Storage is switched off: the token lasts as long as the page.
    }
    this.dispatchEvent(new Event("change"));
  }

  read() {
    try {
      return sessionStorage.getItem(this.key) ?? "";
    } catch {
      return "";
    }
  }
}
