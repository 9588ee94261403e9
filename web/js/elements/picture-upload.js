import { api, ApiError, explain } from "../api.js";
import { h } from "../dom.js";
import { isKey, say, t } from "../i18n.js";
import { icon } from "../icons.js";

const TYPES = ["image/jpeg", "image/png", "image/webp"];
const MAX_BYTES = 10 * 1024 * 1024;

/** Adds a picture of one's own, from a file or dropped here. Event: `vmeet-picture` (detail: its name on the server). */
export class PictureUpload extends HTMLElement {
  /** @param {string} [meetingId] */
  constructor(meetingId = "") {
    super();
    this.meetingId = meetingId;
    this.file = h("input", { type: "file", accept: TYPES.join(","), hidden: true, "data-testid": "picture-file", onchange: () => this.chosen() });
    this.label = h("span", { t: "effects.add-picture" });
    this.button = h("button", { type: "button", "data-testid": "add-picture", onclick: () => this.file.click() }, icon("plus"), this.label);
    this.hint = h("p", { class: "hint muted small", t: "effects.add-picture-hint" });
    this.fault = h("p", { class: "invalid", role: "alert", hidden: true, "data-testid": "picture-fault" });
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(this.button, this.file, this.hint, this.fault);
    for (const type of ["dragenter", "dragover"]) this.addEventListener(type, (event) => this.dragged(event));
    this.addEventListener("dragleave", () => this.removeAttribute("data-over"));
    this.addEventListener("drop", (event) => this.dropped(event));
  }

  /** @override */
  focus() {
    this.button.focus();
  }

  /** @private */
  chosen() {
    const file = this.file.files?.[0];
    this.file.value = ""; // the same one may be chosen again
    if (file) this.take(file);
  }

  /** @private @param {Event} event */
  dragged(event) {
    event.preventDefault();
    this.toggleAttribute("data-over", true);
  }

  /** @private @param {DragEvent} event */
  dropped(event) {
    event.preventDefault();
    this.removeAttribute("data-over");
    const file = event.dataTransfer?.files[0];
    if (file) this.take(file);
  }

  /** @private @param {File} file */
  async take(file) {
    if (this.button.disabled) return;
    this.complain("");
    if (!TYPES.includes(file.type)) return this.complain(t("effects.picture-wrong-type"));
    if (file.size > MAX_BYTES) return this.complain(t("effects.picture-too-large"));
    this.busy(true);
    try {
      const { name } = await api.addPicture(this.meetingId, file);
      this.dispatchEvent(new CustomEvent("vmeet-picture", { detail: name }));
    } catch (error) {
      this.complain(faultOf(error));
    }
    this.busy(false);
    if (document.activeElement === document.body) this.focus(); // what is disabled loses it
  }

  /** @private @param {boolean} busy */
  busy(busy) {
    this.button.disabled = busy;
    this.toggleAttribute("data-busy", busy);
    say(this.label, busy ? "effects.adding-picture" : "effects.add-picture");
  }

  /** @private @param {string} text */
  complain(text) {
    this.fault.textContent = text;
    this.fault.hidden = !text;
  }
}

/** @param {unknown} error */
function faultOf(error) {
  const key = `effects.picture-${error instanceof ApiError ? error.code : ""}`;
  if (isKey(key)) return t(key);
  const { text, detail } = explain(error);
  return detail && detail !== text ? `${text} ${detail}` : text;
}

customElements.define("vmeet-picture-upload", PictureUpload);
