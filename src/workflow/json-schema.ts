/** The schema of YAML processes as JSON Schema: for editors, and to tell which keys are allowed where. */
import { z } from "zod";
import type { JsonSchema } from "../config/json-schema.ts";
import { processFileSchema } from "./schema.ts";

let built: JsonSchema | undefined;

export function processJsonSchema(): JsonSchema {
  built ??= z.toJSONSchema(processFileSchema, { io: "input" }) as JsonSchema;
  return built;
}
