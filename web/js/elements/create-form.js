import { api, ApiError } from "../api.js";
import { fill, h, uniqueId } from "../dom.js";
import { isKey, say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { remembered } from "../storage.js";
import { failureBox } from "./failure.js";
import { PluginChoices } from "./plugin-choices.js";

/** @typedef {import("../types.js").Choices} Choices */
/** @typedef {import("../types.js").Meeting} Meeting */

const MAX_TITLE_CHARS = 120;

/** Creates a meeting, then shows its link. */
export class CreateForm extends HTMLElement {
  /** @param {Choices} [choices] */
  constructor(choices) {
    super();
    this.choices = choices ?? { presets: {}, providers: {}, problems: [] };
    this.name = h("input", { type: "text", id: uniqueId("title"), maxlength: MAX_TITLE_CHARS, "data-testid": "title", tPlaceholder: "home.create-placeholder" });
    this.preset = h("select", { id: uniqueId("preset"), "data-testid": "preset", onchange: () => this.showPreset() });
    this.plugins = new PluginChoices(this.choices);
    this.failure = h("div", {});
    this.button = h("button", { type: "submit", class: "primary large", t: "home.create-button", "data-testid": "create" });
  }

  connectedCallback() {
    if (!this.childElementCount) this.showForm();
  }

  /** @private */
  showForm() {
    const presets = Object.keys(this.choices.presets);
    this.preset.replaceChildren(...presets.map(presetOption));
    const choosePreset = h("div", { class: "field", hidden: presets.length < 2 }, h("label", { for: this.preset.id, t: "home.preset" }), this.preset);
    const more = h("details", { class: "more-options", "data-testid": "processing-options" }, h("summary", { t: "home.options" }), this.plugins);
    this.showPreset();
    more.hidden = this.plugins.isEmpty;
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.create();
    };
    const form = h("form", { onsubmit: submit, novalidate: true });
    form.append(
      h("div", { class: "field" }, h("label", { for: this.name.id, t: "home.create-title" }), this.name),
      choosePreset,
      more,
      this.failure,
      this.button,
    );
    fill(this, h("h2", { t: "home.create" }), form);
  }

  /** @private */
  showPreset() {
    this.plugins.show(this.choices.presets[this.preset.value] ?? {});
  }

  /** @private */
  async create() {
    if (!this.plugins.validate()) return;
    this.busy(true);
    try {
      const title = this.name.value.trim() || t("home.default-title");
      const wish = { title, preset: this.preset.value, choices: this.plugins.value };
      this.created(await api.createMeeting(wish));
    } catch (error) {
      this.failed(error);
    }
    this.busy(false);
  }

  /** @private @param {unknown} error */
  failed(error) {
    const field = error instanceof ApiError ? (error.field ?? "") : "";
    if (error instanceof ApiError && error.code === "key-needed") {
      this.dispatchEvent(new CustomEvent("vmeet-key-needed", { bubbles: true }));
    } else if (!this.plugins.setFault(field, error instanceof Error ? error.message : "")) {
      fill(this.failure, failureBox(error));
    }
  }

  /** @private @param {boolean} busy */
  busy(busy) {
    this.button.disabled = busy;
    say(this.button, busy ? "home.creating" : "home.create-button");
    if (busy) fill(this.failure);
  }

  /** @private @param {Meeting} meeting */
  created(meeting) {
    if (meeting.host_key) remembered.setHostKey(meeting.id, meeting.host_key);
    const path = meeting.url ?? `/m/${encodeURIComponent(meeting.id)}`;
    const heading = h("h2", { tabindex: -1, t: "home.created" });
    fill(
      this,
      h("div", { class: "created", "data-testid": "created" }, heading, h("p", { class: "title" }, meeting.title), linkRow(location.origin + path)),
      h("p", { class: "muted", t: "home.created-hint" }),
      h("a", { class: "button primary large", href: path, t: "home.enter", "data-testid": "enter" }),
      h("button", { type: "button", class: "quiet", t: "home.another", onclick: () => this.showForm() }),
    );
    heading.focus();
  }
}

/** @param {string} name */
function presetOption(name) {
  const key = `home.preset-${name}`;
  const option = h("option", { value: name }, name);
  if (isKey(key)) say(option, key);
  return option;
}

/** @param {string} link */
export function linkRow(link) {
  const input = h("input", { type: "text", readonly: true, value: link, class: "link", "data-testid": "link", tLabel: "call.link" });
  input.addEventListener("focus", () => input.select());
  const text = h("span", { t: "copy" });
  const sign = h("span", { class: "sign" }, icon("copy"));
  const copy = async () => {
    input.select();
    await navigator.clipboard?.writeText(link).catch(() => {});
    fill(sign, icon("check"));
    say(text, "copied");
  };
  return h("div", { class: "link-row" }, input, h("button", { type: "button", "aria-live": "polite", "data-testid": "copy", onclick: copy }, sign, text));
}

customElements.define("vmeet-create", CreateForm);
