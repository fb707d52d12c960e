/**
 * A schema that also refuses unnamed properties: every object closed, every reference inside the document.
 *
 * GitHub's schemas are open, so a misspelled or invented property would pass. This closes an object that is a value, but not
 * inside `allOf`, `anyOf` or `oneOf`. So the properties of alternatives count together.
 */
import type { Schema } from "../../tools/github-description.ts";

const alternatives = ["allOf", "anyOf", "oneOf"] as const;

/** `more` are further properties that any object may have. */
export function closed(schema: Schema, $defs: Record<string, Schema>, more: Record<string, Schema>): Schema {
  const needed: Record<string, Schema> = {};
  const visit = (one: Schema, isValue: boolean): Schema => {
    if (typeof one["$ref"] === "string") {
      const name = one["$ref"].slice("#/$defs/".length);
      if (needed[name] === undefined) {
        const definition = $defs[name];
        if (definition === undefined) throw new Error(`No schema is named ${name}.`);
        needed[name] = {};
        needed[name] = visit(definition, false);
      }
      return isValue && describesObject(one, $defs) ? { ...one, properties: more, unevaluatedProperties: false } : one;
    }
    const out: Schema = { ...one };
    for (const keyword of ["properties", "patternProperties"]) {
      const map = one[keyword] as Record<string, Schema> | undefined;
      if (map === undefined) continue;
      out[keyword] = Object.fromEntries(Object.entries(map).map(([name, value]) => [name, visit(value, true)]));
    }
    if (typeof one["items"] === "object") out["items"] = visit(one["items"] as Schema, true);
    if (typeof one["additionalProperties"] === "object")
      out["additionalProperties"] = visit(one["additionalProperties"] as Schema, true);
    for (const keyword of alternatives) {
      const list = one[keyword] as Schema[] | undefined;
      if (list === undefined) continue;
      delete out[keyword];
      // Branches of GitHub's `oneOf` overlap (a string also matches the free-form string of the next), so one match is
      // enough.
      out[keyword === "oneOf" ? "anyOf" : keyword] = list.map((branch) => visit(branch, false));
    }
    if (isValue && describesObject(one, $defs)) {
      out["properties"] = { ...more, ...(out["properties"] as object | undefined) };
      out["unevaluatedProperties"] = false;
    }
    return out;
  };
  const root = visit(schema, true);
  return { ...root, $defs: needed };
}

/** True if the schema names its properties. An object without names is free-form. */
function describesObject(schema: Schema, $defs: Record<string, Schema>, seen = new Set<string>()): boolean {
  if (typeof schema["$ref"] === "string") {
    const name = schema["$ref"].slice("#/$defs/".length);
    if (seen.has(name)) return false;
    return describesObject($defs[name] ?? {}, $defs, new Set([...seen, name]));
  }
  if (schema["additionalProperties"] !== undefined && schema["additionalProperties"] !== false) return false;
  const own = Object.keys((schema["properties"] as object | undefined) ?? {}).length > 0;
  const branches = alternatives.flatMap((keyword) => (schema[keyword] as Schema[] | undefined) ?? []);
  const objects = branches.filter((branch) => isObject(branch, $defs, seen));
  return own || (objects.length > 0 && objects.every((branch) => describesObject(branch, $defs, seen)));
}

function isObject(schema: Schema, $defs: Record<string, Schema>, seen: Set<string>): boolean {
  if (typeof schema["$ref"] === "string") {
    const name = schema["$ref"].slice("#/$defs/".length);
    return !seen.has(name) && isObject($defs[name] ?? {}, $defs, new Set([...seen, name]));
  }
  const type = schema["type"];
  return (
    type === "object" ||
    (Array.isArray(type) && type.includes("object")) ||
    schema["properties"] !== undefined ||
    alternatives.some((keyword) =>
      ((schema[keyword] as Schema[] | undefined) ?? []).some((one) => isObject(one, $defs, seen)),
    )
  );
}
