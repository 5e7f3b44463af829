// @ts-check
/** The checksum of a file that the server has: the line that shows it, and the button that copies it. */

import { iconButton, setIconButton, switchOff } from "./buttons.js";
import { el } from "./dom.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./format.js").Texts} Texts */

/** Milliseconds for which a check mark shows that the checksum was copied. */
const COPIED_FOR = 2000;

/**
 * Return the line with a file's checksum; empty where the server has none.
 *
 * @param {UploadRecord} record
 * @param {Texts} texts
 */
export function checksumLine(record, texts) {
  const { label, value } = checksumOf(record, texts);
  if (value === "") return [];
  return [el("p", { class: "cu-checksum" }, `${label} `, el("code", {}, value))];
}

/**
 * Return the button that copies a file's checksum; switched off where the server has none.
 *
 * @param {UploadRecord} record
 * @param {Texts} texts
 * @param {object} parts
 * @param {(words: string) => void} parts.announce
 * @param {(words: string) => void} parts.warn
 */
export function copyButton(record, texts, { announce, warn }) {
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
  switchOff(button, value === "");
  return button;
}

/**
 * @param {UploadRecord} record
 * @param {Texts} texts
 */
function checksumOf({ md5, sha256 }, texts) {
  if (!md5 && sha256) return { label: texts.say("sha256"), value: sha256 };
  return { label: texts.say("md5"), value: md5 ?? "" };
}
