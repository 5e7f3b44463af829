// @ts-check
/**
 * The user's account: who is signed in, the button that signs in and out, and the request to sign in when an
 * upload waits for it. Users sign in here with a token, or elsewhere in the app around the page.
 */

import { setWords, wordButton } from "./buttons.js";
import { ACTIVE } from "./describe.js";
import { el, setText } from "./dom.js";

/** @typedef {import("../chunked-upload.js").ChunkedUploader} ChunkedUploader */
/** @typedef {import("../chunked-upload.js").Upload} Upload */
/** @typedef {import("./token-sign-in.js").TokenSignIn} TokenSignIn */

export class Account {
  element = el("div", { class: "cu-account" });
  #name = el("span", { class: "cu-quiet" });
  /** Null where users do not sign in on this page. @type {HTMLButtonElement | null} */
  #button = null;
  #texts;
  #uploader;
  #standing;
  #tokenSignIn;
  #signInUrl;
  #toasts;
  #onChange;
  #onLeave;
  /** The request to sign in in the app. @type {HTMLElement | null} */
  #toast = null;

  /**
   * @param {import("./format.js").Texts} texts
   * @param {object} parts
   * @param {Pick<ChunkedUploader, "uploads" | "user" | "leaveAll" | "addEventListener">} parts.uploader
   * @param {import("./standing.js").Standing} parts.standing
   * @param {TokenSignIn | null} parts.tokenSignIn Null where the server takes no tokens.
   * @param {string | null} parts.signInUrl Where the app signs users in.
   * @param {import("./toasts.js").Toasts} parts.toasts
   * @param {() => void} parts.onChange Called after signing in or out.
   * @param {() => void} parts.onLeave Called when the page is no longer the user's who saw it.
   */
  constructor(texts, { uploader, standing, tokenSignIn, signInUrl, toasts, onChange, onLeave }) {
    this.#texts = texts;
    this.#uploader = uploader;
    this.#standing = standing;
    this.#tokenSignIn = tokenSignIn;
    this.#signInUrl = signInUrl;
    this.#toasts = toasts;
    this.#onChange = onChange;
    this.#onLeave = onLeave;
    uploader.addEventListener("change", (event) =>
      this.#noticeSignIn(/** @type {CustomEvent} */ (event).detail.upload),
    );
    this.element.append(this.#name);
    standing.addEventListener("change", () => this.#know(standing.account?.name ?? null));
    this.#showName(null);
    if (tokenSignIn === null) return;
    const onclick = () => this.#signInOrOut(tokenSignIn);
    this.#button = wordButton(texts.say("signIn"), { icon: "key", onclick });
    this.element.append(this.#button);
    tokenSignIn.addEventListener("change", () => this.#changed(tokenSignIn));
    this.#showState(tokenSignIn);
  }

  /** Whether users sign in on this page, so that the button is always there. */
  get isShown() {
    return this.#button !== null;
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
      if (this.#standing.account === null) this.#standing.refresh();
    } else {
      this.#leave(null);
      this.#standing.forget();
    }
    this.#onChange();
  }

  /**
   * The server has said who is signed in; or it has not, which may be an error or a token that ran out:
   * then the uploads wait for their user.
   *
   * @param {string | null} name
   */
  #know(name) {
    const { user } = this.#uploader;
    if (user !== null && name !== null && name !== user) {
      this.#leave(name);
      this.#onChange();
    } else if (name !== null) {
      this.#uploader.user = name;
    }
    this.#showName(name);
  }

  /** Leave nothing of a user on the page to the next one. @param {string | null} next */
  #leave(next) {
    this.#uploader.leaveAll();
    this.#uploader.user = next;
    this.#onLeave();
  }

  /** @param {TokenSignIn} tokenSignIn */
  #showState({ token }) {
    if (this.#button) setWords(this.#button, this.#texts.say(token ? "signOut" : "signIn"));
  }

  /** @param {string | null} name */
  #showName(name) {
    setText(this.#name, name === null ? "" : this.#texts.say("signedInAs", { name }));
    this.element.hidden = name === null && this.#button === null;
  }
}
