/**
 * Sends a file's bytes, from the offset that the server has to the end of the file. After a failure the
 * server is asked for its offset: what arrived of a request that broke off is not sent again.
 */

import { AppendWatch } from "./append-watch.js";
import { Arrival } from "./arrival.js";
import { Setback, asUploadError, isUnanswered } from "./errors.js";
import { appendOverlapping, underWay } from "./overlapping.js";
import { assertUnchanged } from "./source.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {import("./chunks.js").Stored} Stored */

/** Bytes that the checksum's worker may be ahead of what is sent. */
const READ_AHEAD = 8 * 2 ** 20;
/** Milliseconds between two looks at a request that may have stalled. */
const BEAT = 1000;

export class Sender {
  #state;
  #position;
  #server;
  #retry;
  #identity;
  #memory;
  #checksum;
  #pace;
  #metadata;

  /**
   * @param {import("./transfer-state.js").TransferState} state
   * @param {object} parts
   * @param {import("./position.js").Position} parts.position
   * @param {Pick<Server, "state" | "latency">} parts.server
   * @param {import("./retry.js").Retry} parts.retry
   * @param {import("./identity.js").Identity} parts.identity
   * @param {import("./memory.js").Memory} parts.memory
   * @param {import("./checksum.js").Checksum} parts.checksum Told which bytes are sent, so that it hashes them.
   * @param {import("./pace.js").Pace} parts.pace
   * @param {Record<string, string>} parts.metadata Fields that are stored with every upload.
   */
  constructor(state, { position, server, retry, identity, memory, checksum, pace, metadata }) {
    this.#state = state;
    this.#position = position;
    this.#server = server;
    this.#retry = retry;
    this.#identity = identity;
    this.#memory = memory;
    this.#checksum = checksum;
    this.#pace = pace;
    this.#metadata = metadata;
  }

  /**
   * Send the rest of the file.
   *
   * @param {AbortSignal} signal
   * @throws {Setback} when the upload has to start again.
   * @throws {import("./errors.js").UploadError}
   * @throws the signal's reason
   */
  async sendRest(signal) {
    const state = this.#state;
    state.enter("uploading");
    while (state.uploadId === null || state.offset < state.size) {
      if (state.uploadId === null) await this.#create(signal);
      else if (this.#position.keepsPrefix && this.#pace.isBuffered)
        await this.#appendOverlapping(signal);
      else await this.#append(signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #create(signal) {
    const { file, path, metadata } = this.#state;
    const most = this.#nextLength();
    /** @type {Record<string, string>} */
    const place = path ? { relative_path: path } : {};
    const fields = { ...place, ...this.#metadata, ...metadata, ...this.#identity.fields };
    /** @param {number} loaded */
    const onProgress = (loaded) => this.#progress(0, Math.min(loaded, most, file.size));
    const began = performance.now();
    this.#position.mayHaveCreated = true;
    this.#position.hasCreated = true;
    try {
      const sending = { signal, onProgress, key: this.#position.creationKey };
      const stored = await this.#position.protocol.create(file, most, fields, sending);
      this.#state.uploadId = stored.uploadId;
      this.#position.mayHaveCreated = false;
      if (!this.#position.keepsPrefix || stored.offset) this.#stored(stored, 0, began);
      else this.#position.moveTo(stored.offset, stored.expires);
      this.#pace.limit(stored.most);
      this.#memory.save(true);
    } catch (error) {
      this.#position.mayHaveCreated = isUnanswered(error);
      await this.#handle(error, { length: most, began }, signal);
    }
  }

  /**
   * Append bytes with one request; if something in front of the server turns out to collect it, the others
   * follow as soon as its bytes have left.
   *
   * @param {AbortSignal} signal
   */
  async #append(signal) {
    const start = this.#state.offset;
    const length = this.#nextLength();
    const began = performance.now();
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const arrival = new Arrival(start, this.#pace.speed);
    const watch = this.#position.keepsPrefix
      ? this.#watch(start + length, arrival, { signal, ended })
      : null;
    let sent = 0;
    const show = () => this.#progress(start, watch ? arrival.estimate(start + sent) - start : sent);
    // Time passes also when no bytes leave: buffers empty, or the line has stalled and has no speed.
    const beat = setInterval(show, BEAT);
    const request = underWay(start + length, this.#pace.duration(length), async (onSent) => {
      const onProgress = (/** @type {number} */ loaded) => {
        sent = loaded;
        watch?.sent(loaded);
        show();
      };
      const stored = await this.#request(start, length, { signal: both, onProgress, onSent });
      this.#stored(stored, start, began);
    });
    let isCollected = false;
    try {
      const stored = request.stored.then(() => false);
      isCollected = await Promise.race(watch ? [stored, watch.collected] : [stored]);
    } catch (error) {
      await this.#handle(error, { length, began }, signal);
    } finally {
      clearInterval(beat);
      watch?.end();
    }
    if (isCollected) await this.#appendOverlapping(signal, { request, began, ended });
  }

  /**
   * Append the rest with short requests, since something in front of the server collects them.
   *
   * @param {AbortSignal} signal
   * @param {object} first A request that is under way.
   * @param {import("./overlapping.js").UnderWay | null} [first.request]
   * @param {number} [first.began]
   * @param {AbortController} [first.ended] Ends it.
   */
  async #appendOverlapping(
    signal,
    { request = null, began = performance.now(), ended = new AbortController() } = {},
  ) {
    const both = AbortSignal.any([signal, ended.signal]);
    const state = this.#state;
    const { offset, size } = state;
    let latest = (request?.stop ?? offset) - offset;
    try {
      await appendOverlapping({
        ...{ first: request, offset, size, pace: this.#pace, began: began + this.#server.latency },
        length: (start) => (latest = this.#nextLength(start)),
        append: async (start, length, onSent) => {
          const sending = { signal: both, onProgress: this.#progress.bind(this, start), onSent };
          this.#moved(await this.#request(start, length, sending), start);
          return state.offset;
        },
      });
    } catch (error) {
      ended.abort(new Setback("buffered"));
      // A request that has overtaken the one before it is sent again.
      const isMoved = error instanceof Setback && error.kind === "moved";
      if (isMoved && error.offset < state.offset && offset < state.offset) return;
      await this.#handle(error, { length: latest, began }, signal);
    }
  }

  /** @param {number} [start] */
  #nextLength(start = this.#state.offset) {
    const left = this.#state.size - start;
    const length = this.#pace.next(this.#position.keepsPrefix);
    // A short rest would cost a request of its own.
    if (left < length * 1.25 && !this.#pace.isCapped(left)) return left;
    // It could overtake the one before it.
    const isHalved = this.#pace.isBuffered && left < length * 2;
    return isHalved ? Math.ceil(left / 2) : Math.min(length, left);
  }

  /**
   * @param {number} start
   * @param {number} length
   * @param {import("./chunks.js").Sending} sending
   * @returns {Promise<Stored>}
   */
  #request(start, length, sending) {
    const { file, size } = this.#state;
    const bytes = file.slice(start, start + length);
    return this.#position.protocol.append(
      String(this.#state.uploadId),
      bytes,
      { start, size },
      sending,
    );
  }

  /**
   * @param {number} start
   * @param {number} loaded Bytes that have left the browser, as far as it knows.
   */
  #progress(start, loaded) {
    const { offset, size } = this.#state;
    const sent = Math.min(start + loaded, size);
    this.#checksum.allow(Math.min(sent + READ_AHEAD, size));
    this.#state.move(offset, Math.max(sent, offset));
  }

  /**
   * @param {Stored} stored
   * @param {number} start
   * @param {number} began
   */
  #stored(stored, start, began) {
    this.#moved(stored, start);
    this.#pace.stored(stored.offset - start, performance.now() - began);
  }

  /**
   * @param {Stored} stored
   * @param {number} start
   */
  #moved({ offset, expires, most }, start) {
    const { size, sent } = this.#state;
    if (size && offset <= start) throw new Setback("server", { lasting: true });
    this.#position.moveTo(offset, expires, Math.max(sent, offset)); // refuses what is no offset
    this.#pace.limit(most);
    this.#memory.save();
  }

  /**
   * @param {number} stop Offset at which the request ends.
   * @param {Arrival} arrival
   * @param {{signal: AbortSignal, ended: AbortController}} parts `ended` ends the request, when it should be a
   *   shorter one.
   */
  #watch(stop, arrival, { signal, ended }) {
    const state = this.#state;
    const ask = async () => (await this.#server.state(String(state.uploadId), signal)).offset;
    return new AppendWatch(state.offset, {
      ask,
      onOffset: (offset) => {
        this.#pace.observe(false);
        arrival.recorded(offset);
        this.#pace.arriving(arrival.speed);
        this.#position.moveTo(offset, undefined, Math.max(arrival.estimate(state.sent), offset));
        this.#memory.save();
      },
      onBuffered: () => {
        if (!this.#pace.isUnknown) return false;
        this.#pace.observe(true);
        const isLong = stop - state.sent > state.speed * 2;
        if (isLong) ended.abort(new Setback("buffered"));
        return !isLong && this.#pace.speed > 0;
      },
    });
  }

  /**
   * Prepare the next request after one that failed.
   *
   * @param {unknown} error
   * @param {{length: number, began: number}} request
   * @param {AbortSignal} signal
   */
  async #handle(error, { length, began }, signal) {
    if (!(error instanceof Setback)) throw error;
    const state = this.#state;
    const before = state.offset;
    const isRepeated = error.kind === "buffered" || error.kind === "too-fast";
    if (!this.#position.keepsPrefix || isRepeated) state.move(before);
    if (isRepeated) return;
    if (error.kind === "complete") return this.#position.moveTo(state.size);
    if (error.kind === "chunk-too-large") {
      state.move(before);
      if (!this.#pace.shrink(length)) throw asUploadError(error);
      return;
    }
    let setback = error;
    if (error.kind === "moved") {
      if (error.offset > before) return this.#position.moveTo(error.offset);
      setback = new Setback("server", { ...error, lasting: true });
    }
    this.#pace.cut(performance.now() - began);
    await assertUnchanged(state); // browsers report a changed file as a lost connection
    await this.#retry.waitAfter(setback, signal);
    await this.#position.locate(signal);
  }
}
