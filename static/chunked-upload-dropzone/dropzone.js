/** Dropzone itself: the page's own 5.x where a script has loaded one, so that its options hold, else ours. */

if (!globalThis.Dropzone?.version?.startsWith("5.")) {
  // Imported by URL: otherwise the type checker would read the bundled file.
  await import(new URL("../vendor/dropzone.min.js", import.meta.url).href);
}
export const { Dropzone } = globalThis;
Dropzone.autoDiscover = false;
