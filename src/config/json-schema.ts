/** The schema of `baton.yaml` as JSON Schema: for editors, for the reference, and to list the allowed keys of a place. */
import { z } from "zod";
import { settingsSchema } from "./schema.ts";

export interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  propertyNames?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
}

let built: JsonSchema | undefined;

/** The input form: keys with a default may be missing, and short forms are allowed. */
export function settingsJsonSchema(): JsonSchema {
  built ??= z.toJSONSchema(settingsSchema, { io: "input" }) as JsonSchema;
  return built;
}

/** The schemas that may apply at a path. A union gives several. */
export function schemasAt(path: readonly (string | number)[], root = settingsJsonSchema()): JsonSchema[] {
  let here = variants(root);
  for (const part of path) here = here.flatMap((schema) => step(schema, part)).flatMap(variants);
  return here;
}

function step(schema: JsonSchema, part: string | number): JsonSchema[] {
  if (typeof part === "number") return schema.items === undefined ? [] : [schema.items];
  const named =
    schema.properties !== undefined && Object.hasOwn(schema.properties, part) ? schema.properties[part] : undefined;
  if (named !== undefined) return [named];
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
}

function variants(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf?.flatMap(variants) ?? [schema];
}

/** Keys that are allowed at a path. */
export function keysAt(path: readonly (string | number)[], root = settingsJsonSchema()): string[] {
  const keys = schemasAt(path, root).flatMap(({ properties, propertyNames }) => [
    ...Object.keys(properties ?? {}),
    ...(propertyNames?.enum ?? []).map(String),
  ]);
  return [...new Set(keys)];
}

/** In words: `one of "ask", "auto"`, `a whole number from 1 to 500`, `a list of texts`. */
export function describeSchema(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(describeSchema))].join(" or ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => describeSchema({ ...schema, type })).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return schema.enum.length === 1
      ? JSON.stringify(schema.enum[0])
      : `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.type === "integer" ? "a whole number" : "a number"}${bounds(schema)}`;
    case "string":
      return "a text";
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      return `a list, each entry ${schema.items === undefined ? "anything" : describeSchema(schema.items)}`;
    case undefined:
    default: {
      const keys = Object.keys(schema.properties ?? {});
      return keys.length === 0 ? "a map" : `a map of ${keys.join(", ")}`;
    }
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  // zod writes the smallest and the largest safe integer if there is no bound.
  const low = [minimum, exclusiveMinimum].find((value) => value !== undefined && value > Number.MIN_SAFE_INTEGER);
  const high = [maximum, exclusiveMaximum].find((value) => value !== undefined && value < Number.MAX_SAFE_INTEGER);
  const above = minimum === undefined ? "more than" : "at least";
  const below = maximum === undefined ? "less than" : "at most";
  if (low !== undefined && high !== undefined)
    return minimum !== undefined && maximum !== undefined
      ? ` from ${low} to ${high}`
      : `, ${above} ${low} and ${below} ${high}`;
  if (low !== undefined) return `, ${above} ${low}`;
  return high === undefined ? "" : `, ${below} ${high}`;
}
