// @ts-check
/**
 * The page about a link that does not work, in the visitor's language. Its document is in English, for
 * browsers without scripts. It imports nothing of the page but the texts that the server has chosen.
 */

/** @typedef {keyof typeof import("./texts/en.js").default} MessageKey */

/** What is wrong, and what to do, by the document's `data-notice`. @type {Record<string, [MessageKey, MessageKey]>} */
const WORDS = {
  invalid: ["linkInvalid", "linkInvalidHelp"],
  expired: ["linkExpired", "linkExpiredHelp"],
  gone: ["linkGone", "linkGoneHelp"],
};

const root = /** @type {HTMLElement} */ (document.querySelector("[data-notice]"));
const { notice = "", until, texts: address = "", language = "", direction = "" } = root.dataset;
const [wrong, help] = WORDS[notice];
const { default: texts } = await import(address);
const [heading, paragraph] = root.children;
const date = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
heading.textContent = document.title = texts[wrong];
paragraph.textContent = texts[help].replace("{until}", until ? date.format(new Date(until)) : "");
document.documentElement.lang = language;
document.documentElement.dir = direction;

export {}; // a module, whatever it imports
