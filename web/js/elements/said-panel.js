import { h, LocalizedElement } from "../dom.js";
import { formatDate } from "../i18n.js";
import { icon } from "../icons.js";
import { SpokenLanguage } from "./spoken-language.js";
import { hueOf } from "./tile.js";

/** @typedef {import("../protocol.js").CaptionEntry} CaptionEntry */

const AT_END_PX = 48;
const MOST = 500;

/** What was said since this page came, and a little before. Event: `vmeet-action` with "said" (close). */
export class SaidPanel extends LocalizedElement {
  constructor() {
    super();
    /** @type {Set<string>} */
    this.known = new Set();
    this.following = true; // whether the newest phrase is seen, and is to be seen
    this.language = new SpokenLanguage();
    this.heading = h("h2", { tabindex: -1, t: "captions.said" });
    this.empty = h("p", { class: "chat-empty muted", t: "captions.nothing-said" });
    this.list = h("ol", { class: "said-list", tabindex: 0, tLabel: "captions.said", "data-testid": "said-list" });
    this.scroller = h("div", { class: "chat-scroller" }, this.empty, this.list);
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    this.setAttribute("role", "complementary");
    this.classList.add("side-panel");
    const closing = () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: "said" }));
    const close = h("button", { type: "button", class: "icon-button", tLabel: "close", onclick: closing }, icon("close"));
    const note = h("p", { class: "muted small", t: "captions.not-kept" });
    this.append(h("header", {}, this.heading, close), h("div", { class: "said-head" }, this.language, note), h("div", { class: "chat-body" }, this.scroller));
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
  }

  /** @override */
  localize() {
    for (const time of this.list.querySelectorAll("time")) showTime(time);
  }

  /** Each phrase once. @param {CaptionEntry} entry */
  add(entry) {
    const key = `${entry.number} ${entry.start_s}`; // a server that was started again counts from the beginning
    if (this.known.has(key)) return;
    this.known.add(key);
    const time = h("time", { datetime: new Date(entry.start_s * 1000).toISOString() });
    showTime(time);
    const head = h("p", { class: "head" }, h("span", { class: "name" }, entry.name), " ", time);
    const row = h("li", { "data-testid": "said" }, head, h("p", { class: "text", dir: "auto", lang: entry.language === "auto" ? null : entry.language }, entry.text));
    row.style.setProperty("--hue", String(hueOf(entry.participant_id)));
    this.list.append(row);
    while (this.list.childElementCount > MOST) this.list.firstElementChild?.remove();
    this.empty.hidden = true;
    if (this.following) this.toEnd();
  }

  /** @param {boolean} open */
  setOpen(open) {
    const opens = open && this.hidden;
    this.hidden = !open;
    if (!opens) return;
    this.toEnd();
    this.heading.focus();
  }

  /** @private */
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.following = scrollHeight - scrollTop - clientHeight < AT_END_PX;
  }

  /** @private */
  toEnd() {
    this.following = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

/** @param {HTMLTimeElement} time */
function showTime(time) {
  time.textContent = formatDate(Date.parse(time.dateTime) / 1000, { timeStyle: "medium" });
}

customElements.define("vmeet-said", SaidPanel);
