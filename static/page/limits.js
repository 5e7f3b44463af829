// @ts-check
/** Which files the server accepts, in words. */

/** @typedef {Pick<import("./config.js").Config, "maxBytes" | "allowedExtensions" | "deniedExtensions" | "quota">} Limits */

/**
 * Return file types as `accept` attributes and people write them.
 *
 * @param {string[]} extensions
 */
export function dotted(extensions) {
  return extensions.map((name) => `.${name}`);
}

/**
 * Return how large a file may be: what holds for the user, as soon as it is known, else for who asked for the page.
 *
 * @param {import("./standing.js").AccountReply | null} account
 * @param {Pick<Limits, "maxBytes">} limits
 */
export function maxBytesOf(account, { maxBytes }) {
  return account ? account.limits.max_bytes : maxBytes;
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

/**
 * Return what is left of the user's quota; empty where there is none. Until the account is known all of it is
 * said to be left, so that the line has its length from the start.
 *
 * @param {import("./standing.js").AccountReply | null} account
 * @param {Pick<Limits, "quota">} limits
 * @param {import("./format.js").Texts} texts
 */
export function quotaWords(account, { quota }, texts) {
  const bytes = account?.quota?.bytes ?? (quota.bytes && { left: quota.bytes, max: quota.bytes });
  const files = account?.quota?.files?.left ?? quota.files;
  const said = [];
  if (bytes) {
    const values = { left: texts.size(bytes.left), max: texts.size(bytes.max) };
    said.push(texts.say("quotaBytes", values));
  }
  if (files !== null) said.push(texts.say("quotaFiles", { count: files }));
  return said.join(" ");
}
