import { fill, h, uniqueId } from "../dom.js";
import { language } from "../i18n.js";
import { ProviderChoice } from "./provider-choice.js";

/** @typedef {import("../types.js").Layout} Layout */
/** @typedef {import("../types.js").PeopleMayChange} PeopleMayChange */
/** @typedef {import("../types.js").Choices} Choices */
/** @typedef {import("../types.js").ChosenPlugins} ChosenPlugins */
/** @typedef {import("../types.js").Kind} Kind */
/** @typedef {import("../types.js").Preset} Preset */
/** @typedef {import("../types.js").Provider} Provider */

/** @type {{field: keyof Preset & string, kind: Kind, multiple: boolean, always: boolean}[]} */
const FIELDS = [
  { field: "denoiser", kind: "denoisers", multiple: false, always: true },
  { field: "live_denoiser", kind: "denoisers", multiple: false, always: false },
  { field: "transcriber", kind: "transcribers", multiple: false, always: true },
  { field: "video_enhancer", kind: "video_enhancers", multiple: false, always: true },
  { field: "frame_filters", kind: "frame_filters", multiple: true, always: true },
];

/** @type {readonly string[]} choices of which people may change something for themselves */
const LIVE_FIELDS = ["frame_filters", "live_denoiser"];
/** @type {("" | Layout)[]} */
const LAYOUTS = ["", "grid", "speaker"];
/** @type {PeopleMayChange[]} */
const MAY_CHANGE = ["everything", "options", "nothing"];

/** The choice of plugin of every kind that has any, as a preset gives it and as the person changes it. */
export class PluginChoices extends HTMLElement {
  /** @param {Choices} [choices] @param {string[]} [fields] only these */
  constructor(choices, fields) {
    super();
    this.choices = choices ?? { presets: {}, providers: {}, problems: [] };
    const offered = fields ?? this.choices.fields;
    this.offered = FIELDS.filter(({ field, always }) => (offered ? offered.includes(field) : always));
    /** @type {ProviderChoice[]} */
    this.shown = [];
    /** @type {HTMLSelectElement | null} */
    this.spoken = null;
    this.freedom = h("select", { id: uniqueId("freedom"), "data-testid": "people-may-change" });
    this.freedomField = h(
      "div",
      { class: "field" },
      h("label", { for: this.freedom.id, t: "choice.people_may_change" }),
      this.freedom,
      h("p", { class: "hint", t: "choice.people_may_change-hint" }),
    );
    this.layout = h("select", { id: uniqueId("layout"), "data-testid": "layout" });
    this.hasLayout = (offered ?? []).includes("layout");
    this.layoutField = h(
      "div",
      { class: "field", hidden: !this.hasLayout },
      h("label", { for: this.layout.id, t: "choice.layout" }),
      this.layout,
      h("p", { class: "hint", t: "choice.layout-hint" }),
    );
    this.addEventListener("change", () => this.showFreedom());
  }

  connectedCallback() {
    queueMicrotask(() => this.showFreedom()); // the choices inside are built after this
  }

  /** @param {Preset} preset */
  show(preset) {
    this.shown = this.offered.flatMap(({ field, kind, multiple }) => {
      const providers = this.choices.providers[kind] ?? [];
      const chosen = [/** @type {any} */ (preset[field]) ?? []].flat();
      return providers.length ? [new ProviderChoice({ field, providers, multiple, chosen, options: preset.options ?? {} })] : [];
    });
    const allowed = preset.people_may_change ?? "everything";
    this.freedom.replaceChildren(
      ...MAY_CHANGE.map((each) => h("option", { value: each, selected: each === allowed, t: `choice.people_may_change-${each}` })),
    );
    this.layout.replaceChildren(
      ...LAYOUTS.map((each) => h("option", { value: each, selected: each === (preset.layout ?? ""), t: `choice.layout-${each || "default"}` })),
    );
    fill(this, ...this.shown, this.layoutField, this.freedomField, this.languageField(preset));
    this.showFreedom();
  }

  /** Asked only where there is something to change. @private */
  showFreedom() {
    const live = this.shown.filter((choice) => LIVE_FIELDS.includes(choice.wish.field));
    this.freedomField.hidden = !live.some((choice) => choice.names.length);
  }

  /** @returns {ChosenPlugins} */
  get value() {
    const chosen = Object.fromEntries(this.shown.map((choice) => [choice.wish.field, choice.value]));
    const options = Object.assign({}, ...this.shown.map((choice) => choice.options));
    const freedom = this.freedomField.hidden ? {} : { people_may_change: /** @type {PeopleMayChange} */ (this.freedom.value) };
    const layout = this.layout.value ? { layout: /** @type {Layout} */ (this.layout.value) } : {};
    return { ...chosen, ...layout, ...freedom, ...(this.spoken ? { language: this.spoken.value } : {}), options };
  }

  get isEmpty() {
    return !this.shown.length && !this.hasLayout;
  }

  validate() {
    return this.shown.map((choice) => choice.validate()).every(Boolean);
  }

  /** @param {string} path @param {string} message */
  setFault(path, message) {
    return this.shown.some((choice) => choice.setFault(path, message));
  }

  /** Only transcribers need to know the language. @private @param {Preset} preset */
  languageField(preset) {
    const usable = (this.choices.providers.transcribers ?? []).filter((each) => each.allowed);
    const tags = new Set(usable.flatMap((each) => each.languages ?? []));
    this.spoken = null;
    if (!usable.length || !this.shown.some((choice) => choice.wish.field === "transcriber")) return null;
    if (preset.language) tags.add(preset.language);
    tags.delete("auto");
    const id = uniqueId("language");
    const names = new Intl.DisplayNames(language(), { type: "language", fallback: "code" });
    const options = [...tags].map((tag) => h("option", { value: tag, selected: tag === preset.language }, names.of(tag) ?? tag));
    const auto = h("option", { value: "auto", selected: !preset.language || preset.language === "auto", t: "choice.language-auto" });
    this.spoken = h("select", { id }, auto, ...options);
    return h("div", { class: "field" }, h("label", { for: id, t: "choice.language" }), this.spoken);
  }
}

customElements.define("vmeet-plugin-choices", PluginChoices);
