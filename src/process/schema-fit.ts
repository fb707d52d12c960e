/**
 * Checks whether one schema's values can fit another schema, before anything runs. Both are JSON Schema.
 *
 * FIT1 Only a certain mismatch is reported. The check at run time finds the rest.
 * FIT2 Between stages of a pipeline (`every`), a possible mismatch is reported as well. Examples are a required key
 *      that may be missing, and a form or word that is not accepted. Anything that a schema does not define stays open.
 */

export interface Shape {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Shape[];
  oneOf?: Shape[];
  items?: Shape | Shape[];
  properties?: Record<string, Shape>;
  required?: string[];
  additionalProperties?: Shape | boolean;
  [other: string]: unknown;
}

export interface Misfit {
  path: (string | number)[];
  expected: string;
  found: string;
}

const depthMax = 20;

/** `some`: one fitting value is enough (FIT1). `every`: each value must fit (FIT2). */
export type Fit = "some" | "every";

export function misfits(
  from: Shape | boolean | undefined,
  to: Shape | boolean | undefined,
  fit: Fit = "some",
  path: Misfit["path"] = [],
): Misfit[] {
  if (typeof from !== "object" || typeof to !== "object" || path.length > depthMax) return [];
  const given = from.anyOf ?? from.oneOf;
  if (given !== undefined) {
    const each = given.map((one) => misfits(one, to, fit, path));
    if (fit === "every") return each.find((found) => found.length > 0) ?? [];
    return each.length > 0 && each.every((found) => found.length > 0) ? (each[0] as Misfit[]) : [];
  }
  const taken = to.anyOf ?? to.oneOf;
  if (taken !== undefined) {
    const each = taken.map((one) => misfits(from, one, fit, path));
    if (each.some((found) => found.length === 0)) return [];
    return [{ path, expected: taken.map(shapeInWords).join(" or "), found: shapeInWords(from) }];
  }
  const values = valuesOf(from);
  const allowed = valuesOf(to);
  const misfit = { path, expected: shapeInWords(to), found: shapeInWords(from) };
  if (values !== null && allowed !== null && !values[fit]((one) => allowed.includes(one))) return [misfit];
  const [types, wanted] = [typesOf(from), typesOf(to)];
  if (types !== null && wanted !== null && !types[fit]((one) => wanted.some((other) => meets(one, other))))
    return [misfit];
  // The source allows any text, but the target accepts only some.
  if (fit === "every" && values === null && allowed !== null && types !== null) return [misfit];
  return [...objectMisfits(from, to, fit, path), ...listMisfits(from, to, fit, path)];
}

function objectMisfits(from: Shape, to: Shape, fit: Fit, path: Misfit["path"]): Misfit[] {
  const certain = new Set(from.required ?? []);
  const keys = new Set([...(to.required ?? []), ...Object.keys(to.properties ?? {}), ...certain]);
  return [...keys].flatMap((key): Misfit[] => {
    const given = own(from.properties, key);
    const taken = own(to.properties, key);
    const needed = to.required?.includes(key) === true;
    if (given === undefined)
      return needed && from.additionalProperties === false
        ? [{ path: [...path, key], expected: shapeInWords(taken ?? {}), found: "nothing" }]
        : [];
    if (taken === undefined)
      return to.additionalProperties === false && to.properties !== undefined && certain.has(key)
        ? [{ path: [...path, key], expected: "no such key", found: shapeInWords(given) }]
        : [];
    if (fit === "every" && needed && !certain.has(key))
      return [
        { path: [...path, key], expected: shapeInWords(taken), found: `${shapeInWords(given)} that may be missing` },
      ];
    return fit === "every" || needed || certain.has(key) ? misfits(given, taken, fit, [...path, key]) : [];
  });
}

function listMisfits(from: Shape, to: Shape, fit: Fit, path: Misfit["path"]): Misfit[] {
  // A list may be empty, so its entries never make a mismatch certain, unless the list needs an entry.
  const { minItems } = from;
  if (fit === "some" && (typeof minItems !== "number" || minItems < 1)) return [];
  return Array.isArray(from.items) || Array.isArray(to.items) ? [] : misfits(from.items, to.items, fit, [...path, 0]);
}

function own(properties: Record<string, Shape> | undefined, key: string): Shape | undefined {
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function valuesOf({ const: only, enum: values }: Shape): unknown[] | null {
  return values ?? (only === undefined ? null : [only]);
}

function typesOf(shape: Shape): string[] | null {
  if (shape.type !== undefined) return Array.isArray(shape.type) ? shape.type : [shape.type];
  const values = valuesOf(shape);
  return values === null ? null : [...new Set(values.map(typeOfValue))];
}

function meets(given: string, taken: string): boolean {
  return given === taken || (given === "integer" && taken === "number") || (given === "number" && taken === "integer");
}

function typeOfValue(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

const words: Record<string, string> = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  null: "null",
  array: "a list",
  object: "a map",
};

function shapeInWords(shape: Shape): string {
  const values = valuesOf(shape);
  if (values !== null) return values.map((value) => JSON.stringify(value)).join(" or ");
  const forms = shape.anyOf ?? shape.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(shapeInWords))].join(" or ");
  return (
    typesOf(shape)
      ?.map((type) => words[type] ?? type)
      .join(" or ") ?? "anything"
  );
}

/** A value for a message: short, on one line. */
export function valueInWords(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
