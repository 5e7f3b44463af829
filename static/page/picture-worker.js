// @ts-check
/**
 * Makes small pictures of large ones, away from the page. What a file holds is told by its first bytes, never
 * by its name; SVG and everything else that is not a plain picture is left alone. A picture that would take
 * too much memory once it is decoded is refused by the size in its head, before anything is decoded.
 *
 * In:  {blob, side}
 * Out: {bitmap} · {bitmap: null} when there is no picture.
 */

/** Bytes from the start of a file in which its picture's size is looked for. */
const HEAD = 512 * 1024;
/** Pixels of the largest picture that is decoded: 200 MB of memory for a moment. */
const MAX_PIXELS = 50_000_000;
/** How many times longer than wide a picture may be before the rest is cut off early. */
const MAX_ASPECT = 4;

/** @typedef {[width: number, height: number]} Size */

self.onmessage = async ({ data: { blob, side } }) => {
  const bitmap = await shrink(blob, side).catch(() => null);
  // @ts-ignore - tsc takes `self` for a window
  self.postMessage({ bitmap }, bitmap ? [bitmap] : []);
};

/**
 * Return the middle of a picture, a square.
 *
 * @param {Blob} blob
 * @param {number} side
 * @returns {Promise<ImageBitmap | null>}
 */
async function shrink(blob, side) {
  const head = new DataView(await blob.slice(0, HEAD).arrayBuffer());
  const size = sizeOf(head);
  if (size === null) return null;
  const [long, short] = [Math.max(...size), Math.min(...size)];
  if (short < 1 || long * short > MAX_PIXELS) return null;
  // By its longer side, since the camera's orientation may turn it: the shorter one is long enough then too.
  const resizeWidth = Math.ceil(side * Math.min(long / short, MAX_ASPECT));
  const options = { resizeWidth, resizeQuality: /** @type {const} */ ("medium") };
  const picture = await createImageBitmap(blob, options);
  const edge = Math.min(picture.width, picture.height);
  const [left, top] = [(picture.width - edge) / 2, (picture.height - edge) / 2];
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d")?.drawImage(picture, left, top, edge, edge, 0, 0, side, side);
  picture.close();
  return canvas.transferToImageBitmap();
}

/**
 * Return a picture's size as its head tells it; null when it is no picture.
 *
 * @param {DataView} head
 * @returns {Size | null}
 */
function sizeOf(head) {
  try {
    for (const read of [png, jpeg, gif, webp, bmp, heif]) {
      const size = read(head);
      if (size) return size;
    }
  } catch {
    // It ends too early.
  }
  return null;
}

/** @param {DataView} head @param {number} at @param {string} text */
function says(head, at, text) {
  if (head.byteLength < at + text.length) return false;
  return [...text].every((letter, n) => head.getUint8(at + n) === letter.charCodeAt(0));
}

/** @param {DataView} head @returns {Size | null} */
function png(head) {
  return says(head, 0, "\x89PNG\r\n") ? [head.getUint32(16), head.getUint32(20)] : null;
}

/** @param {DataView} head @returns {Size | null} */
function gif(head) {
  return says(head, 0, "GIF8") ? [head.getUint16(6, true), head.getUint16(8, true)] : null;
}

/** @param {DataView} head @returns {Size | null} */
function bmp(head) {
  if (!says(head, 0, "BM")) return null;
  return [Math.abs(head.getInt32(18, true)), Math.abs(head.getInt32(22, true))];
}

/**
 * The frame's size is in the first segment SOF, behind segments of any length.
 *
 * @param {DataView} head
 * @returns {Size | null}
 */
function jpeg(head) {
  if (!says(head, 0, "\xff\xd8\xff")) return null;
  let at = 2;
  for (;;) {
    const marker = head.getUint8(at + 1);
    if (head.getUint8(at) !== 0xff) return null;
    if (marker === 0xff) at += 1;
    else if (isFrame(marker)) return [head.getUint16(at + 7), head.getUint16(at + 5)];
    else at += 2 + head.getUint16(at + 2);
  }
}

/** @param {number} marker */
function isFrame(marker) {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** @param {DataView} head @returns {Size | null} */
function webp(head) {
  if (!says(head, 0, "RIFF") || !says(head, 8, "WEBP")) return null;
  if (says(head, 12, "VP8X")) {
    return [1 + (head.getUint32(24, true) & 0xffffff), 1 + (head.getUint32(26, true) >>> 8)];
  }
  if (says(head, 12, "VP8L")) {
    const bits = head.getUint32(21, true);
    return [1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff)];
  }
  return [head.getUint16(26, true) & 0x3fff, head.getUint16(28, true) & 0x3fff];
}

/**
 * AVIF and HEIC. A box `ispe` has the size of the picture or of one of its tiles: the largest counts.
 *
 * @param {DataView} head
 * @returns {Size | null}
 */
function heif(head) {
  if (!says(head, 4, "ftyp")) return null;
  /** @type {Size | null} */
  let largest = null;
  const end = Math.min(head.byteLength, 64 * 1024) - 16;
  for (let at = 8; at < end; at += 1) {
    if (head.getUint32(at) !== 0x69737065) continue; // "ispe"
    const [width, height] = [head.getUint32(at + 8), head.getUint32(at + 12)];
    if (largest === null || width * height > largest[0] * largest[1]) largest = [width, height];
  }
  return largest;
}
