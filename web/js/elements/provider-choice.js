import { h, uniqueId } from "../dom.js";
import { isKey } from "../i18n.js";
import { SchemaForm } from "../schema-form.js";

/** @typedef {import("../types.js").Provider} Provider */
/** @typedef {Record<string, Record<string, unknown>>} OptionsByProvider */

/**
 * @typedef {object} ChoiceWish
 * @property {string} field name of the choice: "denoiser", "frame_filters"…
 * @property {Provider[]} providers
 * @property {boolean} multiple
 * @property {string[]} chosen
 * @property {OptionsByProvider} options of the preset
 */

/** The choice of one provider, or of several, of a kind; each with the form of its options. */
export class ProviderChoice extends HTMLElement {
  /** @param {ChoiceWish} [wish] */
  constructor(wish) {
    super();
    this.wish = wish ?? { field: "", providers: [], multiple: false, chosen: [], options: {} };
    this.group = uniqueId("choice");
    /** @type {Map<string, {input: HTMLInputElement, form: SchemaForm | null, details: HTMLElement | null}>} */
    this.rows = new Map();
  }

  connectedCallback() {
    if (this.childElementCount) return;
    const { field, multiple, chosen, providers } = this.wish;
    this.dataset.testid = `choice-${field}`;
    const allowed = providers.filter((each) => each.allowed && chosen.includes(each.name));
    const rows = providers.map((provider) => this.row(provider, allowed.includes(provider)));
    const none = multiple ? null : this.none(!allowed.length);
    const hint = `choice.${field}-hint`;
    this.append(
      h(
        "fieldset",
        { onchange: () => this.showForms() },
        h("legend", { t: `choice.${field}` }),
        isKey(hint) ? h("p", { class: "hint muted", t: hint }) : null,
        h("div", { class: "choices" }, none, ...rows),
      ),
    );
    this.showForms();
  }

  /** The names of what is chosen. */
  get names() {
    return [...this.rows].filter(([, { input }]) => input.checked).map(([name]) => name);
  }

  /** @returns {string[] | string | null} as the API wants it */
  get value() {
    return this.wish.multiple ? this.names : (this.names[0] ?? null);
  }

  /** @returns {OptionsByProvider} of what is chosen */
  get options() {
    return Object.fromEntries(this.names.map((name) => [name, this.rows.get(name)?.form?.value ?? {}]));
  }

  validate() {
    return this.names.map((name) => this.checkForm(name)).every(Boolean);
  }

  /** Shows the server's complaint at the field it is about. @param {string} path such as `options.dtln.strength`
   *  @param {string} message */
  setFault(path, message) {
    const [provider = "", name = ""] = path.split(".").slice(-2);
    const row = this.rows.get(provider);
    row?.details?.setAttribute("open", "");
    return row?.form?.setFault(name, message) ?? false;
  }

  /** @private @param {string} name */
  checkForm(name) {
    const row = this.rows.get(name);
    if (!row?.form || row.form.validate()) return true;
    row.details?.setAttribute("open", "");
    row.form.validate(); // again: what was hidden could not be focused
    return false;
  }

  /** @private @param {boolean} checked */
  none(checked) {
    const input = h("input", { type: "radio", name: this.group, value: "", checked });
    return h("label", { class: "choice" }, input, h("span", { class: "title", t: "choice.none" }));
  }

  /** @private @param {Provider} provider @param {boolean} checked */
  row(provider, checked) {
    const id = uniqueId(provider.name);
    const type = this.wish.multiple ? "checkbox" : "radio";
    const input = h("input", { type, name: this.group, id, value: provider.name, checked, disabled: !provider.allowed });
    const form = hasOptions(provider) ? new SchemaForm(provider.options_schema, this.wish.options[provider.name]) : null;
    const details = form && h("details", { class: "options", hidden: true }, h("summary", { t: "choice.options" }), form);
    this.rows.set(provider.name, { input, form, details });
    const label = h("label", { for: id, class: "choice" }, input, ...description(provider));
    return h("div", { class: provider.allowed ? "choice-row" : "choice-row disabled" }, label, details);
  }

  /** @private */
  showForms() {
    for (const { input, details } of this.rows.values()) if (details) details.hidden = !input.checked;
  }
}

/** @param {Provider} provider */
function hasOptions(provider) {
  return provider.allowed && Object.keys(provider.options_schema.properties ?? {}).length > 0;
}

/** @param {Provider} provider */
function description(provider) {
  const facts = h(
    "span",
    { class: "facts" },
    provider.leaves_host ? h("span", { class: "tag warning", t: "choice.leaves-host" }) : null,
    provider.protects_privacy ? h("span", { class: "tag good", t: "choice.privacy" }) : null,
    h("span", { class: "muted small", t: "choice.licence", tParams: { licence: provider.licence } }),
  );
  const reason = provider.allowed
    ? null
    : h("span", { class: "reason", t: "choice.not-allowed", tParams: { reason: provider.reason ?? "" } });
  return [h("span", { class: "title" }, h("span", {}, provider.title), facts, reason)];
}

customElements.define("vmeet-choice", ProviderChoice);
