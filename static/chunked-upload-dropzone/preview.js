/** A file's preview in a zone: Dropzone makes it, this module adds what screen readers and retries need. */

/** @typedef {import("./zone.js").ZoneFile} ZoneFile */

/**
 * Label the preview's parts for screen readers.
 *
 * @param {ZoneFile} file
 */
export function labelPreview({ previewElement, name }) {
  const set = (
    /** @type {string} */ selector,
    /** @type {Record<string, string>} */ attributes,
  ) => {
    const element = previewElement?.querySelector(selector);
    for (const [key, value] of Object.entries(attributes)) element?.setAttribute(key, value);
  };
  set("img", { alt: "" });
  set(".dz-progress", { role: "progressbar", "aria-label": name });
  set("[data-dz-errormessage]", { role: "alert" });
}

/**
 * @param {ZoneFile} file
 * @param {number} percent
 */
export function showProgress({ previewElement }, percent) {
  const bar = previewElement?.querySelector(".dz-progress");
  bar?.setAttribute("aria-valuenow", String(Math.floor(percent)));
}

/**
 * Show a status in the preview, beside Dropzone's error message.
 *
 * @param {ZoneFile} file
 * @param {string} text
 * @returns {Element} Where the text stands.
 */
export function showStatus({ previewElement }, text) {
  const preview = previewElement ?? document.createElement("div");
  let status = preview.querySelector(".chunked-upload-status");
  if (!status) {
    status = document.createElement("div");
    status.className = "chunked-upload-status";
    status.setAttribute("role", "status");
    preview.append(status);
  }
  status.textContent = text;
  return status;
}

/**
 * Offer to retry a failed upload, which resumes it. Removing and adding the file would start again.
 *
 * @param {ZoneFile} file
 * @param {string} text The button's.
 * @param {() => void} onRetry
 */
export function offerRetry(file, text, onRetry) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => {
    file.previewElement?.classList.remove("dz-error", "dz-complete");
    onRetry();
  });
  showStatus(file, "").append(button);
}

/**
 * For a file that is no valid image, Dropzone takes the error event for the thumbnail's address.
 *
 * @param {any} zone A Dropzone.
 */
export function ignoreBrokenThumbnails(zone) {
  const show = zone.options.thumbnail;
  zone.off("thumbnail", show);
  zone.on("thumbnail", (/** @type {ZoneFile} */ file, /** @type {unknown} */ address) => {
    if (typeof address === "string") show.call(zone, file, address);
  });
}
