/** Measured values as texts in the page's language; what is not known is a dash. */

import { language } from "./i18n.js";

const UNKNOWN = "–";

/** @param {number | null | undefined} bps bits per second */
export function formatBitrate(bps) {
  if (bps === null || bps === undefined) return UNKNOWN;
  const mega = bps >= 999_500;
  return unit(bps / (mega ? 1e6 : 1e3), mega ? "megabit-per-second" : "kilobit-per-second", mega ? 1 : 0);
}

/** @param {number | null | undefined} seconds */
export function formatMilliseconds(seconds) {
  return seconds === null || seconds === undefined ? UNKNOWN : unit(seconds * 1000, "millisecond", 0);
}

/** @param {number | null | undefined} share in [0, 1] */
export function formatLoss(share) {
  if (share === null || share === undefined) return UNKNOWN;
  return new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 1 }).format(share);
}

/** @param {number} value @param {string} name of the unit @param {number} digits after the point, at most */
function unit(value, name, digits) {
  const options = { style: /** @type {const} */ ("unit"), unit: name, unitDisplay: /** @type {const} */ ("short") };
  return new Intl.NumberFormat(language(), { ...options, maximumFractionDigits: digits }).format(value);
}
