// @ts-check
/** The sums over all uploads of the page. */

import { canRetry } from "./describe.js";

/** @typedef {import("../chunked-upload.js").Upload} Upload */

/**
 * @typedef {object} Totals
 * @property {number} all
 * @property {number} active Uploads that run, without waiting ones.
 * @property {number} waiting
 * @property {number} paused
 * @property {number} failed
 * @property {number} retriable Failed ones that may succeed when retried.
 * @property {number} done
 * @property {number} size Bytes of all files, without those that were refused before a byte was sent.
 * @property {number} sent Bytes that have been sent, without those of paused and failed files.
 * @property {number} pausedSent Bytes that have been sent of paused files.
 * @property {number} failedSize Bytes of failed files, without refused ones.
 * @property {number} left Bytes to be sent of files that are not paused.
 * @property {number} speed
 * @property {number | null} secondsLeft
 */

/**
 * How each state is counted.
 *
 * @type {Record<Upload["state"], "active" | "waiting" | "paused" | "failed" | "done">}
 */
const KINDS = {
  queued: "active",
  checking: "active",
  uploading: "active",
  waiting: "waiting",
  paused: "paused",
  completing: "active",
  done: "done",
  failed: "failed",
  canceled: "failed", // until it is removed from the list, a moment later
};

/** @param {Upload[]} uploads @returns {Totals} */
export function addUp(uploads) {
  const totals = {
    all: uploads.length,
    active: 0,
    waiting: 0,
    paused: 0,
    failed: 0,
    retriable: 0,
    done: 0,
    size: 0,
    sent: 0,
    pausedSent: 0,
    failedSize: 0,
    left: 0,
    speed: 0,
  };
  for (const upload of uploads) {
    const { state, size, sent, speed } = upload;
    totals[KINDS[state]] += 1;
    if (canRetry(upload)) totals.retriable += 1;
    // A file that was refused for its size would fill the bar.
    const isRefused = state === "failed" && !canRetry(upload);
    if (!isRefused) totals.size += size;
    if (KINDS[state] === "failed") totals.failedSize += isRefused ? 0 : size;
    else if (state === "paused") totals.pausedSent += sent;
    else totals.sent += state === "done" ? size : sent;
    if (state === "uploading") totals.speed += speed;
    if (KINDS[state] === "active" || KINDS[state] === "waiting") totals.left += size - sent;
  }
  const secondsLeft = totals.speed > 0 ? totals.left / totals.speed : null;
  return { ...totals, secondsLeft };
}
