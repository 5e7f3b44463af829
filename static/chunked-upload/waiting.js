/** Waiting for better times: by the clock, by the network's return, by the user's word. */

/**
 * Wait until time is up, `wake` is called, or one of the window's events comes.
 *
 * @param {number | null} milliseconds Null: not by time.
 * @param {{signal: AbortSignal, events: string[], onReady: (wake: () => void) => void}} options
 * @returns {Promise<void>}
 * @throws the signal's reason
 */
export async function rest(milliseconds, { signal, events, onReady }) {
  signal.throwIfAborted();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const ended = new AbortController();
  try {
    await new Promise((resolve, reject) => {
      const wake = () => resolve(undefined);
      if (milliseconds !== null) timer = setTimeout(wake, milliseconds);
      for (const event of events) addEventListener(event, wake, { signal: ended.signal });
      signal.addEventListener("abort", () => reject(signal.reason), { signal: ended.signal });
      onReady(wake);
    });
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}

/**
 * The time before the next try, with up to a quarter more or less: many clients that lost the same
 * server must not all come back at once.
 *
 * @param {number[]} delays
 * @param {number} failures How many there were in a row; from 1.
 */
export function backOff(delays, failures) {
  const delay = delays[Math.min(failures, delays.length) - 1];
  return delay * (0.75 + Math.random() / 2);
}

/**
 * Hold a name so that no other tab (or upload) of this origin does; Web Locks, which browsers offer
 * to secure contexts. Without them nothing is held: the server keeps two senders apart by itself,
 * at the price of chunks that are sent twice.
 *
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {() => void} onBusy Called when another holds it.
 * @returns {Promise<() => void>} Lets go.
 * @throws the signal's reason
 */
export async function hold(name, signal, onBusy) {
  if (!navigator.locks) return () => {};
  const free = await request(name, { ifAvailable: true });
  if (free) return free;
  onBusy();
  const release = await request(name, { signal });
  return release ?? (() => {});
}

/**
 * Whether somebody waits for that name.
 *
 * @param {string} name
 */
export async function isAwaited(name) {
  const { pending = [] } = (await navigator.locks?.query()) ?? {};
  return pending.some((lock) => lock.name === name);
}

/**
 * @param {string} name
 * @param {LockOptions} options
 * @returns {Promise<(() => void) | null>} Null when it is not available.
 */
function request(name, options) {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, options, (lock) => {
        if (!lock) return resolve(null);
        return new Promise((release) => resolve(() => release(undefined)));
      })
      .catch(reject);
  });
}

/**
 * What a promise gives, or the end of waiting for it.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 * @throws the signal's reason
 */
export async function untilAborted(promise, signal) {
  signal.throwIfAborted();
  const ended = new AbortController();
  /** @type {Promise<never>} */
  const aborted = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { signal: ended.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    ended.abort();
  }
}
