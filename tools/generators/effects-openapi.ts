/** The effect protocol (JSON-002) as OpenAPI 3.1, from the schemas that its two sides use. */
import { z } from "zod";
import { errorCatalogue, errorCodes } from "../../src/core/errors.ts";
import {
  claimAnswerSchema,
  claimRequestSchema,
  heartbeatAnswerSchema,
  heartbeatRequestSchema,
  resultRequestSchema,
} from "../../src/runner/remote/protocol.ts";
import type { GeneratedFile } from "../generate.ts";

const refusal = z.object({
  ok: z.literal(false),
  code: z.enum(errorCodes),
  message: z.string(),
  remedy: z.string().describe("What to do next."),
});
const taken = z.object({ taken: z.literal(true) });

const verbs = [
  {
    verb: "claim",
    summary: "Claims the attempt and tells what to do. Answered 409 while another worker holds it.",
    request: claimRequestSchema,
    answer: claimAnswerSchema,
  },
  {
    verb: "heartbeat",
    summary: "Keeps the claim, tells a milestone and what was used so far, hears of a cancellation.",
    request: heartbeatRequestSchema,
    answer: heartbeatAnswerSchema,
  },
  {
    verb: "result",
    summary:
      "Ends the attempt, with the commits that were made as a git bundle. The same result again changes nothing.",
    request: resultRequestSchema,
    answer: taken,
  },
];

export function effectsOpenapi(): GeneratedFile {
  const json = (schema: z.ZodType, io: "input" | "output") => {
    const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
    return { "application/json": { schema: described } };
  };
  const statuses = [
    ...new Set([
      "BATON_PAYLOAD_INVALID",
      "BATON_SIGNATURE_INVALID",
      "BATON_POLICY_DENIED",
      "BATON_NO_RUN",
      "BATON_LEASE_LOST",
      "BATON_PAYLOAD_TOO_LARGE",
    ] as const),
  ].map(
    (code) =>
      [
        `${errorCatalogue[code].httpStatus}`,
        { description: errorCatalogue[code].when, content: json(refusal, "output") },
      ] as const,
  );
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Baton's effect protocol",
      version: "1",
      description:
        "How a worker anywhere performs one attempt at an effect of a run. A worker proves itself by the OIDC token of its GitHub Actions job, whose audience is the base address of Baton.",
    },
    paths: Object.fromEntries(
      verbs.map(({ verb, summary, request, answer }) => [
        `/api/v1/effects/{run}/{effect}/{attempt}/${verb}`,
        {
          post: {
            operationId: verb,
            summary,
            security: [{ job: [] }],
            parameters: [
              { name: "run", in: "path", required: true, schema: { type: "string" }, description: "Id of the run." },
              {
                name: "effect",
                in: "path",
                required: true,
                schema: { type: "string" },
                description: "Key of the effect; a `/` in it is written %2F.",
              },
              { name: "attempt", in: "path", required: true, schema: { type: "integer", minimum: 1 } },
            ],
            requestBody: { required: true, content: json(request, "input") },
            responses: {
              "200": { description: "Done.", content: json(answer, "output") },
              ...Object.fromEntries(statuses),
            },
          },
        },
      ]),
    ),
    components: { securitySchemes: { job: { type: "http", scheme: "bearer", bearerFormat: "JWT" } } },
  };
  return { path: "docs/reference/effects.openapi.json", text: `${JSON.stringify(document, null, 2)}\n` };
}
