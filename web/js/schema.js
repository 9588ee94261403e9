/** What a form needs to know of a JSON schema as pydantic writes it: references, alternatives with null, limits. */

/** @typedef {import("./types.js").Schema} Schema */

/**
 * @typedef {object} FieldSchema
 * @property {string} name
 * @property {"number" | "integer" | "string" | "boolean" | "choice" | "group"} kind
 * @property {boolean} nullable
 * @property {boolean} required
 * @property {Schema} schema references resolved
 * @property {unknown} fallback the default
 * @property {unknown[]} choices for kind "choice"
 * @property {FieldSchema[]} fields for kind "group"
 */

const DEEPEST = 8; // a schema may refer to itself

/**
 * The fields of an object schema, in order; what no form can express keeps its default and is left out.
 * @param {Schema} schema
 * @param {Schema} [root]
 * @param {number} [depth]
 * @returns {FieldSchema[]}
 */
export function fieldsOf(schema, root = schema, depth = 0) {
  const required = new Set(schema.required ?? []);
  const fields = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const field = depth < DEEPEST ? fieldOf(name, property, root, depth) : null;
    if (field) fields.push({ ...field, required: required.has(name) });
  }
  return fields;
}

/** @param {string} name @param {Schema} property @param {Schema} root @param {number} depth
 *  @returns {FieldSchema | null} */
function fieldOf(name, property, root, depth) {
  const { schema, nullable } = resolve(property, root);
  const kind = kindOf(schema);
  if (!kind) return null;
  const fields = kind === "group" ? fieldsOf(schema, root, depth + 1) : [];
  const choices = kind === "choice" ? choicesOf(schema, root) : [];
  return { name, kind, nullable, required: false, schema, fallback: schema.default, choices, fields };
}

/**
 * Follows references and looks through `X or null`.
 * @param {Schema} schema
 * @param {Schema} root
 * @returns {{schema: Schema, nullable: boolean}}
 */
export function resolve(schema, root) {
  let current = schema;
  let nullable = false;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const { $ref, allOf, anyOf, ...own } = current;
    const alternatives = anyOf?.filter((each) => each.type !== "null") ?? [];
    if ($ref) current = { ...(referenced($ref, root) ?? {}), ...own };
    else if (allOf?.length === 1) current = { ...allOf[0], ...own };
    else if (anyOf && alternatives.length === 1) {
      nullable ||= alternatives.length < anyOf.length;
      current = { ...alternatives[0], ...own };
    } else break;
  }
  return { schema: current, nullable };
}

/** @param {string} reference @param {Schema} root */
function referenced(reference, root) {
  return root.$defs?.[reference.replace("#/$defs/", "")];
}

/** @param {Schema} schema @returns {FieldSchema["kind"] | null} */
function kindOf(schema) {
  if (schema.enum || schema.const !== undefined || schema.anyOf?.every((each) => each.const !== undefined)) return "choice";
  if (schema.type === "object" && schema.properties) return "group";
  const simple = /** @type {const} */ (["number", "integer", "string", "boolean"]);
  return simple.find((kind) => kind === schema.type) ?? null;
}

/** @param {Schema} schema @param {Schema} root */
function choicesOf(schema, root) {
  if (schema.enum) return schema.enum;
  if (schema.const !== undefined) return [schema.const];
  return (schema.anyOf ?? []).map((each) => resolve(each, root).schema.const);
}

/** The limits of a number, inclusive where a slider needs them. @param {Schema} schema */
export function limitsOf(schema) {
  const step = schema.multipleOf ?? (schema.type === "integer" ? 1 : undefined);
  const whole = schema.type === "integer" ? 1 : 0;
  return {
    minimum: schema.minimum ?? (schema.exclusiveMinimum === undefined ? undefined : schema.exclusiveMinimum + whole),
    maximum: schema.maximum ?? (schema.exclusiveMaximum === undefined ? undefined : schema.exclusiveMaximum - whole),
    step,
  };
}

/** @typedef {{key: import("./i18n.js").Key, params?: import("./i18n.js").Params}} Fault */

/**
 * What is wrong with the text of a number field; null when nothing is.
 * @param {FieldSchema} field
 * @param {string} text
 * @returns {Fault | null}
 */
export function numberFault(field, text) {
  const { schema } = field;
  if (!text.trim()) return field.nullable ? null : { key: "schema.required" };
  const value = Number(text);
  if (!Number.isFinite(value)) return { key: "schema.number" };
  if (field.kind === "integer" && !Number.isInteger(value)) return { key: "schema.integer" };
  if (schema.minimum !== undefined && value < schema.minimum) return limit("schema.minimum", schema.minimum);
  if (schema.maximum !== undefined && value > schema.maximum) return limit("schema.maximum", schema.maximum);
  if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum) return limit("schema.above", schema.exclusiveMinimum);
  if (schema.exclusiveMaximum !== undefined && value >= schema.exclusiveMaximum) return limit("schema.below", schema.exclusiveMaximum);
  return null;
}

/** @param {FieldSchema} field @param {string} text @returns {Fault | null} */
export function textFault(field, text) {
  const { schema } = field;
  if (!text) return field.nullable || !(field.required || schema.minLength) ? null : { key: "schema.required" };
  const length = Array.from(text).length;
  if (schema.minLength !== undefined && length < schema.minLength) return limit("schema.too-short", schema.minLength);
  if (schema.maxLength !== undefined && length > schema.maxLength) return limit("schema.too-long", schema.maxLength);
  return schema.pattern && !matches(schema.pattern, text) ? { key: "schema.pattern" } : null;
}

/** Whether an object schema takes this value of a field; what no form can express is not known. @param {Schema} schema
 *  @param {string} name @param {unknown} value */
export function takes(schema, name, value) {
  const field = fieldsOf(schema).find((each) => each.name === name);
  if (!field) return false;
  if (value === null || value === undefined) return field.nullable;
  switch (field.kind) {
    case "boolean": return typeof value === "boolean";
    case "choice": return field.choices.includes(value);
    case "string": return typeof value === "string" && !textFault(field, value);
    case "group": return typeof value === "object";
    default: return typeof value === "number" && !numberFault(field, String(value));
  }
}

/** A pattern that this browser cannot read is left to the server. @param {string} pattern @param {string} text */
function matches(pattern, text) {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

/** @param {import("./i18n.js").Key} key @param {number} value @returns {Fault} */
function limit(key, value) {
  return { key, params: { limit: value } };
}
