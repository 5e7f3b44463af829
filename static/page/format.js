// @ts-check
/** Texts with their values filled in, and numbers, sizes, times and dates as the language writes them. */

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Message */
/** @typedef {keyof typeof import("./texts/en.js").default | keyof typeof import("../admin/texts.js").default} MessageKey */
/** @typedef {Record<string, string | number>} Values */

/** Languages that are written from right to left; an app's own texts may be in any of them. */
const RIGHT_TO_LEFT = new Set(["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);
const HAS_RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;

/** Bytes from which on a whole percent takes minutes. */
const VERY_LARGE = 1_000_000_000;

const SIZE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** The page's language: its texts and its formats. */
export class Texts {
  #messages;
  #language;
  #plural;
  #number;
  #percent;
  #precisePercent;
  #list;
  #date;
  #relative;
  #isolates;
  /** @type {Map<string, Intl.NumberFormat>} */
  #units = new Map();

  /**
   * @param {Partial<Record<MessageKey, Message>>} messages
   * @param {string} language BCP 47 tag, as in `<html lang>`.
   */
  constructor(messages, language) {
    this.#messages = messages;
    this.#language = language;
    this.#plural = new Intl.PluralRules(language);
    this.#number = new Intl.NumberFormat(language);
    this.#percent = new Intl.NumberFormat(language, { style: "percent" });
    this.#precisePercent = new Intl.NumberFormat(language, { style: "percent", ...fixed(1) });
    this.#list = new Intl.ListFormat(language, { type: "unit", style: "narrow" });
    this.#date = new Intl.DateTimeFormat(language, {
      dateStyle: "medium",
      timeStyle: "short",
    });
    this.#isolates = isRightToLeft(language);
    this.#relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  }

  /** BCP 47 tag. */
  get language() {
    return this.#language;
  }

  /**
   * Return a text. The value `count` chooses its plural form.
   *
   * @param {MessageKey} key
   * @param {Values} [values]
   */
  say(key, values = {}) {
    const message = /** @type {Message} */ (this.#messages[key]);
    const text = typeof message === "string" ? message : this.#chooseForm(message, values.count);
    return text.replace(/\{(\w+)\}/g, (blank, name) => this.#fill(values[name], blank));
  }

  /**
   * @param {Exclude<Message, string>} forms
   * @param {string | number} count
   */
  #chooseForm(forms, count) {
    return forms[this.#plural.select(Number(count))] ?? forms.other;
  }

  /** @param {string | number | undefined} value @param {string} blank */
  #fill(value, blank) {
    if (value === undefined) return blank;
    if (typeof value === "number") return this.#number.format(value);
    return this.#isolates || HAS_RIGHT_TO_LEFT.test(value) ? isolate(value) : value;
  }

  /** Format bytes as `1.25 GB`, with powers of 1000. @param {number} bytes */
  size(bytes) {
    const [value, unit] = scale(bytes);
    const digits = { maximumSignificantDigits: 3 };
    return this.#unit(value, unit, { unitDisplay: unit === "byte" ? "long" : "short", ...digits });
  }

  /** Format bytes per second as `12.3 MB/s`. @param {number} bytes */
  speed(bytes) {
    const [value, unit] = scale(Math.max(bytes, 1000));
    const digits = value < 100 ? 1 : 0;
    return this.#unit(value, `${unit}-per-second`, fixed(digits));
  }

  /** Format a duration as `45 sec`, `12 min`, `1 hr 20 min`. @param {number} seconds */
  duration(seconds) {
    const [value, unit] = largestUnit(seconds);
    const whole = Math.floor(value);
    if (unit !== "hour" || whole >= 10) return this.#unit(Math.round(value), unit, fixed(0));
    const minutes = Math.floor((value - whole) * 60);
    const parts = [this.#unit(whole, "hour", fixed(0))];
    if (minutes > 0) parts.push(this.#unit(minutes, "minute", fixed(0)));
    return this.#list.format(parts);
  }

  /**
   * Format a share as `45%`, of very large files as `45.2%`; never as 100 % before it is complete.
   *
   * @param {number} part In bytes.
   * @param {number} whole
   */
  percent(part, whole) {
    if (whole === 0 || part >= whole) return this.#percent.format(1);
    if (whole < VERY_LARGE) return this.#percent.format(Math.floor((part / whole) * 100) / 100);
    return this.#precisePercent.format(Math.floor((part / whole) * 1000) / 1000);
  }

  /** Format a number as the language writes it. @param {number} value */
  number(value) {
    return this.#number.format(value);
  }

  /** Format a size byte by byte, as `2,147,483,649 bytes`. @param {number} bytes */
  bytes(bytes) {
    return this.#unit(bytes, "byte", { unitDisplay: "long" });
  }

  /**
   * Format two sizes that differ, so that they also look different.
   *
   * @param {number} one
   * @param {number} other
   */
  sizes(one, other) {
    const isClear = this.size(one) !== this.size(other);
    return [one, other].map((bytes) => (isClear ? this.size(bytes) : this.bytes(bytes)));
  }

  /** @param {string | number} time */
  date(time) {
    return this.#date.format(new Date(time));
  }

  /** Format a time in the future as `in 5 seconds`, `in 23 hours`. @param {number} time As `Date.now()` counts. */
  until(time) {
    const [value, unit] = largestUnit((time - Date.now()) / 1000);
    return this.#relative.format(Math.round(value), unit);
  }

  /**
   * @param {number} value
   * @param {string} unit
   * @param {Intl.NumberFormatOptions} options
   */
  #unit(value, unit, options) {
    const key = unit + Object.values(options).join();
    let format = this.#units.get(key);
    if (format === undefined) {
      format = new Intl.NumberFormat(this.#language, { style: "unit", unit, ...options });
      this.#units.set(key, format);
    }
    return format.format(value);
  }
}

/** @param {string} language BCP 47 tag. */
export function isRightToLeft(language) {
  return RIGHT_TO_LEFT.has(language.split("-")[0].toLowerCase());
}

/**
 * Keep a file's name, for example, from changing the order of the words around it.
 *
 * @param {string} value
 */
function isolate(value) {
  return `\u2068${value}\u2069`;
}

/** A fixed number of decimals, so that a changing number does not jump. @param {number} digits */
function fixed(digits) {
  return { minimumFractionDigits: digits, maximumFractionDigits: digits };
}

/** @param {number} seconds @returns {[value: number, unit: "second" | "minute" | "hour" | "day"]} */
function largestUnit(seconds) {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return [whole, "second"];
  if (whole < 3600) return [whole / 60, "minute"];
  return whole < 2 * 86400 ? [whole / 3600, "hour"] : [whole / 86400, "day"];
}

/** @param {number} bytes @returns {[value: number, unit: string]} */
function scale(bytes) {
  let value = bytes;
  let at = 0;
  // Not 1000: 999.6 kB would be shown as 1000 kB.
  while (value >= 999.5 && at < SIZE_UNITS.length - 1) {
    value /= 1000;
    at += 1;
  }
  return [value, SIZE_UNITS[at]];
}
