// @ts-check
/** What can be done with a finished file: copy its MD5, download it, delete it. */

import { iconButton, setIconButton, switchOff } from "./buttons.js";
import { problemWords } from "./describe.js";
import { el } from "./dom.js";
import { downloadWithHeaders } from "./download.js";
import { icon } from "./icons.js";

/** @typedef {import("../chunked-upload/types.js").UploadRecord} UploadRecord */
/** @typedef {import("./page.js").Context} Context */

/** Milliseconds for which a check mark says that something was copied. */
const COPIED_FOR = 2000;

/**
 * @param {UploadRecord} record
 * @param {Context} context
 * @returns {{copy: HTMLButtonElement, download: HTMLElement}}
 */
export function fileActions(record, context) {
  return { copy: copyButton(record, context), download: downloadButton(record, context) };
}

/**
 * The line with a file's MD5; none where the server has none.
 *
 * @param {UploadRecord} record
 * @param {import("./format.js").Texts} texts
 */
export function checksumLine({ md5 }, texts) {
  if (!md5) return [];
  return [el("p", { class: "cu-checksum" }, `${texts.say("md5")} `, el("code", {}, md5))];
}

/** @param {UploadRecord} record @param {Context} context */
function copyButton(record, { texts, announcer, complain }) {
  const name = record.filename;
  const md5 = record.md5 ?? "";
  const label = texts.say("copyMd5", { name });
  const button = iconButton("copy", label, async () => {
    try {
      await navigator.clipboard.writeText(md5);
    } catch {
      // Not over plain HTTP, and not where it is forbidden. The text can be marked and copied.
      complain(texts.say("copyFailed", { md5 }));
      return;
    }
    announcer.say(texts.say("copied", { name }));
    setIconButton(button, "check", label);
    setTimeout(() => setIconButton(button, "copy", label), COPIED_FOR);
  });
  switchOff(button, md5 === "");
  return button;
}

/** @param {UploadRecord} record @param {Context} context */
function downloadButton(record, context) {
  const { texts, announcer, signIn } = context;
  const name = record.filename;
  const label = texts.say("download", { name });
  if (signIn === null) {
    const properties = {
      class: "cu-icon-button",
      href: record.url,
      download: name,
      "aria-label": label,
      title: label,
    };
    return el("a", properties, icon("download"));
  }
  const button = iconButton("download", label, async () => {
    announcer.say(texts.say("downloading", { name }));
    switchOff(button, true);
    try {
      await downloadWithHeaders(record, signIn.headers);
    } catch (error) {
      const detail = /** @type {Error} */ (error).message;
      context.complain(texts.say("downloadFailed", { name, detail }));
    }
    switchOff(button, false);
  });
  return button;
}

/**
 * Ask, then remove an upload from the server.
 *
 * @param {{uploadId: string, name: string}} upload
 * @param {Context} context
 * @returns {Promise<boolean>} whether it is gone.
 */
export async function deleteAfterAsking(
  { uploadId, name },
  { texts, uploader, confirm, announcer, complain },
) {
  const sure = await confirm({
    title: texts.say("deleteTitle", { name }),
    body: texts.say("deleteBody"),
    confirm: texts.say("deleteConfirm"),
    keep: texts.say("keep"),
  });
  if (!sure) return false;
  try {
    await uploader.remove(uploadId);
  } catch (error) {
    const { status } = /** @type {import("../chunked-upload.js").UploadError} */ (error);
    if (status !== 404 && status !== 410) {
      complain(texts.say("deleteFailed", { name, detail: problemWords(error, texts) }));
      return false;
    }
  }
  announcer.say(texts.say("deleted", { name }));
  return true;
}
