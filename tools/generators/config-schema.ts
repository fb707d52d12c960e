/** schemas/baton.schema.json: editors complete and check `baton.yaml` with it. */
import { settingsJsonSchema } from "../../src/config/json-schema.ts";
import type { GeneratedFile } from "../generate.ts";

export function configSchema(): GeneratedFile {
  const schema = { title: "baton.yaml", ...settingsJsonSchema() };
  return { path: "schemas/baton.schema.json", text: `${JSON.stringify(schema, null, 2)}\n` };
}
