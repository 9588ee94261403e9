import { h, uniqueId } from "./dom.js";
import { say } from "./i18n.js";
import { fieldsOf, limitsOf, numberFault, textFault } from "./schema.js";

/** @typedef {import("./types.js").Schema} Schema */
/** @typedef {import("./schema.js").FieldSchema} FieldSchema */
/** @typedef {import("./schema.js").Fault} Fault */
/** @typedef {{element: HTMLElement, read: () => unknown, fault: () => Fault | null, focus: () => void}} Control */

/** A form made from a JSON schema. `value` is what it holds, `validate()` shows what is wrong and says whether all is well. */
export class SchemaForm extends HTMLElement {
  /** @param {Schema} [schema] @param {Record<string, unknown>} [values] over the defaults */
  constructor(schema = {}, values = {}) {
    super();
    this.fields = fieldsOf(schema).map((field) => new FormField(field, values[field.name]));
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(...this.fields.map((field) => field.element));
    if (!this.fields.length) this.append(h("p", { class: "muted", t: "home.no-options" }));
  }

  /** @returns {Record<string, unknown>} */
  get value() {
    return Object.fromEntries(this.fields.map((field) => [field.schema.name, field.read()]));
  }

  /** Moves the focus to the first wrong field. */
  validate() {
    const wrong = this.fields.filter((field) => !field.check());
    wrong[0]?.focus();
    return !wrong.length;
  }

  /** What is right so far; a field that is wrong says so and is left out. @returns {Record<string, unknown>} */
  get rightValues() {
    const right = this.fields.filter((field) => field.check());
    return Object.fromEntries(right.map((field) => [field.schema.name, field.read()]));
  }

  /** Shows what the server said of a field. @param {string} name @param {string} message */
  setFault(name, message) {
    const field = this.fields.find((each) => each.schema.name === name);
    field?.showText(message);
    field?.focus();
    return Boolean(field);
  }
}

/** One labelled control with its description and its fault. */
class FormField {
  /** @param {FieldSchema} schema @param {unknown} value */
  constructor(schema, value) {
    this.schema = schema;
    const id = uniqueId("option");
    this.control = controlFor(schema, value === undefined ? schema.fallback : value, id, () => this.check());
    this.invalid = h("p", { class: "invalid", id: `${id}-fault`, role: "alert", hidden: true });
    const description = schema.schema.description;
    const hint = description ? h("p", { class: "hint", id: `${id}-hint` }, description) : null;
    const target = this.control.element.id === id ? this.control.element : this.control.element.querySelector(`[id="${id}"]`);
    target?.setAttribute("aria-describedby", `${hint ? `${id}-hint ` : ""}${id}-fault`);
    this.target = target;
    this.element = this.wrap(id, schema.schema.title ?? schema.name, hint);
    this.element.dataset.field = schema.name;
  }

  /** @private @param {string} id @param {string} title @param {HTMLElement | null} hint */
  wrap(id, title, hint) {
    if (this.schema.kind === "group") {
      return h("fieldset", { class: "field group" }, h("legend", {}, title), hint, this.control.element);
    }
    if (this.schema.kind === "boolean" && !this.schema.nullable) {
      const label = h("label", { class: "check", for: id }, this.control.element, h("span", {}, title));
      return h("div", { class: "field" }, label, hint, this.invalid);
    }
    return h("div", { class: "field" }, h("label", { for: id }, title), this.control.element, hint, this.invalid);
  }

  read() {
    return this.control.read();
  }

  focus() {
    this.control.focus();
  }

  check() {
    const fault = this.control.fault();
    const shown = fault === NESTED ? null : fault;
    this.invalid.hidden = !shown;
    this.target?.setAttribute("aria-invalid", String(Boolean(shown)));
    if (shown) say(this.invalid, shown.key, shown.params);
    return !fault;
  }

  /** @param {string} message */
  showText(message) {
    this.invalid.hidden = false;
    delete this.invalid.dataset.t;
    this.invalid.textContent = message;
    this.target?.setAttribute("aria-invalid", "true");
  }
}

/** @type {Fault} the fault is shown at a field inside */
const NESTED = { key: "schema.required" };

/** @param {FieldSchema} field @param {unknown} value @param {string} id @param {() => void} check @returns {Control} */
function controlFor(field, value, id, check) {
  switch (field.kind) {
    case "boolean": return field.nullable ? choiceControl(field, [true, false], value, id) : checkControl(value, id);
    case "choice": return choiceControl(field, field.choices, value, id);
    case "group": return groupControl(field, value, id);
    case "string": return textControl(field, value, id, check);
    default: return numberControl(field, value, id, check);
  }
}

/** @param {unknown} value @param {string} id @returns {Control} */
function checkControl(value, id) {
  const element = h("input", { type: "checkbox", id });
  element.checked = value === true;
  return { element, read: () => element.checked, fault: () => null, focus: () => element.focus() };
}

/** @param {FieldSchema} field @param {unknown[]} choices @param {unknown} value @param {string} id @returns {Control} */
function choiceControl(field, choices, value, id) {
  const all = field.nullable ? [null, ...choices] : choices;
  const options = all.map((choice, index) => {
    const option = h("option", { value: index, selected: choice === value });
    if (choice === null) say(option, "schema.unset");
    else option.textContent = String(choice);
    return option;
  });
  const element = h("select", { id }, ...options);
  return { element, read: () => all[element.selectedIndex], fault: () => null, focus: () => element.focus() };
}

/** @param {FieldSchema} field @param {unknown} value @param {string} id @returns {Control} */
function groupControl(field, value, id) {
  const values = /** @type {Record<string, unknown>} */ (value && typeof value === "object" ? value : {});
  const inner = field.fields.map((each) => new FormField(each, values[each.name]));
  const element = h("div", { id, class: "group-fields" }, ...inner.map((each) => each.element));
  return {
    element,
    read: () => Object.fromEntries(inner.map((each) => [each.schema.name, each.read()])),
    fault: () => (inner.map((each) => each.check()).every(Boolean) ? null : NESTED),
    focus: () => inner.find((each) => each.control.fault())?.focus(),
  };
}

/** @param {FieldSchema} field @param {unknown} value @param {string} id @param {() => void} check @returns {Control} */
function textControl(field, value, id, check) {
  const element = h("input", { type: "text", id, value: value ?? "", onchange: check });
  const read = () => (field.nullable && !element.value ? null : element.value);
  return { element, read, fault: () => textFault(field, element.value), focus: () => element.focus() };
}

/** A number; with two limits, a slider beside it that follows. @param {FieldSchema} field @param {unknown} value
 *  @param {string} id @param {() => void} check @returns {Control} */
function numberControl(field, value, id, check) {
  const { minimum, maximum, step } = limitsOf(field.schema);
  // A text field: a number field would say "" for what it cannot read, and hide from us what was typed.
  const input = h("input", { type: "text", inputmode: "decimal", id, value: value ?? "", onchange: check });
  const control = {
    read: () => (input.value.trim() ? Number(input.value) : null),
    fault: () => numberFault(field, input.value),
    focus: () => input.focus(),
  };
  if (minimum === undefined || maximum === undefined || field.nullable) return { element: input, ...control };
  const slider = h("input", { type: "range", min: minimum, max: maximum, step: step ?? sliderStep(maximum - minimum), "aria-hidden": "true", tabindex: -1 });
  slider.value = input.value;
  slider.addEventListener("input", () => {
    input.value = slider.value;
    check();
  });
  input.addEventListener("input", () => (slider.value = input.value));
  return { element: h("div", { class: "slider" }, slider, input), ...control };
}

/** About a hundred round steps. @param {number} range */
function sliderStep(range) {
  return 10 ** Math.floor(Math.log10(range / 50));
}

customElements.define("vmeet-schema-form", SchemaForm);
