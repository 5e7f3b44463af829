// @ts-check
/**
 * Announcements for screen readers: what is done, what failed, and from time to time the progress. Events
 * that follow each other closely are put into one sentence, so that a hundred small files do not make
 * a hundred announcements.
 */

import { el } from "./dom.js";

/** @typedef {import("./format.js").Texts} Texts */

/** Milliseconds in which further events join an announcement. */
const GATHER = 700;
/** Milliseconds between two announcements of the progress. */
const PROGRESS_EVERY = 30_000;

export class Announcer {
  element = el("p", { class: "cu-unseen", role: "status" });
  #texts;
  /** @type {string[]} */
  #sentences = [];
  /** Names of finished files. @type {string[]} */
  #done = [];
  /** @type {{name: string, reason: string}[]} */
  #failed = [];
  #timer = 0;
  #lastProgress = Date.now();

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  /** @param {string} sentence */
  say(sentence) {
    if (!this.#sentences.includes(sentence)) this.#sentences.push(sentence);
    this.#gather();
  }

  /** @param {string} name */
  sayDone(name) {
    this.#done.push(name);
    this.#gather();
  }

  /** @param {string} name @param {string} reason */
  sayFailed(name, reason) {
    this.#failed.push({ name, reason });
    this.#gather();
  }

  /** @param {string} percent @param {string} time */
  sayProgress(percent, time) {
    if (Date.now() - this.#lastProgress < PROGRESS_EVERY) return;
    this.say(this.#texts.say("saidProgress", { percent, time }));
  }

  /** Forget what was said, and what was about to be. */
  clear() {
    [this.#sentences, this.#done, this.#failed] = [[], [], []];
    this.element.textContent = "";
  }

  #gather() {
    this.#lastProgress = Date.now();
    if (this.#timer === 0) this.#timer = window.setTimeout(() => this.#speak(), GATHER);
  }

  #speak() {
    this.#timer = 0;
    const sentences = this.#sentences;
    const [done, failed] = [this.#done, this.#failed];
    if (done.length > 0) {
      sentences.push(this.#texts.say("saidDone", { count: done.length, name: done[0] }));
    }
    if (failed.length > 0) {
      sentences.push(this.#texts.say("saidFailed", { count: failed.length, ...failed[0] }));
    }
    this.element.textContent = sentences.map(asSentence).join(" ");
    [this.#sentences, this.#done, this.#failed] = [[], [], []];
  }
}

/** @param {string} text */
function asSentence(text) {
  return /[.!?…。]$/.test(text) ? text : `${text}.`;
}
