import { fill, h, LocalizedElement } from "../dom.js";
import { CATALOGUES, language, LANGUAGE_NAMES, setLanguage } from "../i18n.js";
import { icon } from "../icons.js";

/** A button that changes the language; it names the language one would get. */
export class LanguageSwitch extends LocalizedElement {
  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.localize();
  }

  /** @override */
  localize() {
    const tags = Object.keys(CATALOGUES);
    const next = tags[(tags.indexOf(language()) + 1) % tags.length] ?? "en";
    const change = () => {
      setLanguage(next);
      this.querySelector("button")?.focus();
    };
    const name = h("span", { class: "label", lang: next }, LANGUAGE_NAMES[next]);
    fill(
      this,
      h("button", { type: "button", class: "quiet", "data-testid": "language", tTitle: "language.change", onclick: change }, icon("language"), name),
    );
  }
}

customElements.define("vmeet-language", LanguageSwitch);
