import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {"info" | "good" | "warning" | "danger"} Tone */
/** @typedef {{text: import("../i18n.js").Key, run: () => void}} NoticeAction */

const SHOWN_S = 5;
const MOST = 4;
/** @type {Record<Tone, string>} */
const ICONS = { info: "info", good: "check", warning: "warning", danger: "warning" };

/** Short messages in a corner, read out by screen readers; they go by themselves, but for those that have to be read. */
export class Notices extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "log");
    this.setAttribute("aria-live", "polite");
    this.dataset.testid = "notices";
  }

  /**
   * @param {string} text
   * @param {{tone?: Tone, sign?: string, detail?: string, seconds?: number, key?: string, action?: NoticeAction | null}} [options]
   *   `sign` is an icon other than that of the tone; of notices with the same `key` only the newest is shown;
   *   one of 0 `seconds` stays until it is closed
   */
  show(text, { tone = "info", sign = ICONS[tone], detail = "", seconds = SHOWN_S, key = "", action = null } = {}) {
    const body = h("div", { class: "notice-body" }, h("div", {}, text), detail ? h("div", { class: "detail" }, detail) : null);
    const close = h("button", { type: "button", class: "icon-button small", tLabel: "close", onclick: () => notice.remove() }, icon("close"));
    const notice = h("div", { class: `notice ${tone}`, "data-key": key || null }, icon(sign), body, action && actionButton(action, () => notice.remove()), close);
    if (key) this.clear(key);
    this.append(notice);
    notice.toggleAttribute("data-stays", seconds === 0);
    const passing = [...this.children].filter((each) => !each.hasAttribute("data-stays"));
    for (const each of passing.slice(0, Math.max(0, this.children.length - MOST))) each.remove();
    if (seconds) setTimeout(() => notice.remove(), seconds * 1000);
  }

  /** Takes back what was shown with this key. @param {string} key */
  clear(key) {
    for (const notice of [...this.children]) if (notice instanceof HTMLElement && notice.dataset.key === key) notice.remove();
  }
}

/** @param {NoticeAction} action @param {() => void} close */
function actionButton({ text, run }, close) {
  const onclick = () => {
    close();
    run();
  };
  return h("button", { type: "button", class: "quiet small", t: text, onclick });
}

customElements.define("vmeet-notices", Notices);
