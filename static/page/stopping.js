// @ts-check
/** Stops all requests of the page at once, as when the user signs out. */

let requests = new AbortController();

/** Return the signal for a request that is about to be sent. */
export function stopSignal() {
  return requests.signal;
}

export function stopRequests() {
  requests.abort();
  requests = new AbortController();
}
