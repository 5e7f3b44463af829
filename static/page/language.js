// @ts-check
/** The page's language: which one the visitor gets, its texts, and the direction it is written in. */

import { isRightToLeft, Texts } from "./format.js";

/** The languages with a file in texts/, by their primary subtag. */
export const LANGUAGES = ["en", "de", "fr", "es", "pt", "zh", "ja", "ar"];

/**
 * Return the language of a page: what the app has set, on the element or on the document around it; else
 * the first one of the browser's that is offered; else the fallback.
 *
 * @param {HTMLElement} root
 * @param {object} options
 * @param {string | null} options.fallback
 * @param {string[] | null} options.languages What is offered; null for all.
 * @returns {string} BCP 47 tag, with the browser's region, for numbers and dates.
 */
export function chooseLanguage(root, { fallback, languages }) {
  const set = isOwnDocument() ? root.lang : root.closest("[lang]")?.getAttribute("lang");
  if (set) return set;
  const offered = (languages ?? LANGUAGES).map(primary);
  return (
    navigator.languages.find((tag) => offered.includes(primary(tag))) ??
    fallback ??
    languages?.[0] ??
    "en"
  );
}

/**
 * Load the texts of a language, and of no other. English stands in for a language without a file.
 *
 * @param {string} language
 * @param {Partial<Record<import("./format.js").MessageKey, import("./format.js").Message>>} messages
 *   An app's own texts, in place of the page's.
 */
export async function loadTexts(language, messages) {
  const name = LANGUAGES.includes(primary(language)) ? primary(language) : "en";
  const { default: texts } = await import(`./texts/${name}.js`);
  return new Texts({ ...texts, ...messages }, language);
}

/**
 * Mark the page with its language and direction, and the document too where the page is all of it.
 *
 * @param {HTMLElement} root
 * @param {string} language
 */
export function showLanguage(root, language) {
  for (const element of isOwnDocument() ? [root, document.documentElement] : [root]) {
    element.lang = language;
    element.dir = isRightToLeft(language) ? "rtl" : "ltr";
  }
}

/** Return whether the page is a document of its own, and not a part of an app's. */
export function isOwnDocument() {
  return document.body.classList.contains("cu-document");
}

/** @param {string} tag */
function primary(tag) {
  return tag.split("-")[0].toLowerCase();
}
