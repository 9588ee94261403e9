import { h } from "../dom.js";
import { formatDate } from "../i18n.js";
import { splitLinks } from "../links.js";
import { hueOf } from "./tile.js";

/** @typedef {import("../protocol.js").ChatEntry} ChatEntry */

const SAME_BREATH_S = 120;

/** One message. The text is only ever text: nothing in it becomes an element but an address of the web. */
export class ChatMessage extends HTMLElement {
  /** @param {ChatEntry} [entry] @param {boolean} [own] */
  constructor(entry, own = false) {
    super();
    this.entry = entry ?? null;
    this.own = own;
    this.time = h("time", {});
  }

  connectedCallback() {
    if (!this.entry || this.childElementCount) return;
    const { name, text, participant_id: id } = this.entry;
    this.dataset.testid = "chat-message";
    this.classList.toggle("own", this.own);
    this.style.setProperty("--hue", String(hueOf(id)));
    const who = this.own ? h("span", { class: "name", t: "people.you" }) : h("span", { class: "name" }, name);
    this.append(h("p", { class: "head" }, who, " ", this.time), h("p", { class: "text", dir: "auto" }, ...richText(text)));
    this.localize();
  }

  localize() {
    if (!this.entry) return;
    const at = new Date(this.entry.at_s * 1000);
    const today = at.toDateString() === new Date().toDateString();
    this.time.dateTime = at.toISOString();
    this.time.textContent = formatDate(this.entry.at_s, { ...(!today && { dateStyle: "short" }), timeStyle: "short" });
  }

  /** Right after another by the same person the name need not be seen again; it can still be heard.
   *  @param {Element | null} before */
  follow(before) {
    const earlier = before instanceof ChatMessage ? before.entry : null;
    const same = earlier?.participant_id === this.entry?.participant_id;
    const soon = (this.entry?.at_s ?? 0) - (earlier?.at_s ?? 0) < SAME_BREATH_S;
    this.classList.toggle("follows", Boolean(earlier) && same && soon);
  }
}

/** @param {string} text @returns {(Node | string)[]} */
function richText(text) {
  return splitLinks(text).map(({ text: part, href }) => (href ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, part) : part));
}

customElements.define("vmeet-chat-message", ChatMessage);
