// @ts-check
/** A progress bar that tells apart what is done, paused and failed. */

import { el, setAttribute } from "./dom.js";

/** @typedef {{sent: number, paused: number, failed: number, size: number}} Shares In bytes. */

/** Share of the bar that a failure takes at least. */
const LEAST = 0.01;

export class Bar {
  element;
  #sent = el("span", { class: "cu-bar-sent" });
  #paused = el("span", { class: "cu-bar-paused" });
  #failed = el("span", { class: "cu-bar-failed" });

  /** @param {string} label */
  constructor(label) {
    this.element = el(
      "div",
      { class: "cu-bar", role: "progressbar", "aria-label": label, "aria-valuemax": 100 },
      this.#sent,
      this.#paused,
      this.#failed,
    );
  }

  /** @param {Shares} shares @param {string} words For screen readers. */
  update({ sent, paused, failed, size }, words) {
    const whole = size || 1;
    setShare(this.#sent, sent / whole);
    setShare(this.#paused, paused / whole);
    // Seen however small it is.
    setShare(this.#failed, failed > 0 ? Math.max(failed / whole, LEAST) : 0);
    setAttribute(this.element, "aria-valuenow", Math.floor(((sent + paused) / whole) * 100));
    setAttribute(this.element, "aria-valuetext", words);
  }
}

/** @param {HTMLElement} part @param {number} share */
function setShare(part, share) {
  const wanted = `${(share * 100).toFixed(2)}%`;
  if (part.style.inlineSize !== wanted) part.style.inlineSize = wanted;
}
