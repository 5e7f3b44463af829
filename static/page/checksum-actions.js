// @ts-check
/** The checksum of a file that the server has: behind a word, since few people need it. */

import { iconButton, setIconButton } from "./buttons.js";
import { el, setAttribute } from "./dom.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./format.js").Texts} Texts */

/** Milliseconds for which a check mark shows that the checksum was copied. */
const COPIED_FOR = 2000;

/**
 * Return the word that shows and hides a file's checksum; empty where the server has none.
 *
 * @param {UploadRecord} record
 * @param {Texts} texts
 * @param {object} parts
 * @param {(words: string) => void} parts.announce
 * @param {(words: string) => void} parts.warn
 * @returns {(Node | string)[]}
 */
export function checksumWord(record, texts, parts) {
  const { label: checksum, value } = checksumOf(record, texts);
  if (value === "") return [];
  /** @type {HTMLElement | null} */
  let line = null;
  const onclick = () => {
    if (line === null) {
      line = checksumLine(record, texts, parts);
      button.closest(".cu-words")?.after(line);
    } else {
      line.hidden = !line.hidden;
    }
    setAttribute(button, "aria-expanded", String(!line.hidden));
  };
  const name = record.filename;
  const label = texts.say("showChecksum", { name, checksum });
  const button = el(
    "button",
    { class: "cu-word", type: "button", "aria-label": label, "aria-expanded": "false", onclick },
    checksum,
  );
  return [" · ", button];
}

/**
 * @param {UploadRecord} record
 * @param {Texts} texts
 * @param {{announce: (words: string) => void, warn: (words: string) => void}} parts
 */
function checksumLine(record, texts, { announce, warn }) {
  const name = record.filename;
  const { label: checksum, value } = checksumOf(record, texts);
  const label = texts.say("copyChecksum", { name, checksum });
  const button = iconButton("copy", label, async () => {
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Plain HTTP or a policy forbids it. The user can select the text and copy it.
      warn(texts.say("copyFailed", { checksum, value }));
      return;
    }
    announce(texts.say("copied", { name, checksum }));
    setIconButton(button, "check", label);
    setTimeout(() => setIconButton(button, "copy", label), COPIED_FOR);
  });
  return el("p", { class: "cu-checksum" }, el("code", {}, value), button);
}

/**
 * @param {UploadRecord} record
 * @param {Texts} texts
 */
function checksumOf({ md5, sha256 }, texts) {
  if (!md5 && sha256) return { label: texts.say("sha256"), value: sha256 };
  return { label: texts.say("md5"), value: md5 ?? "" };
}
