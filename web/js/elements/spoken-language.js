import { h, LocalizedElement, uniqueId } from "../dom.js";
import { language as pageLanguage, t } from "../i18n.js";

/** @typedef {import("../protocol.js").CaptionsInfo} CaptionsInfo */

/** What one speaks oneself, for the captions. Event: `vmeet-spoken` (detail: a BCP 47 tag, "auto", or null: as the meeting has it). */
export class SpokenLanguage extends LocalizedElement {
  constructor() {
    super();
    /** @type {CaptionsInfo | null} */
    this.captions = null;
    /** @type {string | null} */
    this.chosen = null;
    const id = uniqueId("spoken");
    const changed = () => this.dispatchEvent(new CustomEvent("vmeet-spoken", { detail: this.select.value || null, bubbles: true }));
    this.select = h("select", { id, "data-testid": "spoken-language", onchange: changed });
    this.label = h("label", { for: id, t: "captions.language" });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (!this.childElementCount) this.append(h("div", { class: "field" }, this.label, this.select));
  }

  /** @override */
  localize() {
    this.show(this.captions, this.chosen);
  }

  /** @param {CaptionsInfo | null} captions @param {string | null} chosen */
  show(captions, chosen) {
    this.captions = captions;
    this.chosen = chosen;
    if (!captions) return;
    const names = new Intl.DisplayNames(pageLanguage(), { type: "language", fallback: "code" });
    const nameOf = (/** @type {string} */ tag) => (tag === "auto" ? t("choice.language-auto") : (names.of(tag) ?? tag));
    const tags = captions.languages.filter((tag) => tag !== "auto").sort((a, b) => nameOf(a).localeCompare(nameOf(b), pageLanguage()));
    const asMeeting = h("option", { value: "" }, t("captions.language-meeting", { language: nameOf(captions.language) }));
    const options = ["auto", ...tags].map((tag) => h("option", { value: tag, selected: tag === chosen }, nameOf(tag)));
    this.select.replaceChildren(asMeeting, ...options);
    if (!chosen) this.select.value = "";
  }
}

customElements.define("vmeet-spoken-language", SpokenLanguage);
