// @ts-check
/** Files that systems leave in folders, which nobody wants to upload. */

const NAMES = new Set([".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".localized"]);

/**
 * Return whether a file is one of them.
 *
 * @param {import("./picker.js").Picked} picked
 */
export function isJunk({ file, path }) {
  const name = file.name.toLowerCase();
  return NAMES.has(name) || name.startsWith("._") || /(^|\/)__MACOSX\//.test(path ?? "");
}
