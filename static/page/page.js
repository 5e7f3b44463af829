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
import { colour, logoOf } from "./appearance.js";
import { uploaderOptions, withDefaults } from "./config.js";
import { confirmRemoval } from "./dialogs.js";
import { curlHelp } from "./curl-help.js";
import { el } from "./dom.js";
import { chooseLanguage, isOwnDocument, loadTexts, showLanguage } from "./language.js";
import { Intake } from "./intake.js";
import { maxBytesOf } from "./limits.js";
import { LongUploads } from "./long-uploads.js";
import { Picker } from "./picker.js";
import { Service } from "./service.js";
import { Share } from "./share.js";
import { Standing } from "./standing.js";
import { Thumbnails } from "./thumbnails.js";
import { Toasts } from "./toasts.js";
import { TokenSignIn } from "./token-sign-in.js";
import { UploadsSection } from "./uploads-section.js";

/** @typedef {import("./config.js").Config} Config */
/** @typedef {import("./format.js").Message} Message */
/** @typedef {import("./format.js").MessageKey} MessageKey */
/** @typedef {import("./picker.js").Picked} Picked */

/**
 * Turn an element into the page, in the visitor's language.
 *
 * @param {HTMLElement} root
 * @param {Partial<Config> & {endpoint: string}} config
 * @param {{messages?: Partial<Record<MessageKey, Message>>, language?: string}} [options] `messages`: an
 *   app's own texts, in place of the page's; `language`: whatever the browser's setting is.
 * @returns {Promise<Page>}
 */
export async function mount(root, config, { messages = {}, language } = {}) {
  const whole = withDefaults(config);
  const { language: fallback, languages } = whole;
  const chosen = language ?? chooseLanguage(root, { fallback, languages });
  const texts = await loadTexts(chosen, messages);
  if (isOwnDocument()) document.title = whole.title ??= texts.say("heading");
  return new Page(root, whole, texts);
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
  #standing;
  #account;
  #intake;
  /** @type {Picker} */
  #picker;
  /** @type {UploadsSection} */
  #uploads;

  /**
   * @param {HTMLElement} root
   * @param {Config} config
   * @param {import("./format.js").Texts} texts
   */
  constructor(root, config, texts) {
    this.#root = root;
    this.#config = config;
    this.#texts = texts;
    this.#announcer = new Announcer(texts);
    this.#toasts = new Toasts(texts);
    this.#tokenSignIn = config.signIn.with === "token" ? this.#makeTokenSignIn() : null;
    const headers = () => this.#tokenSignIn?.headers ?? {};
    const options = uploaderOptions(config, headers, () =>
      maxBytesOf(this.#standing.account, config),
    );
    this.uploader = new ChunkedUploader(options);
    const service = new Service(options);
    const account = config.account ?? `${config.endpoint}account`;
    this.#standing = new Standing(service, account, config.usage?.url ?? null);
    new LongUploads(texts, { uploader: this.uploader, toasts: this.#toasts });
    this.#account = this.#makeAccount();
    this.#intake = new Intake(texts, {
      uploader: this.uploader,
      announcer: this.#announcer,
      toasts: this.#toasts,
      standing: this.#standing,
      onProgress: (words) => this.#picker.showProgress(words),
    });
    this.#picker = this.#makePicker();
    this.#uploads = this.#makeUploads(headers, service);
    this.#show();
    this.#listen();
    this.#account.askForToken();
    this.#standing.refresh();
    void this.#uploads.refresh();
  }

  // The parts, each with what it needs

  #makeTokenSignIn() {
    const check = () => this.#standing.load();
    return new TokenSignIn(this.#root, this.#texts, this.#config.endpoint, check);
  }

  #makeAccount() {
    return new Account(this.#texts, {
      uploader: this.uploader,
      standing: this.#standing,
      tokenSignIn: this.#tokenSignIn,
      signInUrl: this.#config.signIn.url,
      toasts: this.#toasts,
      onChange: () => void this.#uploads.refresh(),
      onLeave: () => this.#clear(),
    });
  }

  #makePicker() {
    return new Picker(this.#texts, {
      limits: this.#config,
      standing: this.#standing,
      take: this.#take,
      onEmptyFolders: (names) => this.#intake.sayEmpty(names),
      toasts: this.#toasts,
    });
  }

  /** @param {() => Record<string, string>} headers @param {Service} service */
  #makeUploads(headers, service) {
    return new UploadsSection(this.#texts, {
      root: this.#root,
      uploader: this.uploader,
      announcer: this.#announcer,
      toasts: this.#toasts,
      confirm: (words) => confirmRemoval(this.#root, words),
      picker: this.#picker,
      take: this.#take,
      account: this.#account,
      signsIn: this.#config.signIn.with !== null,
      thumbnails: new Thumbnails({ headers }),
      standing: this.#standing,
      share: new Share(this.#texts, { root: this.#root, config: this.#config, service }),
      downloadHeaders: this.#tokenSignIn && headers,
      ownTitle: this.#config.title !== null,
    });
  }

  #show() {
    const { title, logo, accent } = this.#config;
    const account = this.#account;
    const header =
      (title || account.isShown) &&
      el("header", { class: "cu-header" }, title && el("h1", {}, title), account.element);
    const help = curlHelp(this.#texts, this.#config);
    const skip = el("a", { class: "cu-skip", href: "#cu-files" }, this.#texts.say("skipToFiles"));
    const parts = [skip, logoOf(logo), header, this.#picker, this.#uploads, help];
    const elements = [...parts, this.#announcer, this.#toasts].map((part) =>
      part && "element" in part ? part.element : part,
    );
    this.#root.replaceChildren(...elements.filter((element) => element instanceof Node));
    colour(this.#root, accent);
    showLanguage(this.#root, this.#texts.language);
  }

  #listen() {
    // Finished uploads no longer count against the quota.
    this.uploader.addEventListener("idle", () => this.#standing.refresh());
    window.addEventListener("beforeunload", (event) => {
      if (this.#uploads.busy) event.preventDefault();
    });
  }

  /** Take off what only the user who has just left may see. */
  #clear() {
    this.#uploads.clear();
    this.#toasts.clear();
    this.#announcer.clear();
  }

  /** Upload files. @param {Picked[]} picked */
  #take = (picked) => {
    void this.#intake.take(picked);
    this.#account.askForToken();
  };
}
