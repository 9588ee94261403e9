import { fill, h, uniqueId } from "../dom.js";
import { ProviderChoice } from "./provider-choice.js";
import { SpeechChoices } from "./speech-choices.js";

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
  { field: "live_transcriber", kind: "transcribers", multiple: false, always: false },
  { field: "video_enhancer", kind: "video_enhancers", multiple: false, always: true },
  { field: "frame_filters", kind: "frame_filters", multiple: true, always: true },
];

/** @type {readonly string[]} choices that need to know how what is said is to be written down */
const TRANSCRIBERS = ["transcriber", "live_transcriber"];
/** @type {readonly string[]} choices of which people may change something for themselves */
const LIVE_FIELDS = ["frame_filters", "live_denoiser"];
/** @type {("" | Layout)[]} */
const LAYOUTS = ["", "grid", "speaker"];
/** @type {PeopleMayChange[]} */
const MAY_CHANGE = ["everything", "options", "nothing"];

/** The choice of plugin of every kind that has any, as a preset gives it and as the person changes it. */
export class PluginChoices extends HTMLElement {
  /** @param {Choices} [choices] @param {string[]} [fields] only these, as far as the server acts on them */
  constructor(choices, fields) {
    super();
    this.choices = choices ?? { presets: {}, providers: {}, problems: [] };
    const { fields: known } = this.choices;
    const offered = fields && known ? fields.filter((field) => known.includes(field)) : (fields ?? known);
    this.offered = FIELDS.filter(({ field, always }) => (offered ? offered.includes(field) : always));
    /** @type {ProviderChoice[]} */
    this.shown = [];
    this.speech = new SpeechChoices(known);
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
    this.addEventListener("change", () => this.showDependent());
  }

  connectedCallback() {
    queueMicrotask(() => this.showDependent()); // the choices inside are built after this
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
    this.speech.show(preset);
    const last = this.shown.findLast((choice) => TRANSCRIBERS.includes(choice.wish.field));
    const shown = this.shown.flatMap((choice) => (choice === last ? [choice, this.speech] : [choice]));
    fill(this, ...shown, this.layoutField, this.freedomField);
    this.showDependent();
  }

  /** Asked only where there is something to change. @private */
  showDependent() {
    const recorded = this.chosenOf("transcriber");
    this.speech.offer(recorded ?? this.chosenOf("live_transcriber"), Boolean(recorded && this.chosenOf("denoiser")));
    const live = this.shown.filter((choice) => LIVE_FIELDS.includes(choice.wish.field));
    this.freedomField.hidden = !live.some((choice) => choice.names.length);
  }

  /** @private @param {string} field @returns {Provider | null} */
  chosenOf(field) {
    const choice = this.shown.find(({ wish }) => wish.field === field);
    return choice?.wish.providers.find(({ name }) => name === choice.names[0]) ?? null;
  }

  /** @returns {ChosenPlugins} */
  get value() {
    const chosen = Object.fromEntries(this.shown.map((choice) => [choice.wish.field, choice.value]));
    const options = Object.assign({}, ...this.shown.map((choice) => choice.options));
    const freedom = this.freedomField.hidden ? {} : { people_may_change: /** @type {PeopleMayChange} */ (this.freedom.value) };
    const layout = this.layout.value ? { layout: /** @type {Layout} */ (this.layout.value) } : {};
    return { ...chosen, ...layout, ...freedom, ...this.speech.value, options };
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
}

customElements.define("vmeet-plugin-choices", PluginChoices);
