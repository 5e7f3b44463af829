/**
 * Locks that the tabs of an origin share (Web Locks API). Browsers offer them only in secure contexts.
 * Without them nothing is locked: the server keeps two senders of one upload apart by itself, but
 * some chunks are sent twice.
 */

/**
 * Acquire a lock.
 *
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {() => void} onBusy Called when another tab (or upload) holds the lock.
 * @returns {Promise<() => void>} Releases the lock.
 * @throws the signal's reason
 */
export async function acquireLock(name, signal, onBusy) {
  if (!navigator.locks) return () => {};
  const free = await request(name, { ifAvailable: true });
  if (free) return free;
  onBusy();
  const release = await request(name, { signal });
  return release ?? (() => {});
}

/**
 * Return whether another tab (or upload) is waiting for a lock.
 *
 * @param {string} name
 */
export async function isLockAwaited(name) {
  const { pending = [] } = (await navigator.locks?.query()) ?? {};
  return pending.some((lock) => lock.name === name);
}

/**
 * @param {string} name
 * @param {LockOptions} options
 * @returns {Promise<(() => void) | null>} Null when the lock is not available.
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
