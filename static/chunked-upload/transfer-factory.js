/** Puts the parts of one transfer together; each gets only what it uses. */

import { Checksum } from "./checksum.js";
import { ChunkSender } from "./chunk-sender.js";
import { ChunkSize } from "./chunk-size.js";
import { Identity } from "./identity.js";
import { Retry } from "./retry.js";
import { Permit, Semaphore } from "./semaphore.js";
import { Transfer } from "./transfer.js";

/** @typedef {import("./transfer-state.js").TransferState} TransferState */

/**
 * Return the function that creates an upload's transfer.
 *
 * @param {import("./options.js").Options} options
 * @param {object} shared What all uploads of an uploader share.
 * @param {import("./server.js").Server} shared.server
 * @param {import("./hasher.js").Hasher} shared.hasher
 * @param {import("./resume-store.js").ResumeStore} shared.store
 * @returns {(state: TransferState, order: number) => Transfer} Transfers with a lower `order` run first.
 */
export function transferFactory(options, { server, hasher, store }) {
  const { endpoint, metadata } = options;
  const semaphore = new Semaphore(options.simultaneous);
  return (state, order) => {
    const permit = new Permit(semaphore, order);
    const retry = new Retry(state, permit, options.retryDelays);
    const hasherOfIdentity = options.resume ? hasher : null;
    const identity = new Identity(state, { endpoint, hasher: hasherOfIdentity, store, server });
    const checksum = new Checksum(state, identity, options.md5 ? hasher : null, options.checksum);
    const chunkSize = new ChunkSize(options.chunkSize);
    const parts = { server, retry, identity, checksum };
    const sender = new ChunkSender(state, { ...parts, chunkSize, metadata });
    return new Transfer(state, { ...parts, permit, sender, limits: options });
  };
}
