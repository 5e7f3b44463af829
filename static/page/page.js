// @ts-check
/**
 * Puts the page together: the library, which uploads, and the parts that show what it does.
 *
 *     import { mount } from "/static/page/page.js";
 *     mount(document.querySelector("#uploads"), { endpoint: "/uploads/" });
 */

import { ChunkedUploader } from "../chunked-upload.js";
import { Account } from "./account.js";
import { Announcer } from "./announce.js";
import { uploaderOptions, withDefaults } from "./config.js";
import { confirmRemoval } from "./dialogs.js";
import { DocumentTitle } from "./document-title.js";
import { el } from "./dom.js";
import { FileActions } from "./file-actions.js";
import { Files } from "./files.js";
import { Finished } from "./finished.js";
import { Texts } from "./format.js";
import { Picker } from "./picker.js";
import { Session } from "./session.js";
import { Summary } from "./summary.js";
import { english } from "./text.js";
import { Toasts } from "./toasts.js";
import { TokenSignIn } from "./token-sign-in.js";
import { Unfinished } from "./unfinished.js";
import { UploadRow } from "./upload-row.js";

/** @typedef {import("./config.js").Config} Config */
/** @typedef {import("./picker.js").Picked} Picked */

/** Milliseconds in which further changes join a refresh of the lists. */
const REFRESH_DELAY = 300;

/**
 * Turn an element into the page.
 *
 * @param {HTMLElement} root
 * @param {Partial<Config> & {endpoint: string}} config
 * @param {{messages?: Partial<typeof english>, language?: string}} [options] `messages`: texts in another
 *   language.
 * @returns {Page}
 */
export function mount(root, config, { messages = {}, language } = {}) {
  const texts = new Texts({ ...english, ...messages }, language ?? closestLanguage(root));
  return new Page(root, withDefaults(config), texts);
}

export class Page {
  /** The library's object, which uploads the page's files. @type {ChunkedUploader} */
  uploader;
  #root;
  #config;
  #texts;
  #announcer;
  #toasts;
  /** @type {TokenSignIn | null} */
  #tokenSignIn;
  #account;
  #picker;
  #fileActions;
  #session;
  /** @type {Files} */
  #files;
  /** @type {number | undefined} */
  #refreshTimer;

  /**
   * @param {HTMLElement} root
   * @param {Config} config
   * @param {Texts} texts
   */
  constructor(root, config, texts) {
    this.#root = root;
    this.#config = config;
    this.#texts = texts;
    this.#announcer = new Announcer(texts);
    this.#toasts = new Toasts(texts);
    this.#tokenSignIn = config.signIn.with === "token" ? this.#makeTokenSignIn() : null;
    const headers = () => this.#tokenSignIn?.headers ?? {};
    this.uploader = new ChunkedUploader(uploaderOptions(config, headers));
    this.#account = this.#makeAccount();
    this.#picker = this.#makePicker();
    this.#fileActions = this.#makeFileActions();
    this.#session = this.#makeSession();
    this.#files = this.#makeFiles();
    this.#show();
    this.#listen();
    this.#account.askForToken();
    void this.#files.refresh();
  }

  // The parts, each with what it needs

  #makeTokenSignIn() {
    const check = () => this.uploader.list({ perPage: 1 });
    return new TokenSignIn(this.#root, this.#texts, this.#config.endpoint, check);
  }

  #makeAccount() {
    return new Account(this.#texts, {
      uploader: this.uploader,
      tokenSignIn: this.#tokenSignIn,
      signInUrl: this.#config.signIn.url,
      toasts: this.#toasts,
      onChange: () => void this.#files.refresh(1),
    });
  }

  #makePicker() {
    return new Picker(this.#texts, {
      limits: this.#config,
      take: this.#take,
      toasts: this.#toasts,
    });
  }

  #makeFileActions() {
    const tokenSignIn = this.#tokenSignIn;
    return new FileActions(this.#texts, {
      uploader: this.uploader,
      announcer: this.#announcer,
      toasts: this.#toasts,
      confirm: this.#confirm,
      headers: tokenSignIn && (() => tokenSignIn.headers),
    });
  }

  #makeSession() {
    const rowParts = {
      fileActions: this.#fileActions,
      confirm: this.#confirm,
      signIn: () => this.#account.signIn(),
      pickOne: () => this.#picker.pickOne(),
      take: this.#take,
      dismiss: this.uploader.dismiss.bind(this.uploader),
    };
    return new Session(this.#texts, {
      uploader: this.uploader,
      announcer: this.#announcer,
      summary: this.#makeSummary(),
      home: this.#picker.button,
      createRow: (upload) => new UploadRow(upload, this.#texts, rowParts),
    });
  }

  #makeSummary() {
    const title = this.#config.title === null ? null : new DocumentTitle(this.#texts);
    return new Summary(this.#texts, {
      uploader: this.uploader,
      announcer: this.#announcer,
      confirm: this.#confirm,
      onClear: () => this.#clear(),
      onPercent: (percent) => title?.showProgress(percent),
    });
  }

  #makeFiles() {
    const shared = {
      fileActions: this.#fileActions,
      home: this.#picker.button,
      onDeleted: () => this.#files.refresh(),
    };
    return new Files(this.#texts, {
      uploader: this.uploader,
      unfinished: new Unfinished(this.#texts, {
        ...shared,
        uploader: this.uploader,
        toasts: this.#toasts,
        pickOne: () => this.#picker.pickOne(),
        take: this.#take,
      }),
      finished: new Finished(this.#texts, {
        ...shared,
        turnTo: (page) => this.#files.refresh(page),
      }),
      account: this.#config.signIn.with === null ? null : this.#account,
    });
  }

  #show() {
    const { title } = this.#config;
    const { button } = this.#account;
    const header =
      (title || button) &&
      el("header", { class: "cu-header" }, title && el("h1", {}, title), button);
    const skip = el("a", { class: "cu-skip", href: "#cu-files" }, this.#texts.say("skipToFiles"));
    const parts = [skip, header, this.#picker, this.#session, this.#files];
    const elements = [...parts, this.#announcer, this.#toasts].map((part) =>
      part && "element" in part ? part.element : part,
    );
    this.#root.replaceChildren(...elements.filter((element) => element instanceof Node));
    this.#root.lang = this.#texts.language;
  }

  #listen() {
    // A canceled upload is gone from the server; a dismissed one is unfinished there.
    this.uploader.addEventListener("removed", () => this.#refreshSoon());
    window.addEventListener("beforeunload", (event) => {
      if (this.#session.busy) event.preventDefault();
    });
  }

  // What several parts do

  /** Upload files. @param {Picked[]} picked */
  #take = (picked) => {
    for (const { file, handle = null, path } of picked) {
      this.uploader.add(file, { handle, metadata: path ? { relative_path: path } : {} });
    }
    this.#announcer.say(this.#texts.say("addedFiles", { count: picked.length }));
    this.#account.askForToken();
  };

  /** @type {import("./dialogs.js").Confirm} */
  #confirm = (words) => confirmRemoval(this.#root, words);

  /** Move finished files from the list above to "My uploads". */
  #clear() {
    this.#session.clear();
    this.#picker.button.focus();
    void this.#files.refresh(1);
  }

  #refreshSoon() {
    if (this.#refreshTimer !== undefined) return;
    this.#refreshTimer = window.setTimeout(() => {
      this.#refreshTimer = undefined;
      void this.#files.refresh();
    }, REFRESH_DELAY);
  }
}

/** @param {HTMLElement} root */
function closestLanguage(root) {
  return root.closest("[lang]")?.getAttribute("lang") || "en";
}
