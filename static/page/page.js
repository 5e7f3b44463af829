// @ts-check
/**
 * The page, put together: a library object that uploads, and the parts that show what it does.
 *
 *     import { mount } from "/static/page/page.js";
 *     mount(document.querySelector("#uploads"), { endpoint: "/uploads/" });
 */

import { ChunkedUploader } from "../chunked-upload.js";
import { Announcer } from "./announce.js";
import { wordButton } from "./buttons.js";
import { ACTIVE } from "./describe.js";
import { confirmRemoval } from "./dialogs.js";
import { el } from "./dom.js";
import { Files } from "./files.js";
import { Texts } from "./format.js";
import { dotted, Picker } from "./picker.js";
import { Session } from "./session.js";
import { TokenSignIn } from "./signin.js";
import { english } from "./text.js";
import { Toasts } from "./toasts.js";

/**
 * Where the page runs and what the server takes. All but the endpoint may be left out.
 *
 * @typedef {object} Config
 * @property {string} endpoint
 * @property {string | null} title Heading; null for none.
 * @property {string} fieldName
 * @property {number | null} maxBytes
 * @property {number | null} maxChunkBytes
 * @property {string[] | null} allowedExtensions
 * @property {string[]} deniedExtensions
 * @property {boolean} md5
 * @property {string | null} csrfTokenUrl
 * @property {{with: "token" | "app" | null, url: string | null}} signIn
 */

/** @typedef {import("./picker.js").Picked} Picked */

/** @type {Omit<Config, "endpoint">} */
const DEFAULTS = {
  title: null,
  fieldName: "file",
  maxBytes: null,
  maxChunkBytes: null,
  allowedExtensions: null,
  deniedExtensions: [],
  md5: true,
  csrfTokenUrl: null,
  signIn: { with: null, url: null },
};

/**
 * What every part of the page may use.
 *
 * @typedef {object} Context
 * @property {Config} config
 * @property {Texts} texts
 * @property {ChunkedUploader} uploader
 * @property {Announcer} announcer
 * @property {TokenSignIn | null} signIn Where the server takes tokens.
 * @property {boolean} canSignIn Whether the page can offer to sign in.
 * @property {(words: {title: string, body: string, confirm: string, keep: string}) => Promise<boolean>} confirm
 * @property {(problem: string) => void} complain Show what did not work.
 * @property {(percent: string) => void} setTitle Say in the tab's title how far it is; empty: nothing is under way.
 * @property {() => void} signInAgain
 * @property {(picked: Picked[]) => void} take Upload files.
 * @property {() => Promise<Picked | null>} pickOne Let one file be picked.
 * @property {() => void} clear Take what is over off the list.
 * @property {() => Promise<void>} refresh Ask for the lists again.
 * @property {HTMLElement} home Where the focus goes when what had it is gone.
 */

/**
 * Turn an element into the page.
 *
 * @param {HTMLElement} root
 * @param {Partial<Config> & {endpoint: string}} config
 * @param {{messages?: Partial<typeof english>, language?: string}} [options] `messages`: texts in another language.
 * @returns {Page}
 */
export function mount(root, config, { messages = {}, language } = {}) {
  const texts = new Texts({ ...english, ...messages }, language ?? closestLanguage(root));
  return new Page(root, { ...DEFAULTS, ...config }, texts);
}

export class Page {
  /**
   * @param {HTMLElement} root
   * @param {Config} config
   * @param {Texts} texts
   */
  constructor(root, config, texts) {
    this.root = root;
    this.config = config;
    this.texts = texts;
    this.documentTitle = document.title;
    /** @type {number | undefined} */
    this.refreshing = undefined;
    /** @type {HTMLElement | null} */
    this.signInToast = null;
    this.toasts = new Toasts(texts);
    this.signIn = config.signIn.with === "token" ? this.tokenSignIn() : null;
    this.uploader = new ChunkedUploader(this.uploaderOptions());
    this.context = this.makeContext();
    this.picker = new Picker(this.context);
    this.context.home = this.picker.choose;
    this.session = new Session(this.context);
    this.files = new Files(this.context);
    this.build();
    this.listen();
    void this.begin();
  }

  uploaderOptions() {
    const {
      endpoint,
      fieldName,
      maxBytes,
      maxChunkBytes,
      allowedExtensions,
      deniedExtensions,
      md5,
      csrfTokenUrl,
    } = this.config;
    return {
      endpoint,
      fieldName,
      md5,
      maxBytes: maxBytes ?? undefined,
      accept: allowedExtensions ? dotted(allowedExtensions).join(",") : undefined,
      refuse: dotted(deniedExtensions).join(","),
      chunkSize: maxChunkBytes ? Math.min(maxChunkBytes, 8 * 2 ** 20) : undefined,
      headers: () => this.signIn?.headers ?? {},
      csrf: csrfTokenUrl === null ? undefined : tokenFrom(csrfTokenUrl),
    };
  }

  tokenSignIn() {
    const check = () => this.uploader.list({ perPage: 1 });
    return new TokenSignIn(this.root, this.texts, this.config.endpoint, check);
  }

  /** @returns {Context} */
  makeContext() {
    const { config, texts, uploader, signIn, root } = this;
    return {
      config,
      texts,
      uploader,
      signIn,
      announcer: new Announcer(texts),
      canSignIn: signIn !== null || config.signIn.url !== null,
      confirm: (words) => confirmRemoval(root, words),
      complain: (problem) => this.toasts.show(problem),
      setTitle: (percent) => this.setTitle(percent),
      signInAgain: () => void this.signInAgain(),
      take: (picked) => this.take(picked),
      pickOne: () => this.picker.pickOne(),
      clear: () => this.clear(),
      refresh: () => this.files.refresh(),
      home: root,
    };
  }

  build() {
    const { texts, config, root } = this;
    const account =
      this.signIn &&
      wordButton(texts.say("signIn"), { icon: "key", onclick: () => this.signInOrOut() });
    this.account = account;
    const header =
      (config.title || account) &&
      el("header", { class: "cu-header" }, config.title && el("h1", {}, config.title), account);
    const skip = el("a", { class: "cu-skip", href: "#cu-files" }, texts.say("skipToFiles"));
    const parts = [
      skip,
      header,
      this.picker.element,
      this.session.element,
      this.files.element,
      this.context.announcer.element,
      this.toasts.element,
    ];
    root.replaceChildren(...parts.filter((part) => part instanceof Node));
    root.lang = texts.language;
    this.showAccount();
  }

  listen() {
    const { uploader } = this;
    uploader.addEventListener("change", (event) =>
      this.noticeSignIn(/** @type {CustomEvent} */ (event).detail.upload),
    );
    // What was canceled is gone from the server as well; what was only dismissed is unfinished.
    uploader.addEventListener("removed", () => this.refreshSoon());
    this.signIn?.addEventListener("change", () => this.signedInOrOut());
    window.addEventListener("beforeunload", (event) => {
      if (this.session.busy) event.preventDefault();
    });
  }

  async begin() {
    if (this.signIn && !this.signIn.token) void this.signIn.ask();
    await this.files.refresh();
  }

  /** @param {Picked[]} picked */
  take(picked) {
    for (const { file, handle, path } of picked) {
      this.uploader.add(file, {
        handle: handle ?? null,
        metadata: path ? { relative_path: path } : {},
      });
    }
    this.context.announcer.say(this.texts.say("addedFiles", { count: picked.length }));
    if (this.signIn && !this.signIn.token) void this.signIn.ask();
  }

  clear() {
    this.session.clear();
    this.picker.choose.focus();
    void this.files.refresh(1);
  }

  refreshSoon() {
    this.refreshing ??= window.setTimeout(() => {
      this.refreshing = undefined;
      void this.files.refresh();
    }, 300);
  }

  /**
   * Ask to sign in when an upload waits for it; once, and not again after a no.
   *
   * @param {import("../chunked-upload.js").Upload} upload
   */
  noticeSignIn(upload) {
    if (upload.waiting?.reason !== "sign-in") return;
    if (this.signIn) {
      if (!this.signIn.declined) void this.signInAgain();
    } else if (!this.signInToast?.isConnected) {
      this.signInToast = this.toasts.show(this.texts.say("signInApp"), this.signInLink());
    }
  }

  async signInAgain() {
    if (this.signIn) await this.signIn.ask({ again: this.signIn.token !== "" });
    else if (this.config.signIn.url) window.open(this.config.signIn.url, "_blank", "noopener");
  }

  signInLink() {
    const { url } = this.config.signIn;
    return (
      url && el("a", { href: url, target: "_blank", rel: "noopener" }, this.texts.say("signIn"))
    );
  }

  signInOrOut() {
    if (this.signIn?.token) this.signIn.signOut();
    else void this.signIn?.ask();
  }

  signedInOrOut() {
    this.showAccount();
    if (this.signIn?.token) {
      // Also those that ask right now: they asked without this token.
      for (const upload of this.uploader.uploads) if (ACTIVE.has(upload.state)) upload.resume();
    }
    void this.files.refresh(1);
  }

  showAccount() {
    if (!this.account) return;
    const words = this.texts.say(this.signIn?.token ? "signOut" : "signIn");
    /** @type {Element} */ (this.account.lastElementChild).textContent = words;
  }

  /** @param {string} percent */
  setTitle(percent) {
    const title = percent
      ? this.texts.say("titleProgress", { percent, title: this.documentTitle })
      : this.documentTitle;
    if (this.config.title !== null && document.title !== title) document.title = title;
  }
}

/**
 * Return the function that gets the CSRF token: fetched once, and again when it was refused.
 *
 * @param {string} url
 * @returns {(asked: {refused: boolean}) => Promise<string | null>}
 */
function tokenFrom(url) {
  /** @type {Promise<string | null> | null} */
  let token = null;
  return ({ refused }) => {
    if (refused) token = null;
    token ??= fetch(url)
      .then((response) => response.json())
      .then((answer) => answer.csrf_token);
    token.catch(() => (token = null));
    return token;
  };
}

/** @param {HTMLElement} root */
function closestLanguage(root) {
  return root.closest("[lang]")?.getAttribute("lang") || "en";
}
