// @ts-check
/**
 * Turns every `<div class="cu" data-config="…">` of the document into the page. `data-messages` is the
 * address of a module whose default export has the texts in another language.
 */

import { mount } from "./page.js";

for (const root of /** @type {NodeListOf<HTMLElement>} */ (
  document.querySelectorAll(".cu[data-config]")
)) {
  const { config, messages } = root.dataset;
  const translated = messages
    ? (await import(new URL(messages, document.baseURI).href)).default
    : {};
  mount(root, JSON.parse(config ?? "{}"), { messages: translated });
}
