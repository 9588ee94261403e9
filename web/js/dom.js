/** Small helpers to build elements: no third-party code, no inline script or style. */

import { say } from "./i18n.js";

/** @typedef {Node | string | null | undefined | false} Child */

/** @type {Record<string, "t" | "tLabel" | "tTitle" | "tPlaceholder">} */
const TEXT_SLOTS = { t: "t", tLabel: "tLabel", tTitle: "tTitle", tPlaceholder: "tPlaceholder" };

/**
 * `h("button", {class: "primary", t: "home.create", onclick: create})`. `t`, `tLabel`, `tTitle` and `tPlaceholder`
 * name a text of the catalogue, `tParams` fills it; `on…` adds a listener; true and false set and remove attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value, properties.tParams);
  element.append(...children.filter(isNode));
  return element;
}

/** @param {Child} child @returns {child is Node | string} */
function isNode(child) {
  return child !== null && child !== undefined && child !== false;
}

/** @param {HTMLElement} element @param {string} name @param {any} value @param {import("./i18n.js").Params} [params] */
function setProperty(element, name, value, params) {
  const slot = TEXT_SLOTS[name];
  if (name === "tParams" || value === undefined || value === null || value === false) return;
  if (slot) say(element, value, params, slot);
  else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (value === true) element.setAttribute(name, "");
  else element.setAttribute(name, String(value));
}

/**
 * @param {ParentNode & Node} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter(isNode));
}

/**
 * The first match, which must exist and be of that class.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`${selector} is not in the page`);
  return element;
}

/** @param {string} prefix */
export function uniqueId(prefix) {
  return `${prefix}-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
}

/** An element whose texts are written again when the language changes. */
export class LocalizedElement extends HTMLElement {
  connectedCallback() {
    this.onLanguage = () => this.localize();
    document.addEventListener("vmeet-language", this.onLanguage);
  }

  disconnectedCallback() {
    if (this.onLanguage) document.removeEventListener("vmeet-language", this.onLanguage);
  }

  /** Overridden by elements with texts that `data-t` cannot express (dates, numbers). */
  localize() {}
}
