// @ts-check
/** Explains where files are that were sent with curl or another program, and how they get into the list. */

import { el } from "./dom.js";

/**
 * Return the explanation; null where the app signs its users in, since other programs cannot.
 *
 * @param {import("./format.js").Texts} texts
 * @param {Pick<import("./config.js").Config, "endpoint" | "signIn">} config
 */
export function curlHelp(texts, { endpoint, signIn }) {
  if (signIn.with === "app") return null;
  const url = new URL(endpoint, document.baseURI).href;
  const isKnown = signIn.with === "token";
  const token = isKnown ? '-H "Authorization: Bearer $TOKEN" ' : "";
  return el(
    "details",
    { class: "cu-help" },
    el("summary", {}, texts.say("curlTitle")),
    el("p", {}, texts.say(isKnown ? "curlWithToken" : "curlWithout")),
    // As wide as the page, so that it needs no scrolling by keyboard.
    el("pre", { dir: "ltr" }, el("code", {}, `curl ${token}-T photo.jpg ${url}`)),
  );
}
