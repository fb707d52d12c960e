/** The effect protocol (JSON-002) as OpenAPI 3.1, from the tables that its two sides use. */
import { z } from "zod";
import { type ErrorCode, errorCatalogue, errorCodes } from "../../src/core/errors.ts";
import { type EffectVerb, effectRefusals, effectVerbs } from "../../src/runner/remote/protocol.ts";
import type { GeneratedFile } from "../generate.ts";

const refusal = z.object({
  ok: z.literal(false),
  code: z.enum(errorCodes),
  message: z.string(),
  remedy: z.string().describe("What to do next."),
});

type Schemas = Record<string, unknown>;

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

export function effectsOpenapi(): GeneratedFile {
  const schemas: Schemas = {};
  const refused = body(schemas, "Refusal", refusal, "output");
  const statuses = refusalsByStatus().map(
    ([status, lines]) => [status, { description: lines.join("\n"), content: refused }] as const,
  );
  const paths = Object.entries(effectVerbs).map(([verb, { summary, request, answer }]) => {
    const name = verb[0]?.toUpperCase() + verb.slice(1);
    const post = {
      operationId: verb as EffectVerb,
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
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Baton's effect protocol",
      version: "1",
      description:
        "How a worker anywhere performs one attempt at an effect of a run. Baton starts a workflow with an order, one JSON input `effect` with `run`, `effect`, `attempt` and `endpoint`. A worker proves itself by the OIDC token of its GitHub Actions job, whose audience is `endpoint`. It claims the attempt, sends a heartbeat every `heartbeatMs` and at last the result; each after the claim names the claim's `epoch`. On 409 another worker has the attempt: stop. On 429 and 5xx ask again.",
    },
    paths: Object.fromEntries(paths),
    components: { securitySchemes: { job: { type: "http", scheme: "bearer", bearerFormat: "JWT" } }, schemas },
  };
  return { path: "docs/reference/effects.openapi.json", text: `${JSON.stringify(document, null, 2)}\n` };
}

/** Puts the schema and its references where a `$ref` of an OpenAPI document finds them. */
function body(schemas: Schemas, name: string, schema: z.ZodType, io: "input" | "output") {
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
