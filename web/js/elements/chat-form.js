import { cleanText, lengthOf } from "../chat-log.js";
import { h, uniqueId } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { MAX_CHAT_CHARS } from "../protocol.js";

/** @typedef {import("../i18n.js").Key} Key */

const WARN_CHARS = 200; // so many before the limit it is shown
const COMPOSING = 229; // Safari ends a composition before the key that ended it, and tells only by this code

/** Where a message is written. Event: `vmeet-send` (detail: the text), which a listener refuses by preventDefault(). */
export class ChatForm extends HTMLElement {
  constructor() {
    super();
    const [countId, faultId] = [uniqueId("count"), uniqueId("fault")];
    this.field = h("textarea", {
      rows: 1, tLabel: "chat.field", tPlaceholder: "chat.field", "data-testid": "chat-field", enterkeyhint: "send",
      "aria-describedby": `${countId} ${faultId}`,
    });
    this.count = h("p", { id: countId, class: "detail", hidden: true, "data-testid": "chat-count" });
    this.fault = h("p", { id: faultId, class: "invalid", role: "alert", hidden: true, "data-testid": "chat-fault" });
    this.button = h("button", { type: "submit", class: "primary icon-only", tLabel: "chat.send", tTitle: "chat.send", "data-testid": "chat-send" }, icon("send"));
  }

  connectedCallback() {
    if (this.childElementCount) return;
    const form = h("form", { novalidate: true }, this.field, this.button);
    form.addEventListener("submit", (event) => this.submitted(event));
    this.field.addEventListener("keydown", (event) => this.key(event, form));
    this.field.addEventListener("input", () => this.changed());
    this.append(this.fault, form, this.count);
    this.changed();
  }

  /** A text that did not get through goes before what was written meanwhile. @param {string} text @param {Key} reason */
  giveBack(text, reason) {
    this.field.value = [text, this.field.value].filter(Boolean).join("\n");
    this.changed();
    this.complain(reason);
  }

  /** Enter sends, but not the one that ends a composition: it chooses a character. @private
   *  @param {KeyboardEvent} event @param {HTMLFormElement} form */
  key(event, form) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === COMPOSING) return;
    event.preventDefault();
    form.requestSubmit();
  }

  /** @private @param {SubmitEvent} event */
  submitted(event) {
    event.preventDefault();
    const text = cleanText(this.field.value);
    if (!text) return;
    if (lengthOf(text) > MAX_CHAT_CHARS) return this.complain("chat.too-long");
    const taken = this.dispatchEvent(new CustomEvent("vmeet-send", { detail: text, cancelable: true }));
    if (!taken) return this.complain("chat.not-sent");
    this.field.value = "";
    this.changed();
    this.field.focus();
  }

  /** @private */
  changed() {
    const left = MAX_CHAT_CHARS - lengthOf(cleanText(this.field.value));
    this.fault.hidden = true;
    this.count.hidden = left > WARN_CHARS;
    this.count.classList.toggle("over", left < 0);
    this.field.setAttribute("aria-invalid", String(left < 0));
    if (!this.count.hidden) say(this.count, left < 0 ? "chat.over" : "chat.left", { count: Math.abs(left) });
    this.grow();
  }

  /** As many lines as are written; the style sheet bounds it. @private */
  grow() {
    this.field.style.setProperty("height", "auto");
    const edges = this.field.offsetHeight - this.field.clientHeight;
    if (this.field.scrollHeight) this.field.style.setProperty("height", `${this.field.scrollHeight + edges}px`);
  }

  /** @private @param {Key} key */
  complain(key) {
    say(this.fault, key);
    this.fault.hidden = false;
  }
}

customElements.define("vmeet-chat-form", ChatForm);
