/**
 * Computes MD5s in a worker: of samples (a file's fingerprint) and of whole files while they are uploaded.
 * The worker reads each file itself, but never far ahead of the sender, so that every byte is read from
 * the disk once and comes from memory the second time.
 *
 * In:  {type: "fingerprint", id, file} · {type: "start", id, file, expected} ·
 *      {type: "allow", id, upTo} · {type: "stop", id}
 * Out: {type: "fingerprint", id, value} · {type: "checkpoint", id, checkpoint} · {type: "differs", id} ·
 *      {type: "md5", id, value} · {type: "failed", id, name, message}
 */

/** hash-wasm, which defines `hashwasm`; see the Makefile. Imported by URL, so that it is not type-checked. */
const loading = import(new URL("./vendor/md5.umd.min.js", import.meta.url).href);
loading.catch(() => {}); // the error reaches whoever awaits it

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
 * @property {{length: number, md5: string} | null} expected Expected MD5 of the first bytes.
 * @property {Md5Hasher | null} md5
 * @property {{start: number, bytes: Promise<ArrayBuffer>} | null} next The piece being read ahead.
 */

/** In order of arrival; the first one that may continue is served first. @type {Map<number, Job>} */
const jobs = new Map();
let working = false;

addEventListener("message", ({ data }) => {
  if (data.type === "fingerprint") {
    fingerprint(data.file).then(
      (value) => postMessage({ type: "fingerprint", id: data.id, value }),
      (error) => fail(data.id, error),
    );
  } else if (data.type === "start") {
    const { id, file, expected } = data;
    jobs.set(id, { id, file, expected, allowed: 0, hashed: 0, md5: null, next: null });
  } else if (data.type === "allow") {
    const job = jobs.get(data.id);
    if (job) job.allowed = Math.max(job.allowed, data.upTo);
    work();
  } else if (data.type === "stop") {
    jobs.delete(data.id);
  }
});

async function createHasher() {
  await loading;
  return (await hashwasm.createMD5()).init();
}

/**
 * Identify a file without reading all of it.
 *
 * @param {File} file
 */
async function fingerprint(file) {
  const md5 = await createHasher();
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
  job.md5 ??= await createHasher();
  if (job.hashed < job.allowed) {
    const bytes = new Uint8Array(await take(job));
    if (bytes.length === 0) throw new DOMException("the file ended early", "NotReadableError");
    update(job, job.md5, bytes);
  }
  if (job.hashed >= job.file.size && jobs.delete(job.id)) {
    postMessage({ type: "md5", id: job.id, value: job.md5.digest() });
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
 * @param {Md5Hasher} md5
 * @param {Uint8Array} bytes
 */
function update(job, md5, bytes) {
  const { expected } = job;
  const before = job.hashed;
  job.hashed += bytes.length;
  if (expected && before < expected.length && expected.length <= job.hashed) {
    const upTo = expected.length - before;
    md5.update(bytes.subarray(0, upTo));
    if (current(md5) !== expected.md5) postMessage({ type: "differs", id: job.id });
    md5.update(bytes.subarray(upTo));
  } else {
    md5.update(bytes);
  }
  if (Math.floor(before / CHECKPOINT_INTERVAL) !== Math.floor(job.hashed / CHECKPOINT_INTERVAL)) {
    const checkpoint = { length: job.hashed, md5: current(md5) };
    postMessage({ type: "checkpoint", id: job.id, checkpoint });
  }
}

/**
 * Return the MD5 so far. The hasher can continue.
 *
 * @param {Md5Hasher} md5
 */
function current(md5) {
  const state = md5.save();
  const value = md5.digest();
  md5.load(state);
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
  postMessage({ type: "failed", id, name, message });
}
