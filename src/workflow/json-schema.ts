/** The schema of YAML processes as JSON Schema: for editors, and to list the allowed keys of a place. */
import { z } from "zod";
import type { JsonSchema } from "../config/json-schema.ts";
import { processFileSchema } from "./schema.ts";

let built: JsonSchema | undefined;

export function processJsonSchema(): JsonSchema {
  built ??= z.toJSONSchema(processFileSchema, { io: "input" }) as JsonSchema;
  return built;
}
