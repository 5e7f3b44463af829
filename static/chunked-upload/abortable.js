/** Waiting that an `AbortSignal` ends. */

/**
 * Wait until the time is over, `wake` is called, or one of the window's events is fired.
 *
 * @param {number | null} milliseconds Null: no time limit.
 * @param {{signal: AbortSignal, events: string[], onReady: (wake: () => void) => void}} options
 * @returns {Promise<void>}
 * @throws the signal's reason
 */
export async function sleep(milliseconds, { signal, events, onReady }) {
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
 * Return a promise's value, unless the signal is aborted first.
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
