// @ts-check
/** Shows the progress in the title of the browser's tab. */

export class DocumentTitle {
  #texts;
  #title = document.title;

  /** @param {import("./format.js").Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  /** @param {string} percent Empty when nothing is uploading. */
  showProgress(percent) {
    const title = percent
      ? this.#texts.say("titleProgress", { percent, title: this.#title })
      : this.#title;
    if (document.title !== title) document.title = title;
  }
}
