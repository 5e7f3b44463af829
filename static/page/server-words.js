// @ts-check
/**
 * The server's messages in the page's language. Those that a user of the page can meet are known here by their
 * English text (docs/protocol.md); any other one is shown as it is.
 */

/** @typedef {import("./format.js").Texts} Texts */
/** @typedef {import("./format.js").MessageKey} MessageKey */

/**
 * Group 1 is the value `size` in bytes, `count`, or `type`; group 2 is `types`, or `left` in bytes; group 3 is
 * `until`.
 *
 * @type {[RegExp, MessageKey][]}
 */
const KNOWN = [
  [/^Size of (?:file|request|chunk) exceeds the limit \((\d+) bytes\)/, "serverTooLarge"],
  [/^Too many unfinished uploads \(at most (\d+)\)/, "serverTooMany"],
  [/^Unfinished uploads would take more than (\d+) bytes/, "serverQuota"],
  [/^Your files would take more than (\d+) bytes \((\d+) are left\)/, "serverStored"],
  [/^Too many uploads \(at most (\d+)\)/, "serverStoredFiles"],
  [/^More than (\d+) bytes in one day \((\d+) are left until (\S+)\)/, "serverDay"],
  [/^Too many requests/, "serverTooFast"],
  [/^Files of type '([^']*)' are not accepted, only: (.*)/, "serverOnlyTypes"],
  [/^Files of type '([^']*)' are not accepted/, "serverType"],
  [/^File name exceeds the limit \((\d+) characters\)/, "serverName"],
  [/^(?:Upload|File) not found/, "serverNotFound"],
  [/^Upload has expired/, "serverExpired"],
  [/^Upload is in use/, "serverInUse"],
  [/^Upload is being changed by /, "serverBusy"],
  [/^Authentication credentials were not provided/, "serverSignIn"],
  [/^Database is unavailable/, "serverDatabase"],
  [/^Storage (?:is busy|failed)/, "serverStorage"],
  [/^Storage is full/, "serverFull"],
  [/^Internal server error/, "serverInternal"],
];

/**
 * Return a server's message in the page's language, without a full stop. One that is not known keeps its words;
 * sizes are written as everywhere on the page.
 *
 * @param {string} detail
 * @param {Texts} texts
 * @returns {string}
 */
export function serverWords(detail, texts) {
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(detail);
    if (found) return texts.say(key, valuesOf(found, texts));
  }
  return detail
    .replace(/\b(\d{4,}) bytes\b/g, (_, bytes) => texts.size(Number(bytes)))
    .replace(/\.$/, "");
}

/** @param {string[]} found @param {Texts} texts */
function valuesOf([, value = "", second = "", until = ""], texts) {
  const number = Number(value);
  return {
    ...{ type: value, types: second, count: number },
    ...{ size: texts.size(number), left: texts.size(Number(second)) },
    until: until && texts.date(until),
  };
}
