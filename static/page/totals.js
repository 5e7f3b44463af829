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
 * @property {number} size
 * @property {number} sent
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
    speed: 0,
  };
  for (const upload of uploads) {
    const { state, size, sent, speed } = upload;
    totals[KINDS[state]] += 1;
    if (canRetry(upload)) totals.retriable += 1;
    if (state === "failed") continue;
    totals.size += size;
    totals.sent += state === "done" ? size : sent;
    if (state === "uploading") totals.speed += speed;
  }
  const secondsLeft = totals.speed > 0 ? (totals.size - totals.sent) / totals.speed : null;
  return { ...totals, secondsLeft };
}
