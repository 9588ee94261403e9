import { h } from "../dom.js";
import { say } from "../i18n.js";

/** @typedef {import("../quality.js").Quality} Quality */

const BARS = 3;

/** Three bars that say how well someone is connected. */
export class QualitySign extends HTMLElement {
  connectedCallback() {
    if (!this.dataset.level) this.show(0);
  }

  /** @param {Quality} level */
  show(level) {
    if (this.dataset.level === String(level)) return;
    if (!this.childElementCount) this.append(...Array.from({ length: BARS }, () => h("i", {})));
    this.setAttribute("role", "img");
    this.dataset.level = String(level);
    say(this, `quality.${level}`, undefined, "tLabel");
    say(this, `quality.${level}`, undefined, "tTitle");
  }
}

customElements.define("vmeet-quality", QualitySign);
