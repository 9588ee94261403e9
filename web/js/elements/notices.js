import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {"info" | "good" | "warning" | "danger"} Tone */

const SHOWN_S = 5;
const MOST = 4;
/** @type {Record<Tone, string>} */
const ICONS = { info: "info", good: "check", warning: "warning", danger: "warning" };

/** Short messages in a corner, read out by screen readers; they go by themselves. */
export class Notices extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "log");
    this.setAttribute("aria-live", "polite");
    this.dataset.testid = "notices";
  }

  /**
   * @param {string} text
   * @param {{tone?: Tone, detail?: string, seconds?: number}} [options]
   */
  show(text, { tone = "info", detail = "", seconds = SHOWN_S } = {}) {
    const body = h("div", {}, h("div", {}, text), detail ? h("div", { class: "detail" }, detail) : null);
    const close = h("button", { type: "button", class: "icon-button small", tLabel: "close", onclick: () => notice.remove() }, icon("close"));
    const notice = h("div", { class: `notice ${tone}` }, icon(ICONS[tone]), body, close);
    this.append(notice);
    while (this.children.length > MOST) this.firstElementChild?.remove();
    setTimeout(() => notice.remove(), seconds * 1000);
  }
}

customElements.define("vmeet-notices", Notices);
