/** The progress of all uploads together. */

/**
 * @param {readonly import("./upload.js").Upload[]} uploads
 * @returns {import("./types.js").TotalProgress}
 */
export function totalProgress(uploads) {
  const total = { uploads: uploads.length, done: 0, failed: 0, sent: 0, size: 0, speed: 0 };
  for (const { state, sent, size, speed } of uploads) {
    if (state === "done") total.done += 1;
    if (state === "failed") total.failed += 1;
    else {
      total.sent += sent;
      total.size += size;
    }
    total.speed += speed;
  }
  const secondsLeft = total.speed ? (total.size - total.sent) / total.speed : null;
  return { ...total, secondsLeft };
}
