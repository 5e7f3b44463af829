// @ts-check
/**
 * Where a token is kept: in the tab (`sessionStorage`), gone when the tab is closed; or, if the user wants it, in
 * the browser (`localStorage`), for all tabs until somebody signs out. Tabs tell each other.
 */

/** Fires `signed-in` and `signed-out` for what another tab has done. */
export class TokenStore extends EventTarget {
  #key;
  #channel;

  /** @param {string} endpoint */
  constructor(endpoint) {
    super();
    this.#key = `chunked-upload token ${endpoint}`;
    this.#channel = new BroadcastChannel(this.#key);
    this.#channel.onmessage = ({ data }) => {
      if (data === "signed-out") this.#remove();
      this.dispatchEvent(new Event(data));
    };
  }

  /** Empty when there is none. */
  read() {
    return this.#of("sessionStorage") || this.#of("localStorage");
  }

  /** Whether the token is for this tab alone. */
  get isOfTab() {
    return this.#of("sessionStorage") !== "";
  }

  /** @param {string} token @param {{keep: boolean}} options `keep`: for this browser, not for the tab alone. */
  write(token, { keep }) {
    this.#remove();
    try {
      (keep ? localStorage : sessionStorage).setItem(this.#key, token);
      if (keep) this.#channel.postMessage("signed-in");
    } catch {
      // Storage is switched off: the token lasts as long as the page.
    }
  }

  /** Remove the token in every tab. */
  clear() {
    this.#remove();
    this.#channel.postMessage("signed-out");
  }

  #remove() {
    try {
      sessionStorage.removeItem(this.#key);
      localStorage.removeItem(this.#key);
    } catch {
      // As above.
    }
  }

  /** @param {"sessionStorage" | "localStorage"} storage */
  #of(storage) {
    try {
      return window[storage].getItem(this.#key) ?? "";
    } catch {
      return "";
    }
  }
}
