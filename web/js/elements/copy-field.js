import { h, uniqueId } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";

/** @typedef {import("../i18n.js").Key} Key */

const SAID_S = 2;
const DOTS = "•".repeat(16);

/**
 * A value to be copied. A secret one is dots until it is asked for: someone may look on, or the screen be shared.
 * @param {{label: Key, value: string, testid: string, secret?: boolean}} wish
 */
export function copyField({ label, value, testid, secret = false }) {
  const id = uniqueId("copy");
  const field = h("input", { type: "text", id, readonly: true, spellcheck: "false", autocomplete: "off", "data-testid": testid });
  const show = (/** @type {boolean} */ open) => (field.value = open ? value : DOTS);
  show(!secret);
  field.addEventListener("focus", () => field.select());
  const copy = copyButton(() => value, `${testid}-copy`, () => {
    show(true); // the clipboard is not allowed: then by hand
    field.focus();
  });
  const row = h("div", { class: "copy-row" }, field, secret ? eyeButton(show, `${testid}-show`) : null, copy);
  return h("div", { class: "field" }, h("label", { for: id, t: label }), row);
}

/** @param {() => string} value @param {string} testid @param {() => void} [refused] */
export function copyButton(value, testid, refused = () => {}) {
  const text = h("span", { t: "copy", "aria-live": "polite" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value());
    } catch {
      return refused();
    }
    say(text, "copied");
    setTimeout(() => say(text, "copy"), SAID_S * 1000);
  };
  return h("button", { type: "button", class: "copy", "data-testid": testid, onclick: copy }, icon("copy"), text);
}

/** @param {(open: boolean) => void} show @param {string} testid */
function eyeButton(show, testid) {
  const eye = h("button", { type: "button", class: "icon-button", tLabel: "stream.show", tTitle: "stream.show", "aria-pressed": "false", "data-testid": testid }, icon("eye"));
  eye.addEventListener("click", () => {
    const open = eye.getAttribute("aria-pressed") !== "true";
    eye.setAttribute("aria-pressed", String(open));
    show(open);
  });
  return eye;
}
