/** schemas/process.schema.json: editors complete and check YAML processes with it. */
import { processJsonSchema } from "../../src/workflow/json-schema.ts";
import type { GeneratedFile } from "../generate.ts";

export function processSchema(): GeneratedFile {
  const schema = { title: "Process of Baton", ...processJsonSchema() };
  return { path: "schemas/process.schema.json", text: `${JSON.stringify(schema, null, 2)}\n` };
}
