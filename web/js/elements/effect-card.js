import { fill, h, uniqueId } from "../dom.js";
import { layoutOf, partWhile } from "../effect-schema.js";
import { isKey, t } from "../i18n.js";
import { icon } from "../icons.js";
import { SchemaForm } from "../schema-form.js";
import { BackgroundPicker } from "./background-picker.js";

/** @typedef {import("../effect-control.js").EffectControl} EffectControl */
/** @typedef {import("../types.js").EffectOffer} EffectOffer */
/** @typedef {import("../effect-schema.js").Part} Part */
/** @typedef {import("../types.js").Schema} Schema */

/** One live effect: its switch, its options, and the way back to what the meeting has. */
export class EffectCard extends HTMLElement {
  /** @param {EffectControl} [effects] @param {EffectOffer} [offer] @param {string} [meetingId] */
  constructor(effects, offer, meetingId = "") {
    super();
    this.effects = effects ?? null;
    this.offer = offer ?? null;
    this.meetingId = meetingId;
    this.titleId = uniqueId("effect");
    this.layout = layoutOf(offer?.options_schema ?? {});
    /** @type {HTMLInputElement | null} */
    this.switch = null;
    /** @type {BackgroundPicker | null} */
    this.picker = null;
    this.forms = h("div", { class: "effect-forms" });
    this.back = h("button", { type: "button", class: "quiet small", t: "effects.reset", "data-testid": "effect-reset", onclick: () => this.reset() });
    this.blurred = false;
    this.wishesChanged = () => this.show();
    this.refused = () => this.build();
  }

  connectedCallback() {
    if (!this.offer) return;
    this.dataset.testid = "effect";
    this.dataset.effect = this.offer.name;
    this.setAttribute("role", "group");
    this.setAttribute("aria-labelledby", this.titleId);
    this.effects?.addEventListener("wishes", this.wishesChanged);
    this.effects?.addEventListener("told", this.wishesChanged);
    this.effects?.addEventListener("refused", this.refused);
    this.build();
  }

  disconnectedCallback() {
    this.effects?.removeEventListener("wishes", this.wishesChanged);
    this.effects?.removeEventListener("told", this.wishesChanged);
    this.effects?.removeEventListener("refused", this.refused);
  }

  /** @private */
  build() {
    const { effects, offer } = this;
    if (!effects || !offer) return;
    this.switch = effects.mayTurn ? this.switchFor(effects, offer) : null;
    this.picker = effects.mayChange && this.layout.picks ? this.pickerFor(effects, offer) : null;
    const title = h("h4", { id: this.titleId }, titleOf(offer));
    fill(
      this,
      h("div", { class: "effect-head" }, title, this.switch),
      offer.protects_privacy ? h("p", { class: "effect-privacy" }, icon("shield"), h("span", { t: "effects.privacy" })) : null,
      effects.mayChange && !effects.mayTurn ? h("p", { class: "muted small", t: "effects.always-on" }) : null,
      this.picker,
      effects.mayChange ? this.forms : null,
      effects.mayChange ? this.back : null,
    );
    if (effects.mayChange) this.buildForms(effects, offer);
    this.show();
  }

  /** Anew where other options have a meaning now. @private @param {EffectControl} effects @param {EffectOffer} offer */
  buildForms(effects, offer) {
    const { picks, main, advanced } = this.layout;
    this.blurred = !picks || effects.optionsOf(offer).effect !== "replace";
    const values = effects.optionsOf(offer);
    const few = this.form(advanced, values);
    fill(
      this.forms,
      this.form(partWhile(main, this.blurred), values),
      few && h("details", { "data-testid": "effect-advanced" }, h("summary", { t: "effects.advanced" }), few),
    );
  }

  /** @private @param {Part} part @param {Record<string, unknown>} values */
  form(part, values) {
    if (!part.names.length || !this.offer) return null;
    const form = new SchemaForm(worded(part.schema, this.offer, this.layout.picks), values);
    const changed = (/** @type {Event} */ event) => this.optionsChanged(event, form);
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    return form;
  }

  /** What is typed counts when it is whole. @private @param {Event} event @param {SchemaForm} form */
  optionsChanged(event, form) {
    const { effects, offer } = this;
    const typed = event.target instanceof HTMLInputElement && event.target.type === "text" && event.type === "input";
    if (typed || !effects || !offer) return;
    const before = effects.optionsOf(offer);
    const changed = Object.entries(form.rightValues).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]));
    if (changed.length) effects.set(offer, { options: Object.fromEntries(changed) });
  }

  /** @private @param {EffectControl} effects @param {EffectOffer} offer */
  switchFor(effects, offer) {
    const turn = () => effects.set(offer, { on: control.checked });
    const control = h("input", { type: "checkbox", role: "switch", class: "switch", "aria-labelledby": this.titleId, "data-testid": "effect-switch", onchange: turn });
    return control;
  }

  /** @private @param {EffectControl} effects @param {EffectOffer} offer */
  pickerFor(effects, offer) {
    const picker = new BackgroundPicker(this.meetingId, effects.mayTurn);
    picker.addEventListener("vmeet-pick", (event) => {
      const pick = /** @type {CustomEvent<import("./background-picker.js").Pick>} */ (event).detail;
      const on = effects.mayTurn ? { on: pick.effect !== "none" } : {};
      effects.set(offer, pick.effect === "none" ? on : { ...on, options: pick });
    });
    return picker;
  }

  /** @private */
  show() {
    const { effects, offer } = this;
    if (!effects || !offer) return;
    const on = effects.isOn(offer);
    const options = effects.optionsOf(offer);
    if (this.switch) this.switch.checked = on;
    this.toggleAttribute("data-changing", effects.isChanging(offer));
    this.picker?.show(on ? { effect: options.effect === "replace" ? "replace" : "blur", background: String(options.background ?? "") } : { effect: "none" });
    this.forms.hidden = !on;
    this.back.hidden = !effects.isChanged(offer);
    if (effects.mayChange && this.layout.picks && this.blurred !== (options.effect !== "replace")) this.buildForms(effects, offer);
  }

  /** @private */
  reset() {
    const { effects, offer } = this;
    if (!effects || !offer) return;
    effects.reset(offer);
    this.build();
    (this.switch ?? this.querySelector("input"))?.focus(); // the button is gone
  }
}

/** In the language of the page where we know it. @param {{name: string, title: string}} effect */
export function titleOf({ name, title }) {
  const key = `effects.title-${name}`;
  return isKey(key) ? t(key) : title;
}

/** With titles and descriptions in the language of the page where we know them. @param {Schema} schema
 *  @param {EffectOffer} offer @param {boolean} picks @returns {Schema} */
function worded(schema, offer, picks) {
  const group = picks ? "mask" : offer.name;
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const [title, hint] = [`option.${group}-${name}`, `option.${group}-${name}-hint`];
    const words = { ...(isKey(title) ? { title: t(title) } : {}), ...(isKey(hint) ? { description: t(hint) } : {}) };
    return [name, { ...property, ...words }];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

customElements.define("vmeet-effect", EffectCard);
