/** The effect protocol (JSON-002) in OpenAPI 3.1, from the tables that its two sides use. A part of `openapi.ts`. */
import { z } from "zod";
import { type ErrorCode, errorCatalogue, errorCodes } from "../../src/core/errors.ts";
import { type EffectVerb, effectRefusals, effectVerbs } from "../../src/runner/remote/protocol.ts";

const refusal = z.object({
  ok: z.literal(false),
  code: z.enum(errorCodes),
  message: z.string(),
  remedy: z.string().describe("What to do next."),
});

export type Schemas = Record<string, unknown>;

const parameters = [
  { name: "run", in: "path", required: true, schema: { type: "string" }, description: "`run` of the order." },
  {
    name: "effect",
    in: "path",
    required: true,
    schema: { type: "string" },
    description: "`effect` of the order; a `/` in it is written %2F.",
  },
  {
    name: "attempt",
    in: "path",
    required: true,
    schema: { type: "integer", minimum: 1 },
    description: "`attempt` of the order.",
  },
];

/** The paths of the protocol. Puts their schemas into `schemas`. */
export function effectPaths(schemas: Schemas): Record<string, unknown> {
  const refused = body(schemas, "Refusal", refusal, "output");
  const statuses = refusalsByStatus().map(
    ([status, lines]) => [status, { description: lines.join("\n"), content: refused }] as const,
  );
  const paths = Object.entries(effectVerbs).map(([verb, { summary, request, answer }]) => {
    const name = verb[0]?.toUpperCase() + verb.slice(1);
    const post = {
      operationId: verb as EffectVerb,
      tags: ["worker protocol"],
      summary,
      security: [{ job: [] }],
      parameters,
      requestBody: { required: true, content: body(schemas, `${name}Request`, request, "input") },
      responses: {
        "200": { description: "Done.", content: body(schemas, `${name}Answer`, answer, "output") },
        ...Object.fromEntries(statuses),
        default: { description: "A fault of Baton or of what it stands on: again later.", content: refused },
      },
    };
    return [`/api/v1/effects/{run}/{effect}/{attempt}/${verb}`, { post }] as const;
  });
  return Object.fromEntries(paths);
}

/** Puts the schema and its references where a `$ref` of an OpenAPI document finds them. */
export function body(schemas: Schemas, name: string, schema: z.ZodType, io: "input" | "output") {
  const described: Schemas = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  const text = JSON.stringify(described).replaceAll('"#/$defs/__schema', `"#/components/schemas/${name}Part`);
  const { $schema: _, $defs = {}, ...whole } = JSON.parse(text) as Schemas & { $defs?: Schemas };
  for (const [part, value] of Object.entries($defs)) schemas[part.replace("__schema", `${name}Part`)] = value;
  schemas[name] = whole;
  return { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
}

function refusalsByStatus(): [status: string, lines: string[]][] {
  const byStatus = new Map<string, string[]>();
  for (const [code, when] of Object.entries(effectRefusals)) {
    const status = `${errorCatalogue[code as ErrorCode].httpStatus}`;
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${code}: ${when}`]);
  }
  return [...byStatus].sort(([one], [other]) => Number(one) - Number(other));
}
