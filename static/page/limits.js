// @ts-check
/** Which files the server accepts, in words. */

/** @typedef {Pick<import("./config.js").Config, "maxBytes" | "allowedExtensions" | "deniedExtensions">} Limits */

/**
 * Return file types as `accept` attributes and people write them.
 *
 * @param {string[]} extensions
 */
export function dotted(extensions) {
  return extensions.map((name) => `.${name}`);
}

/** @param {Limits} limits @param {import("./format.js").Texts} texts */
export function limitWords({ maxBytes, allowedExtensions, deniedExtensions }, texts) {
  const said = [];
  if (maxBytes) said.push(texts.say("limitSize", { size: texts.size(maxBytes) }));
  if (allowedExtensions) {
    said.push(texts.say("limitTypes", { types: dotted(allowedExtensions).join(", ") }));
  } else if (deniedExtensions.length > 0) {
    said.push(texts.say("limitNotTypes", { types: dotted(deniedExtensions).join(", ") }));
  }
  return said.join(" ");
}
