/**
 * The page's language. It is kept in `<html lang>`, remembered in localStorage, and can be changed at any time:
 * elements marked with `data-t*` are written again, and `vmeet-language` is dispatched on the document for the rest.
 */

import en from "./i18n/en.js";
import zhHant from "./i18n/zh-Hant.js";

/** @typedef {import("./i18n/en.js").Key} Key */
/** @typedef {Record<string, string | number>} Params */
/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Text a plural form is chosen by the parameter `count` */

/** @type {Record<string, Record<string, Text>>} */
export const CATALOGUES = { "zh-Hant": zhHant, en };

/** @type {Record<string, string>} */
export const LANGUAGE_NAMES = { "zh-Hant": "繁體中文", en: "English" };

const STORAGE_KEY = "vmeet.language";
const ATTRIBUTES = { t: "", tLabel: "aria-label", tTitle: "title", tPlaceholder: "placeholder" };

/** @param {readonly string[]} wanted BCP 47 tags, best first */
export function chooseLanguage(wanted) {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "zh" || base === "yue") return "zh-Hant";
    if (base === "en") return "en";
  }
  return "en";
}

export function language() {
  return document.documentElement.lang in CATALOGUES ? document.documentElement.lang : "en";
}

/** Sets the language of a page that has just been loaded. */
export function initLanguage() {
  const stored = read(STORAGE_KEY);
  document.documentElement.lang = stored && stored in CATALOGUES ? stored : chooseLanguage(navigator.languages);
}

/** @param {string} tag one of CATALOGUES */
export function setLanguage(tag) {
  document.documentElement.lang = tag;
  write(STORAGE_KEY, tag);
  translateTree(document);
  document.dispatchEvent(new CustomEvent("vmeet-language"));
}

/**
 * @param {string} key
 * @returns {key is Key}
 */
export function isKey(key) {
  return key in en;
}

/**
 * The text of `key` with its `{placeholders}` filled in.
 * @param {Key} key
 * @param {Params} [params]
 */
export function t(key, params = {}) {
  const text = CATALOGUES[language()]?.[key] ?? en[key] ?? key;
  return pluralForm(text, params).replace(/\{(\w+)\}/g, (_, name) => formatted(params[name]));
}

/** @param {Text} text @param {Params} params */
function pluralForm(text, params) {
  if (typeof text === "string") return text;
  const rule = new Intl.PluralRules(language()).select(Number(params.count ?? 0));
  return text[rule] ?? text.other ?? "";
}

/** @param {string | number | undefined} value */
function formatted(value) {
  return typeof value === "number" ? new Intl.NumberFormat(language()).format(value) : (value ?? "");
}

/**
 * Makes `element` say `key`, now and after every change of language.
 * @param {Element} element
 * @param {Key} key
 * @param {Params} [params]
 * @param {keyof typeof ATTRIBUTES} [slot]
 */
export function say(element, key, params, slot = "t") {
  const data = /** @type {HTMLElement} */ (element).dataset;
  data[slot] = key;
  if (params) data.tParams = JSON.stringify(params);
  else if (slot === "t") delete data.tParams;
  translate(element);
}

/** @param {ParentNode} root */
export function translateTree(root) {
  for (const element of root.querySelectorAll("[data-t], [data-t-label], [data-t-title], [data-t-placeholder]")) {
    translate(element);
  }
}

/** @param {Element} element */
function translate(element) {
  const data = /** @type {HTMLElement} */ (element).dataset;
  const params = data.tParams ? JSON.parse(data.tParams) : {};
  for (const [slot, attribute] of Object.entries(ATTRIBUTES)) {
    const key = data[slot];
    if (!key || !isKey(key)) continue;
    const text = t(key, params);
    if (attribute) element.setAttribute(attribute, text);
    else if (element.textContent !== text) element.textContent = text; // what is written again is read out again
  }
}

/** @param {number} unixS @param {Intl.DateTimeFormatOptions} [options] */
export function formatDate(unixS, options = { dateStyle: "medium", timeStyle: "short" }) {
  return new Intl.DateTimeFormat(language(), options).format(new Date(unixS * 1000));
}

/** Clock time such as 4:05 or 1:02:03. @param {number} seconds */
export function formatClock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** @param {number} bytes */
export function formatSize(bytes) {
  const units = /** @type {const} */ (["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"]);
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  const options = { style: /** @type {const} */ ("unit"), unit: units[power], maximumFractionDigits: value < 10 ? 1 : 0 };
  return new Intl.NumberFormat(language(), { ...options, unitDisplay: "short" }).format(value);
}

/** @param {number} share in [0, 1] */
export function formatPercent(share) {
  return new Intl.NumberFormat(language(), { style: "percent" }).format(share);
}

/** @param {readonly string[]} items */
export function formatList(items) {
  return new Intl.ListFormat(language(), { type: "conjunction" }).format(items);
}

/** @param {string} key */
function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be forbidden; the page works without
  }
}

/** @param {string} key @param {string} value */
function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above: then the choice lasts as long as the page
  }
}
