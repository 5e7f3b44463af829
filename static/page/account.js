// @ts-check
/**
 * The user's account: the button that signs in and out, and the request to sign in when an upload waits
 * for it. Users sign in here with a token, or elsewhere in the app around the page.
 */

import { setWords, wordButton } from "./buttons.js";
import { ACTIVE } from "./describe.js";
import { el } from "./dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./token-sign-in.js").TokenSignIn} TokenSignIn */

export class Account {
  /** Null where users do not sign in on this page. @type {HTMLButtonElement | null} */
  button = null;
  #texts;
  #uploader;
  #tokenSignIn;
  #signInUrl;
  #toasts;
  #onChange;
  /** The request to sign in in the app. @type {HTMLElement | null} */
  #toast = null;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "uploads" | "addEventListener">} parts.uploader
   * @param {TokenSignIn | null} parts.tokenSignIn Null where the server takes no tokens.
   * @param {string | null} parts.signInUrl Where the app signs users in.
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {() => void} parts.onChange Called after signing in or out.
   */
  constructor(texts, { uploader, tokenSignIn, signInUrl, toasts, onChange }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#tokenSignIn = tokenSignIn;
    this.#signInUrl = signInUrl;
    this.#toasts = toasts;
    this.#onChange = onChange;
    uploader.addEventListener("change", (event) =>
      this.#noticeSignIn(/** @type {CustomEvent} */ (event).detail.upload),
    );
    if (tokenSignIn === null) return;
    const onclick = () => this.#signInOrOut(tokenSignIn);
    this.button = wordButton(texts.say("signIn"), { icon: "key", onclick });
    tokenSignIn.addEventListener("change", () => this.#changed(tokenSignIn));
    this.#showState(tokenSignIn);
  }

  /** Whether the page can offer to sign in. */
  get canSignIn() {
    return this.#tokenSignIn !== null || this.#signInUrl !== null;
  }

  /** Ask for the token where one is needed and there is none. */
  askForToken() {
    if (this.#tokenSignIn && !this.#tokenSignIn.token) void this.#tokenSignIn.ask();
  }

  /** Let the user sign in, or sign in again. */
  signIn() {
    const tokenSignIn = this.#tokenSignIn;
    if (tokenSignIn) void tokenSignIn.ask({ again: tokenSignIn.token !== "" });
    else if (this.#signInUrl) window.open(this.#signInUrl, "_blank", "noopener");
  }

  /**
   * Ask the user to sign in when an upload waits for it; once, and not again after "Not now".
   *
   * @param {Upload} upload
   */
  #noticeSignIn(upload) {
    if (upload.waiting?.reason !== "sign-in") return;
    if (this.#tokenSignIn) {
      if (!this.#tokenSignIn.declined) this.signIn();
    } else if (!this.#toast?.isConnected) {
      this.#toast = this.#toasts.show(this.#texts.say("signInApp"), this.#signInLink());
    }
  }

  #signInLink() {
    const href = this.#signInUrl;
    return href && el("a", { href, target: "_blank", rel: "noopener" }, this.#texts.say("signIn"));
  }

  /** @param {TokenSignIn} tokenSignIn */
  #signInOrOut(tokenSignIn) {
    if (tokenSignIn.token) tokenSignIn.signOut();
    else void tokenSignIn.ask();
  }

  /** @param {TokenSignIn} tokenSignIn */
  #changed(tokenSignIn) {
    this.#showState(tokenSignIn);
    if (tokenSignIn.token) {
      // Also uploads with a request under way: it was sent without this token.
      for (const upload of this.#uploader.uploads) if (ACTIVE.has(upload.state)) upload.resume();
    }
    this.#onChange();
  }

  /** @param {TokenSignIn} tokenSignIn */
  #showState({ token }) {
    if (this.button) setWords(this.button, this.#texts.say(token ? "signOut" : "signIn"));
  }
}
