/** docs/reference/settings.md: the environment of `npm start`. */
import { z } from "zod";
import { describeSchema, type JsonSchema } from "../../src/config/json-schema.ts";
import { environmentSchema } from "../../src/environment/settings.ts";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom, markdownTable } from "./table.ts";

export function settingsReference(): GeneratedFile {
  const text = [
    "# Reference: settings of the App",
    "",
    generatedFrom("src/environment/settings.ts"),
    "",
    "Environment variables of `npm start`. A `.env` in the working directory is read too; what the environment says goes before it. An empty value counts as not set. All problems are told at once, at the start, and Baton then ends with code 1.",
    "",
    ...markdownTable(
      ["Variable", "Value", "Default", "Meaning"],
      Object.entries(environmentSchema.shape).map(([name, field]) => {
        const schema = jsonSchemaOf(field);
        return [
          `\`${name}\``,
          "format" in schema ? "an address" : describeSchema(schema),
          schema.default === undefined
            ? ""
            : `\`${typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default)}\``,
          schema.description ?? "",
        ];
      }),
    ),
  ].join("\n");
  return { path: "docs/reference/settings.md", text };
}

/** The output schema, because every input is text. If the field transforms its value, the input schema. */
function jsonSchemaOf(field: z.ZodType): JsonSchema {
  const out = z.toJSONSchema(field, { io: "output", unrepresentable: "any" }) as JsonSchema;
  const known = out.type !== undefined || out.enum !== undefined;
  return known ? out : (z.toJSONSchema(field, { io: "input", unrepresentable: "any" }) as JsonSchema);
}
