/**
 * Computes digests in a worker: of samples (a file's fingerprint) and of whole files while they are uploaded.
 * The worker reads each file itself, but never far ahead of the sender, so that every byte is read from
 * the disk once and comes from memory the second time.
 *
 * In:  {type: "fingerprint", id, file} · {type: "start", id, file, checksum, expected} ·
 *      {type: "allow", id, upTo} · {type: "stop", id}
 * Out: {type: "fingerprint", id, value} · {type: "checkpoint", id, checkpoint} · {type: "differs", id} ·
 *      {type: "digest", id, value} · {type: "failed", id, name, message}
 */

/**
 * What makes the hashers of a checksum, once its part of hash-wasm is loaded.
 *
 * @type {Map<import("./chunked-upload/types.js").ChecksumName, Promise<() => Promise<DigestHasher>>>}
 */
const makers = new Map();
/** Each part defines `hashwasm` again, so they are loaded one by one. @type {Promise<unknown>} */
let loaded = Promise.resolve();
load("md5"); // fingerprints need it in any case

/** Bytes that are read in one piece. */
const PIECE = 4 * 2 ** 20;
/** Bytes between checkpoints. */
const CHECKPOINT_INTERVAL = 8 * 2 ** 20;
/** A fingerprint's samples, spread evenly from the first bytes to the last. */
const SAMPLES = 16;
const SAMPLE_SIZE = 16 * 1024;

/**
 * @typedef {object} Job
 * @property {number} id
 * @property {File} file
 * @property {number} allowed Bytes that may be hashed so far.
 * @property {number} hashed
 * @property {import("./chunked-upload/types.js").ChecksumName} checksum
 * @property {{length: number, digest: string} | null} expected Expected digest of the first bytes.
 * @property {DigestHasher | null} hasher
 * @property {{start: number, bytes: Promise<ArrayBuffer>} | null} next The piece being read ahead.
 */

/** In order of arrival; the first one that may continue is served first. @type {Map<number, Job>} */
const jobs = new Map();
let working = false;

/** Takes this module's answers. @type {(message: object) => void} */
let answer = (message) => postMessage(message);

if (!("document" in globalThis)) addEventListener("message", ({ data }) => receive(data));

/**
 * Run in the page itself, where workers are blocked by an extension or a policy. The page stays usable:
 * files are hashed piece by piece.
 *
 * @param {(message: object) => void} onAnswer
 * @returns {(message: any) => void} Takes the messages that a worker would get.
 */
export function runHere(onAnswer) {
  answer = onAnswer;
  return receive;
}

/** @param {any} data */
function receive(data) {
  if (data.type === "fingerprint") {
    fingerprint(data.file).then(
      (value) => answer({ type: "fingerprint", id: data.id, value }),
      (error) => fail(data.id, error),
    );
  } else if (data.type === "start") {
    const { id, file, checksum, expected } = data;
    load(checksum); // now, while there is a network
    const digest = expected?.[checksum];
    jobs.set(id, {
      ...{ id, file, checksum, allowed: 0, hashed: 0, hasher: null, next: null },
      expected: digest ? { length: expected.length, digest } : null,
    });
  } else if (data.type === "allow") {
    const job = jobs.get(data.id);
    if (job) job.allowed = Math.max(job.allowed, data.upTo);
    work();
  } else if (data.type === "stop") {
    jobs.delete(data.id);
  }
}

/**
 * Load the part of hash-wasm that computes a checksum.
 *
 * @param {import("./chunked-upload/types.js").ChecksumName} checksum
 */
function load(checksum) {
  const known = makers.get(checksum);
  if (known) return known;
  // Imported by URL, so that it is not type-checked.
  const url = new URL(`./vendor/${checksum}.umd.min.js`, import.meta.url).href;
  const maker = loaded.then(async () => {
    await import(url);
    return checksum === "md5" ? hashwasm.createMD5 : hashwasm.createSHA256;
  });
  loaded = maker.catch(() => {}); // the error reaches whoever awaits the maker
  makers.set(checksum, maker);
  return maker;
}

/** @param {import("./chunked-upload/types.js").ChecksumName} checksum */
async function createHasher(checksum) {
  const create = await load(checksum);
  return (await create()).init();
}

/**
 * Identify a file without reading all of it.
 *
 * @param {File} file
 */
async function fingerprint(file) {
  const md5 = await createHasher("md5");
  if (file.size <= SAMPLES * SAMPLE_SIZE) {
    md5.update(new Uint8Array(await file.arrayBuffer()));
  } else {
    const step = (file.size - SAMPLE_SIZE) / (SAMPLES - 1);
    const starts = Array.from({ length: SAMPLES }, (_, at) => Math.floor(at * step));
    const samples = await Promise.all(starts.map((start) => read(file, start, SAMPLE_SIZE)));
    for (const sample of samples) md5.update(new Uint8Array(sample));
  }
  return `${file.size}-${md5.digest()}`;
}

/** Hash all bytes that may be hashed, piece by piece. */
async function work() {
  if (working) return;
  working = true;
  for (let job = nextJob(); job; job = nextJob()) {
    try {
      await advance(job);
    } catch (error) {
      fail(job.id, error);
    }
  }
  working = false;
}

/** @returns {Job | undefined} */
function nextJob() {
  return [...jobs.values()].find((job) => job.hashed < job.allowed || job.file.size === 0);
}

/** @param {Job} job */
async function advance(job) {
  job.hasher ??= await createHasher(job.checksum);
  if (job.hashed < job.allowed) {
    const bytes = new Uint8Array(await take(job));
    if (bytes.length === 0) throw new DOMException("the file ended early", "NotReadableError");
    update(job, job.hasher, bytes);
  }
  if (job.hashed >= job.file.size && jobs.delete(job.id)) {
    answer({ type: "digest", id: job.id, value: job.hasher.digest() });
  }
}

/**
 * Return the next piece. The one after it is read while this one is hashed.
 *
 * @param {Job} job
 */
async function take(job) {
  const piece = job.next?.start === job.hashed ? job.next : ahead(job, job.hashed);
  const bytes = await piece.bytes;
  const after = job.hashed + bytes.byteLength;
  job.next = after < job.allowed ? ahead(job, after) : null;
  return bytes;
}

/**
 * @param {Job} job
 * @param {number} start
 */
function ahead(job, start) {
  const bytes = read(job.file, start, Math.min(PIECE, job.allowed - start));
  bytes.catch(() => {}); // the error reaches whoever awaits it
  return { start, bytes };
}

/**
 * @param {Job} job
 * @param {DigestHasher} hasher
 * @param {Uint8Array} bytes
 */
function update(job, hasher, bytes) {
  const { expected } = job;
  const before = job.hashed;
  job.hashed += bytes.length;
  if (expected && before < expected.length && expected.length <= job.hashed) {
    const upTo = expected.length - before;
    hasher.update(bytes.subarray(0, upTo));
    if (current(hasher) !== expected.digest) answer({ type: "differs", id: job.id });
    hasher.update(bytes.subarray(upTo));
  } else {
    hasher.update(bytes);
  }
  if (Math.floor(before / CHECKPOINT_INTERVAL) !== Math.floor(job.hashed / CHECKPOINT_INTERVAL)) {
    const checkpoint = { length: job.hashed, [job.checksum]: current(hasher) };
    answer({ type: "checkpoint", id: job.id, checkpoint });
  }
}

/**
 * Return the digest so far. The hasher can continue.
 *
 * @param {DigestHasher} hasher
 */
function current(hasher) {
  const state = hasher.save();
  const value = hasher.digest();
  hasher.load(state);
  return value;
}

/**
 * @param {File} file
 * @param {number} start
 * @param {number} size
 */
function read(file, start, size) {
  return file.slice(start, start + size).arrayBuffer();
}

/**
 * @param {number} id
 * @param {unknown} error
 */
function fail(id, error) {
  jobs.delete(id);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  answer({ type: "failed", id, name, message });
}
