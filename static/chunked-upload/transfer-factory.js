/** Puts the parts of one transfer together; each gets only what it uses. */

import { Checksum } from "./checksum.js";
import { Identity } from "./identity.js";
import { Memory } from "./memory.js";
import { Pace } from "./pace.js";
import { Position } from "./position.js";
import { Retry } from "./retry.js";
import { Permit, Semaphore } from "./semaphore.js";
import { Sender } from "./sender.js";
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
 * @param {Set<string>} shared.claimed Keys of the entries that belong to its uploads.
 * @returns {(state: TransferState, order: number) => Transfer} Transfers with a lower `order` run first.
 */
export function transferFactory(options, { server, hasher, store, claimed }) {
  const { endpoint, metadata } = options;
  const pace = new Pace(options.chunkSize, server);
  const semaphore = new Semaphore(options.simultaneous);
  /** @type {Set<string>} */
  const heldHere = new Set();
  return (state, order) => {
    const permit = new Permit(semaphore, order);
    const retry = new Retry(state, permit, options.retryDelays);
    const hasherOfIdentity = options.resume ? hasher : null;
    const memory = new Memory(state, options.resume ? store : null, claimed);
    const known = { hasher: hasherOfIdentity, memory, heldHere };
    const identity = new Identity(state, { endpoint, server, ...known });
    const checksum = new Checksum(state, memory, options.md5 ? hasher : null, options.checksum);
    const parts = { server, retry, identity, memory, checksum };
    const position = new Position(state, parts);
    const sender = new Sender(state, { position, ...parts, pace, metadata });
    return new Transfer(state, { ...parts, permit, position, sender, limits: options });
  };
}
