/**
 * Whether what one schema gives can fit what another takes, told before anything runs. Both are JSON Schema.
 *
 * FT1 Only what can never fit is told; what may fit is left to the check at run time.
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

export function misfits(
  from: Shape | boolean | undefined,
  to: Shape | boolean | undefined,
  path: Misfit["path"] = [],
): Misfit[] {
  if (typeof from !== "object" || typeof to !== "object" || path.length > depthMax) return [];
  const given = from.anyOf ?? from.oneOf;
  if (given !== undefined) {
    const each = given.map((one) => misfits(one, to, path));
    return each.length > 0 && each.every((found) => found.length > 0) ? (each[0] as Misfit[]) : [];
  }
  const taken = to.anyOf ?? to.oneOf;
  if (taken !== undefined) {
    const each = taken.map((one) => misfits(from, one, path));
    if (each.some((found) => found.length === 0)) return [];
    return [{ path, expected: taken.map(shapeInWords).join(" or "), found: shapeInWords(from) }];
  }
  const values = valuesOf(from);
  const allowed = valuesOf(to);
  if (values !== null && allowed !== null && !values.some((one) => allowed.includes(one)))
    return [{ path, expected: shapeInWords(to), found: shapeInWords(from) }];
  const [types, wanted] = [typesOf(from), typesOf(to)];
  if (types !== null && wanted !== null && !types.some((one) => wanted.some((other) => meets(one, other))))
    return [{ path, expected: shapeInWords(to), found: shapeInWords(from) }];
  return [...objectMisfits(from, to, path), ...listMisfits(from, to, path)];
}

function objectMisfits(from: Shape, to: Shape, path: Misfit["path"]): Misfit[] {
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
    return needed || certain.has(key) ? misfits(given, taken, [...path, key]) : [];
  });
}

function listMisfits(from: Shape, to: Shape, path: Misfit["path"]): Misfit[] {
  // A list may be empty, so its entries never make it certain, unless it must have one.
  if (typeof from["minItems"] !== "number" || from["minItems"] < 1) return [];
  return Array.isArray(from.items) || Array.isArray(to.items) ? [] : misfits(from.items, to.items, [...path, 0]);
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
