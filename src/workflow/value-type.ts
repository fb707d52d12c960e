/** Makes the schema of a value from its type in YAML (`schema.ts` defines the types). */
import { z } from "zod";
import { jsonSchema } from "../core/vocabulary.ts";
import type { ProcessFile, TypeSchema } from "./schema.ts";

export function schemaOfType(type: TypeSchema): z.ZodType {
  const plain = plainSchema(type);
  const { enum: values } = type;
  return values === undefined
    ? plain
    : plain.refine((value) => values.some((one) => one === value), {
        message: `expected ${values.map((one) => JSON.stringify(one)).join(" or ")}`,
      });
}

function plainSchema(type: TypeSchema): z.ZodType {
  const { minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE } = type;
  const { minLength = 0, maxLength = Number.MAX_SAFE_INTEGER } = type;
  switch (type.type) {
    case "string":
      return z.string().min(minLength).max(maxLength);
    case "number":
      return z.number().min(minimum).max(maximum);
    case "integer":
      return z.number().int().min(minimum).max(maximum);
    case "boolean":
      return z.boolean();
    case "array":
      return z
        .array(type.items === undefined ? jsonSchema : schemaOfType(type.items))
        .min(type.minItems ?? 0)
        .max(type.maxItems ?? Number.MAX_SAFE_INTEGER);
    case "object": {
      const required = new Set(type.required ?? []);
      const keys = Object.entries(type.properties ?? {}).map(([key, inner]) => {
        const schema = schemaOfType(inner);
        return [key, required.has(key) ? schema : schema.optional()] as const;
      });
      const missing = [...required].filter((key) => !Object.hasOwn(type.properties ?? {}, key));
      const shape = Object.fromEntries([...keys, ...missing.map((key) => [key, jsonSchema] as const)]);
      return type.properties === undefined ? z.looseObject(shape) : z.strictObject(shape);
    }
  }
}

/** All inputs of a process at once, with their defaults. */
export function inputsSchema(inputs: ProcessFile["inputs"]): z.ZodType<Record<string, unknown>> {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(inputs).map(([name, type]) => {
        const schema = schemaOfType(type);
        return [name, type.default === undefined ? schema : schema.default(type.default)];
      }),
    ),
  );
}
