// @ts-check
/**
 * What screen readers are told without being asked: what is done, what went wrong, and now and then how
 * far it is. Events that come close together are put into one sentence, so that a hundred small files
 * do not make a hundred.
 */

import { el } from "./dom.js";

/** @typedef {import("./format.js").Texts} Texts */

/** Milliseconds in which further events join a sentence. */
const GATHER = 700;
/** Milliseconds between two remarks on progress. */
const PROGRESS_EVERY = 30_000;

export class Announcer {
  /** @param {Texts} texts */
  constructor(texts) {
    this.texts = texts;
    this.element = el("p", { class: "cu-unseen", role: "status" });
    /** @type {string[]} */
    this.sentences = [];
    /** @type {string[]} */
    this.done = [];
    /** @type {{name: string, reason: string}[]} */
    this.failed = [];
    this.timer = 0;
    this.lastProgress = Date.now();
  }

  /** @param {string} sentence */
  say(sentence) {
    if (!this.sentences.includes(sentence)) this.sentences.push(sentence);
    this.gather();
  }

  /** @param {string} name */
  sayDone(name) {
    this.done.push(name);
    this.gather();
  }

  /** @param {string} name @param {string} reason */
  sayFailed(name, reason) {
    this.failed.push({ name, reason });
    this.gather();
  }

  /** @param {string} percent @param {string} time */
  sayProgress(percent, time) {
    if (Date.now() - this.lastProgress < PROGRESS_EVERY) return;
    this.say(this.texts.say("saidProgress", { percent, time }));
  }

  gather() {
    this.lastProgress = Date.now();
    this.timer ||= window.setTimeout(() => this.speak(), GATHER);
  }

  speak() {
    this.timer = 0;
    const sentences = this.sentences;
    if (this.done.length > 0) {
      sentences.push(this.texts.say("saidDone", { count: this.done.length, name: this.done[0] }));
    }
    if (this.failed.length > 0) {
      sentences.push(
        this.texts.say("saidFailed", { count: this.failed.length, ...this.failed[0] }),
      );
    }
    this.element.textContent = sentences.map(asSentence).join(" ");
    [this.sentences, this.done, this.failed] = [[], [], []];
  }
}

/** @param {string} text */
function asSentence(text) {
  return /[.!?…。]$/.test(text) ? text : `${text}.`;
}
