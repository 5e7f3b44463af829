// @ts-check
/** A still of a video, from an element that is never part of the page. */

/** Milliseconds for a browser to open a video and find the picture. */
const PATIENCE = 8000;
/** Pixels of the largest video that a still is taken of. */
const MAX_PIXELS = 50_000_000;
/** Seconds from the start, where the titles are over. */
const FROM_START = 1;

/**
 * Return the middle of an early picture of a video, a square; null when the browser cannot show it.
 *
 * @param {Blob} blob
 * @param {number} side
 * @returns {Promise<ImageBitmap | null>}
 */
export async function videoStill(blob, side) {
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  video.playsInline = true;
  video.src = URL.createObjectURL(blob);
  try {
    await happens(video, "loadeddata");
    const { videoWidth: width, videoHeight: height, duration } = video;
    if (width * height === 0 || width * height > MAX_PIXELS) return null;
    const seeked = happens(video, "seeked");
    video.currentTime = Number.isFinite(duration) ? Math.min(FROM_START, duration / 10) : 0;
    await seeked;
    const edge = Math.min(width, height);
    const [left, top] = [(width - edge) / 2, (height - edge) / 2];
    const options = { resizeWidth: side, resizeHeight: side };
    return await createImageBitmap(video, left, top, edge, edge, options);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load(); // lets go of the file
  }
}

/** @param {HTMLVideoElement} video @param {string} type @returns {Promise<void>} */
function happens(video, type) {
  return new Promise((resolve, reject) => {
    video.addEventListener(type, () => resolve(), { once: true });
    video.addEventListener("error", reject, { once: true });
    setTimeout(reject, PATIENCE);
  });
}
