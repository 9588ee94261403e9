import { h } from "../dom.js";
import { icon } from "../icons.js";

/** For whoever is the only one in a meeting: the link that invites others. Event: `vmeet-action` with "copy-link". */
export class AloneCard extends HTMLElement {
  /** @param {string} [link] */
  constructor(link = "") {
    super();
    this.link = link;
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.classList.add("alone", "card");
    this.dataset.testid = "alone";
    const link = h("input", { type: "text", readonly: true, value: this.link, tLabel: "call.link", class: "link" });
    link.addEventListener("focus", () => link.select());
    const ask = () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: "copy-link" }));
    const copy = h("button", { type: "button", class: "primary", onclick: ask }, icon("copy"), h("span", { t: "copy" }));
    this.append(h("h2", { t: "call.alone" }), h("p", { class: "muted", t: "call.alone-hint" }), h("div", { class: "row" }, link, copy));
  }
}

customElements.define("vmeet-alone", AloneCard);
