import { ChatLog } from "../chat-log.js";
import { h, LocalizedElement } from "../dom.js";
import { icon } from "../icons.js";
import { ChatForm } from "./chat-form.js";
import { ChatMessage } from "./chat-message.js";

/** @typedef {import("../protocol.js").ChatEntry} ChatEntry */

const AT_END_PX = 48;

/**
 * What everyone in the meeting writes. Events: `vmeet-action` with "chat" (close), `vmeet-unread` (detail: number), and
 * `vmeet-send` (detail: a text), which a listener refuses by preventDefault().
 */
export class ChatPanel extends LocalizedElement {
  constructor() {
    super();
    this.log = new ChatLog();
    this.me = "";
    this.unread = 0;
    this.welcomed = false;
    /** @type {string[]} texts handed to the socket that the server has not sent back yet */
    this.pending = [];
    this.following = true; // whether the newest message is seen, and is to be seen
    this.form = new ChatForm();
    this.list = h("div", { role: "log", "aria-live": "polite", tLabel: "chat.title", tabindex: "0", class: "chat-list", "data-testid": "chat-list" });
    this.waiting = h("div", { class: "chat-waiting", "aria-hidden": "true" });
    this.empty = h("p", { class: "chat-empty muted", t: "chat.empty" });
    this.newer = h("button", { type: "button", class: "chat-newer", hidden: true, "data-testid": "chat-newer" }, icon("chevron"), h("span", { t: "chat.newer" }));
    this.scroller = h("div", { class: "chat-scroller", "data-testid": "chat-scroller" }, this.empty, this.list, this.waiting);
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    this.setAttribute("role", "complementary");
    this.classList.add("side-panel");
    const closing = () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: "chat" }));
    const close = h("button", { type: "button", class: "icon-button", tLabel: "close", onclick: closing }, icon("close"));
    this.append(h("header", {}, h("h2", { t: "chat.title" }), close), h("div", { class: "chat-body" }, this.scroller, this.newer), h("footer", {}, this.form));
    this.form.addEventListener("vmeet-send", (event) => this.send(/** @type {CustomEvent} */ (event)));
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.scroller); // a longer draft leaves it less room
    this.newer.addEventListener("click", () => this.toEnd());
  }

  /** @override */
  localize() {
    for (const message of this.list.children) if (message instanceof ChatMessage) message.localize();
  }

  /** What was written before this page came, or while it was away. Says how much of it is new to someone who was here.
   *  @param {Iterable<ChatEntry>} history @param {string} me */
  welcome(history, me) {
    const back = this.welcomed;
    this.welcomed = true;
    this.me = me;
    const fresh = [...history].filter((entry) => this.add(entry));
    if (back) this.countUnread(fresh.filter((entry) => entry.participant_id !== me).length);
    this.returnPending(this.pending.length);
    return back ? fresh : [];
  }

  /** Says whether it was new. @param {ChatEntry} entry */
  receive(entry) {
    const fresh = this.add(entry);
    if (fresh && entry.participant_id !== this.me) this.countUnread(1);
    return fresh;
  }

  /** Texts that the server did not take go into the field again. It takes them in order: the oldest is the one it refused.
   *  @param {number} [count] */
  returnPending(count = 1) {
    const lost = this.pending.splice(0, count);
    this.showPending();
    if (lost.length) this.form.giveBack(lost.join("\n"), "chat.not-sent");
  }

  /** @param {boolean} open */
  setOpen(open) {
    this.hidden = !open;
    if (!open) return;
    this.unread = 0;
    this.tellUnread();
    this.toEnd();
    // On a phone the field would bring up the keyboard before anyone has read a line.
    if (matchMedia("(pointer: coarse)").matches) this.list.focus();
    else this.form.field.focus();
  }

  /** @private @param {CustomEvent} event */
  send(event) {
    const taken = this.dispatchEvent(new CustomEvent("vmeet-send", { detail: event.detail, cancelable: true }));
    if (!taken) return event.preventDefault();
    this.pending.push(event.detail);
    this.showPending();
    this.toEnd();
  }

  /** @private @param {ChatEntry} entry */
  add(entry) {
    if (!this.log.add(entry)) return false;
    const own = entry.participant_id === this.me;
    const message = new ChatMessage(entry, own);
    message.follow(this.list.lastElementChild);
    this.list.append(message);
    while (this.list.childElementCount > this.log.entries.length) this.list.firstElementChild?.remove();
    this.empty.hidden = true;
    if (own) this.arrived(entry.text);
    if (this.following || own) this.toEnd();
    else this.newer.hidden = false;
    return true;
  }

  /** @private @param {string} text of this person's, sent back by the server */
  arrived(text) {
    const index = this.pending.indexOf(text);
    if (index >= 0) this.pending.splice(index, 1);
    this.showPending();
  }

  /** @private */
  showPending() {
    this.waiting.replaceChildren(...this.pending.map((text) => h("p", { class: "text", dir: "auto" }, text)));
  }

  /** @private @param {number} more */
  countUnread(more) {
    if (!this.hidden || !more) return;
    this.unread += more;
    this.tellUnread();
  }

  /** @private */
  tellUnread() {
    this.dispatchEvent(new CustomEvent("vmeet-unread", { detail: this.unread }));
  }

  /** @private */
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.following = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    if (this.following) this.newer.hidden = true;
  }

  /** @private */
  toEnd() {
    this.following = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.newer.hidden = true;
  }
}

customElements.define("vmeet-chat", ChatPanel);
