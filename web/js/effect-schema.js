/** How the options of an effect are laid out: what is chosen from pictures, what is shown, what is for the few. No DOM. */

import { fieldsOf } from "./schema.js";

/** @typedef {import("./types.js").Schema} Schema */

/** @typedef {{schema: Schema, names: string[]}} Part of the options, as a schema of its own */
/**
 * @typedef {object} Layout
 * @property {boolean} picks whether the background is chosen from pictures
 * @property {Part} main
 * @property {Part} advanced
 */

const EFFECTS = ["blur", "replace"];
const PICKED = ["effect", "background"];
/** @type {readonly string[]} of the effects behind a person: few know what they are, and the defaults are good */
const ADVANCED = ["feather", "light_wrap", "smoothing"];
/** @type {readonly string[]} without a meaning while something replaces the room */
const BLUR_ALONE = ["strength"];
const COLOUR = "#20603c";

/** @param {Schema} schema @returns {Layout} */
export function layoutOf(schema) {
  const picks = hasBackground(schema);
  const names = fieldsOf(schema).map((field) => field.name);
  const advanced = picks ? names.filter((name) => ADVANCED.includes(name)) : [];
  const main = names.filter((name) => !advanced.includes(name) && !(picks && PICKED.includes(name)));
  return { picks, main: part(schema, main), advanced: part(schema, advanced) };
}

/** Options that mean something only while the room is blurred. @param {Part} part @param {boolean} blurs @returns {Part} */
export function partWhile({ schema, names }, blurs) {
  return blurs ? { schema, names } : part(schema, names.filter((name) => !BLUR_ALONE.includes(name)));
}

/** Whether it has a background to choose, as `EffectOptions` has: a colour or the name of a picture. @param {Schema} schema */
function hasBackground(schema) {
  const fields = new Map(fieldsOf(schema).map((field) => [field.name, field]));
  const [effect, background] = [fields.get("effect"), fields.get("background")];
  if (effect?.kind !== "choice" || !EFFECTS.every((each) => effect.choices.includes(each))) return false;
  const pattern = background?.kind === "string" ? background.schema.pattern : undefined;
  return pattern !== undefined && matches(pattern, COLOUR) && matches(pattern, "studio");
}

/** @param {string} pattern @param {string} text */
function matches(pattern, text) {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false;
  }
}

/** @param {Schema} schema @param {string[]} names @returns {Part} */
function part(schema, names) {
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => names.includes(name)));
  return { schema: { ...schema, properties, required: (schema.required ?? []).filter((name) => names.includes(name)) }, names };
}
