import { fill, h, LocalizedElement, uniqueId } from "../dom.js";
import { language } from "../i18n.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {import("../types.js").Preset} Preset */
/** @typedef {import("../types.js").Provider} Provider */
/** @typedef {import("../types.js").SpeechWish} SpeechWish */

const CHOICES = /** @type {const} */ ({
  script: ["traditional-tw", "simplified", "as-spoken"],
  numbers: ["as-spoken", "digits"],
  transcribe_from: ["original", "denoised"],
});
/** @typedef {keyof typeof CHOICES} Field */
const FIELDS = /** @type {Field[]} */ (Object.keys(CHOICES));

/** How what is said is to be written down: asked only where a transcriber is chosen. */
export class SpeechChoices extends LocalizedElement {
  /** @param {readonly string[]} [known] what the server acts on; all of it where that is not said */
  constructor(known) {
    super();
    this.isKnown = (/** @type {string} */ field) => !known || known.includes(field);
    /** @type {Provider | null} */
    this.provider = null;
    this.spoken = h("select", { id: uniqueId("language"), "data-testid": "choice-language" });
    this.selects = /** @type {Record<Field, HTMLSelectElement>} */ (Object.fromEntries(FIELDS.map((field) => [field, h("select", { id: uniqueId(field), "data-testid": `choice-${field}` })])));
    this.from = this.field("transcribe_from");
    this.hidden = true;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    const spoken = h("div", { class: "field", hidden: !this.isKnown("language") }, h("label", { for: this.spoken.id, t: "choice.language" }), this.spoken);
    fill(this, spoken, this.field("script"), this.field("numbers"), this.from);
  }

  /** The names of languages are the page's. @override */
  localize() {
    if (this.provider) this.showLanguages(this.provider, this.spoken.value);
  }

  /** @param {Preset} preset */
  show(preset) {
    for (const field of FIELDS) {
      const chosen = preset[field] ?? CHOICES[field][0];
      this.selects[field].replaceChildren(...CHOICES[field].map((value) => h("option", { value, selected: value === chosen, t: `choice.${field}-${value}` })));
    }
    this.spoken.replaceChildren(h("option", { value: preset.language ?? "auto" }));
  }

  /** @param {Provider | null} provider that is chosen @param {boolean} denoised whether there is denoised sound */
  offer(provider, denoised) {
    this.hidden = !provider;
    this.from.hidden = !denoised || !this.isKnown("transcribe_from");
    if (provider && provider !== this.provider) this.showLanguages(provider, this.spoken.value);
    this.provider = provider;
  }

  /** @returns {Partial<SpeechWish>} nothing where nothing is transcribed */
  get value() {
    if (!this.provider) return {};
    const { script, numbers, transcribe_from } = this.selects;
    const from = this.from.hidden ? "original" : transcribe_from.value;
    const wish = { language: this.spoken.value || "auto", script: script.value, numbers: numbers.value, transcribe_from: from };
    return Object.fromEntries(Object.entries(wish).filter(([field]) => this.isKnown(field)));
  }

  /** @private @param {Provider} provider @param {string} chosen */
  showLanguages(provider, chosen) {
    const tags = new Set(provider.languages ?? []);
    tags.add(chosen || "auto").delete("auto");
    const names = new Intl.DisplayNames(language(), { type: "language", fallback: "code" });
    const known = [...tags].map((tag) => ({ tag, name: names.of(tag) ?? tag })).sort((a, b) => a.name.localeCompare(b.name, language()));
    const auto = h("option", { value: "auto", selected: !chosen || chosen === "auto", t: "choice.language-auto" });
    this.spoken.replaceChildren(auto, ...known.map(({ tag, name }) => h("option", { value: tag, selected: tag === chosen }, name)));
  }

  /** @private @param {Field} field */
  field(field) {
    const select = this.selects[field];
    const hint = field === "transcribe_from" ? h("p", { class: "hint", t: "choice.transcribe_from-hint" }) : null;
    return h("div", { class: "field", hidden: !this.isKnown(field) }, h("label", { for: select.id, t: /** @type {Key} */ (`choice.${field}`) }), select, hint);
  }
}

customElements.define("vmeet-speech-choices", SpeechChoices);
