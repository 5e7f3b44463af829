// @ts-check
/** Puts the admin page together: totals, what is active, failures, and the list of all uploads. */

import { colour } from "../page/appearance.js";
import { wordButton } from "../page/buttons.js";
import { el, setText } from "../page/dom.js";
import { Texts } from "../page/format.js";
import { csrfTokenFrom } from "../page/config.js";
import { Service, ServiceError } from "../page/service.js";
import pageTexts from "../page/texts/en.js";
import { TokenSignIn } from "../page/token-sign-in.js";
import { Actions } from "./actions.js";
import { activeOf, failuresOf, totalsOf } from "./figures.js";
import { Filters } from "./filters.js";
import { showLife } from "./life.js";
import { UploadList } from "./list.js";
import adminTexts from "./texts.js";
import { problemOf } from "./words.js";

/** @typedef {import("../page/format.js").MessageKey} MessageKey */
/** @typedef {import("./words.js").Listed} Listed */

/**
 * @typedef {object} Config
 * @property {string} endpoint
 * @property {string | null} csrfTokenUrl
 * @property {"token" | "app"} signIn
 * @property {Record<string, string> | null} accent
 */

export class AdminPage {
  #root;
  #config;
  #texts = new Texts({ ...pageTexts, ...adminTexts }, "en");
  #service;
  /** Null where the app signs administrators in. @type {TokenSignIn | null} */
  #signIn = null;
  #name = el("span", { class: "cu-quiet" });
  #problem = el("p", { class: "cu-admin-bad", role: "alert" });
  #content = el("div", { hidden: true });
  #selected = el("div", { class: "cu-admin-panel cu-admin-selected", hidden: true });
  #count = el("span");
  #actions;
  #filters;
  #list;
  /** Sections that load by themselves: where each goes, its address, and what shows its answer. */
  #sections;

  /** @param {HTMLElement} root @param {Config} config */
  constructor(root, config) {
    this.#root = root;
    this.#config = config;
    const { endpoint, csrfTokenUrl } = config;
    const csrf = csrfTokenUrl === null ? undefined : csrfTokenFrom(csrfTokenUrl);
    this.#service = new Service({ headers: () => this.#signIn?.headers ?? {}, csrf });
    if (config.signIn === "token") this.#signIn = this.#makeSignIn();
    const onDone = () => void this.#refresh();
    this.#actions = new Actions(root, this.#texts, { service: this.#service, endpoint, onDone });
    this.#list = new UploadList(this.#texts, {
      ask: (query) => this.#page(query),
      open: (upload) => void this.#open(upload),
      changed: () => this.#showSelected(),
    });
    this.#filters = new Filters(this.#texts, (query) => void this.#show(query));
    this.#sections = this.#makeSections();
    this.#build();
    if (this.#signIn && !this.#signIn.token) void this.#signIn.ask();
    else void this.#load();
  }

  #makeSignIn() {
    const check = () => this.#service.ask("GET", `${this.#config.endpoint}/uploads?limit=1`);
    const signIn = new TokenSignIn(this.#root, this.#texts, this.#config.endpoint, check);
    signIn.addEventListener("change", () => {
      this.#content.hidden = true;
      if (signIn.token) void this.#load();
      else this.#forget();
    });
    return signIn;
  }

  /** @returns {[HTMLElement, string, (answer: any) => Node][]} */
  #makeSections() {
    const texts = this.#texts;
    /** @param {Listed} upload */
    const open = (upload) => void this.#open(upload);
    return [
      [el("div"), "active", ({ uploads }) => activeOf(uploads, texts, open)],
      [el("div"), "failures", ({ failures }) => failuresOf(failures, texts)],
      [el("div"), "totals", (totals) => totalsOf(totals, texts)],
    ];
  }

  #build() {
    const texts = this.#texts;
    const [active, failures, totals] = this.#sections.map(([place]) => place);
    const reload = wordButton(texts.say("adminReload"), { onclick: () => void this.#load() });
    const account = el("div", { class: "cu-account" }, this.#name, reload);
    if (this.#signIn) account.append(this.#signInButton(this.#signIn));
    this.#selected.append(
      el("div", { class: "cu-admin-buttons" }, this.#count),
      this.#actions.buttons(() => this.#list.selected),
    );
    this.#content.append(
      this.#section("adminTotals", totals),
      this.#section("adminActive", active),
      this.#section("adminFailures", failures),
      this.#section(
        "adminAll",
        this.#filters.element,
        this.#selected,
        this.#actions.element,
        this.#list.element,
      ),
    );
    const header = el(
      "header",
      { class: "cu-header" },
      el("h1", {}, texts.say("adminHeading")),
      account,
    );
    const skip = el("a", { class: "cu-skip", href: "#cu-adminAll" }, texts.say("adminSkip"));
    this.#root.replaceChildren(skip, header, this.#problem, this.#content);
    colour(this.#root, this.#config.accent);
    document.title = texts.say("adminHeading");
  }

  /** @param {TokenSignIn} signIn */
  #signInButton(signIn) {
    const onclick = () => (signIn.token ? signIn.signOut() : void signIn.ask());
    const button = wordButton("", { onclick });
    const show = () =>
      setText(
        /** @type {Element} */ (button.lastElementChild),
        this.#texts.say(signIn.token ? "signOut" : "signIn"),
      );
    signIn.addEventListener("change", show);
    show();
    return button;
  }

  /** @param {MessageKey} key @param {Node[]} content */
  #section(key, ...content) {
    const id = `cu-${key}`;
    const heading = el("h2", { id, tabindex: "-1" }, this.#texts.say(key));
    return el("section", { "aria-labelledby": id }, heading, ...content);
  }

  /** Load everything. */
  async #load() {
    await this.#show(this.#filters.query);
    if (!this.#content.hidden) await this.#loadSections();
  }

  async #loadSections() {
    await Promise.all(
      this.#sections.map(async ([place, path, render]) => {
        if (!place.hasChildNodes()) place.append(el("p", {}, this.#texts.say("adminLoading")));
        try {
          place.replaceChildren(render(await this.#get(path)));
        } catch (error) {
          const detail = problemOf(error, this.#texts);
          place.replaceChildren(
            el("p", { class: "cu-admin-bad" }, this.#texts.say("adminProblem", { detail })),
          );
        }
      }),
    );
  }

  /** Show what has changed, after an action. */
  async #refresh() {
    await this.#try(() => this.#list.refresh());
    await this.#loadSections();
  }

  /** @param {URLSearchParams} query */
  #show(query) {
    return this.#try(() => this.#list.show(query));
  }

  /** Do something, and say what was refused. @param {() => Promise<void>} work */
  async #try(work) {
    try {
      await work();
      setText(this.#problem, "");
      this.#content.hidden = false;
    } catch (error) {
      const refused = error instanceof ServiceError && error.status === 403;
      if (refused && this.#signIn) void this.#signIn.ask({ again: this.#signIn.token !== "" });
      const says = refused && !this.#signIn;
      setText(
        this.#problem,
        says ? this.#texts.say("adminRefused") : problemOf(error, this.#texts),
      );
    }
  }

  /** @param {URLSearchParams} query @returns {Promise<any>} */
  async #page(query) {
    const answer = await this.#get(`uploads?${query}`);
    setText(this.#name, this.#texts.say("signedInAs", { name: answer.admin }));
    this.#filters.offer(answer.upload_sets);
    return answer;
  }

  /** Nobody is signed in any more: nothing stays on the page. */
  #forget() {
    setText(this.#name, "");
    for (const [place] of this.#sections) place.replaceChildren();
  }

  /** @param {string} path */
  #get(path) {
    return this.#service.ask("GET", `${this.#config.endpoint}/${path}`);
  }

  /** @param {Listed} upload */
  #open(upload) {
    return this.#try(async () => {
      const life = await this.#get(`uploads/${upload.upload_id}`);
      const buttons = this.#actions.buttons(() => [upload]);
      showLife(this.#root, this.#texts, life, buttons);
    });
  }

  #showSelected() {
    const count = this.#list.selected.length;
    this.#selected.hidden = count === 0;
    setText(this.#count, this.#texts.say("adminSelected", { count }));
  }
}
