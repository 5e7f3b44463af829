// @ts-check
/** Turns the document's `<div class="cu-admin" data-config="…">` into the admin page. */

import { AdminPage } from "./page.js";

const root = /** @type {HTMLElement} */ (document.querySelector(".cu-admin"));
new AdminPage(root, JSON.parse(root.dataset.config ?? "{}"));
