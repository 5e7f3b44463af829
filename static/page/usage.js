// @ts-check
/**
 * How much of their limits the user has used, in one line. It is no live region: it changes with every file,
 * and a file that meets a limit says so itself.
 */

import { el } from "./dom.js";

/** @typedef {import("./standing.js").UsageReply} UsageReply */
/** @typedef {import("./config.js").Usage} Usage */

/**
 * Return what is used of each limit, and a point between two of them.
 *
 * @param {UsageReply} usage
 * @param {import("./format.js").Texts} texts
 */
export function usageWords({ stored_bytes, stored_files, bytes_per_day }, texts) {
  const sizes = (/** @type {import("./standing.js").Level} */ { used, max }) => ({
    used: texts.size(used),
    max: texts.size(max),
  });
  const said = [];
  if (stored_bytes) said.push(texts.say("usageBytes", sizes(stored_bytes)));
  if (stored_files) {
    const { used, max } = stored_files;
    said.push(texts.say("usageFiles", { used, count: max }));
  }
  if (bytes_per_day) said.push(texts.say("usageDay", sizes(bytes_per_day)));
  return said.map((words, at) => (at < said.length - 1 ? `${words} ·` : words));
}

/**
 * Return the line. Until the server has answered it is not seen, but has its place, so that nothing moves.
 *
 * @param {import("./format.js").Texts} texts
 * @param {import("./standing.js").Standing} standing
 * @param {Usage} limits
 */
export function usageLine(texts, standing, limits) {
  const element = el("p", { class: "cu-limits cu-usage" });
  const show = () => {
    const words = usageWords(standing.usage ?? allUsed(limits), texts);
    element.replaceChildren(...words.flatMap((one) => [el("span", {}, one), " "]));
    element.toggleAttribute("data-unknown", standing.usage === null);
  };
  standing.addEventListener("change", show);
  show();
  return element;
}

/** @param {Usage} limits @returns {UsageReply} */
function allUsed({ storedBytes, storedFiles, bytesPerDay }) {
  const level = (/** @type {number | null} */ max) =>
    max === null ? null : { used: max, left: 0, max };
  return {
    stored_bytes: level(storedBytes),
    stored_files: level(storedFiles),
    bytes_per_day: level(bytesPerDay),
  };
}
