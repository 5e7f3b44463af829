// @ts-check
/**
 * Turns every `<div class="cu" data-config="…">` of the document into the page. `data-messages` is the
 * address of a module whose default export has an app's own texts.
 */

import { mount } from "./page.js";

for (const root of /** @type {NodeListOf<HTMLElement>} */ (
  document.querySelectorAll(".cu[data-config]")
)) {
  const { config, messages } = root.dataset;
  const own = messages ? (await import(new URL(messages, document.baseURI).href)).default : {};
  await mount(root, JSON.parse(config ?? "{}"), { messages: own });
}
