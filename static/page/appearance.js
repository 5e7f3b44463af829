// @ts-check
/** How an operator or an app wants the page to look: a logo, and an accent colour in all its shades. */

import { el } from "./dom.js";

/**
 * Set the shades on the page's element. Scripts may do that where the policy allows no inline styles.
 *
 * @param {HTMLElement} root
 * @param {Record<string, string> | null} accent Values of custom properties, by their names without `--cu-`.
 */
export function colour(root, accent) {
  for (const [name, value] of Object.entries(accent ?? {})) {
    root.style.setProperty(`--cu-${name}`, value);
  }
}

/**
 * Return the logo. It says nothing that the heading does not, and its place is as high before it has loaded.
 *
 * @param {string | null} src
 */
export function logoOf(src) {
  return src && el("img", { class: "cu-logo", src, alt: "" });
}
