/** docs/reference/openapi.json: every address below `/api/v1` in OpenAPI 3.1, from the tables that answer it. */
import { z } from "zod";
import { problemSchema } from "../../src/app/api/problem.ts";
import { type Route, type RouteName, routes } from "../../src/app/api/table.ts";
import { type ErrorCode, errorCatalogue } from "../../src/core/errors.ts";
import { product } from "../../src/core/product.ts";
import type { GeneratedFile } from "../generate.ts";
import { body, effectPaths, type Schemas } from "./effects-openapi.ts";

/** Refusals of any route. A command's own refusals have the same form, with a status of the catalog. */
const refusals: readonly ErrorCode[] = [
  "BATON_PAYLOAD_INVALID",
  "BATON_TOKEN_REFUSED",
  "BATON_POLICY_DENIED",
  "BATON_NO_RUN",
  "BATON_INPUT_INVALID",
  "BATON_RATE_LIMITED",
  "BATON_GITHUB_UNAVAILABLE",
  "BATON_STOPPING",
];
const refusalsOfWrites: readonly ErrorCode[] = ["BATON_NOT_ASKED", "BATON_PAYLOAD_TOO_LARGE", "BATON_KEY_REUSED"];

export function openapi(): GeneratedFile {
  const schemas: Schemas = {};
  const { "application/json": problem } = body(schemas, "Problem", problemSchema, "output");
  const refused = (codes: readonly ErrorCode[]) => {
    const byStatus = new Map<string, string[]>();
    for (const code of codes) {
      const { httpStatus, when } = errorCatalogue[code];
      byStatus.set(`${httpStatus}`, [...(byStatus.get(`${httpStatus}`) ?? []), `${code}: ${when}`]);
    }
    const content = { "application/problem+json": problem };
    return {
      ...Object.fromEntries(
        [...byStatus].map(([status, lines]) => [status, { description: lines.join("\n"), content }]),
      ),
      default: { description: "Another refusal, with a code of the catalog.", content },
    };
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const name of Object.keys(routes) as RouteName[]) {
    const row: Route = routes[name];
    const title = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const isWrite = row.method === "POST";
    paths[row.path] = {
      ...paths[row.path],
      [row.method.toLowerCase()]: {
        operationId: name,
        tags: [row.tag],
        summary: row.summary,
        description: rightsOf(row),
        security: row.approves === true ? [{ session: [] }] : [{ token: [] }, { session: [] }],
        parameters: [
          ...parametersOf("path", row.at),
          ...parametersOf("query", row.query),
          ...(isWrite ? [idempotencyKey] : []),
        ],
        ...(row.body === null
          ? {}
          : { requestBody: { required: true, content: body(schemas, `${title}Request`, row.body, "input") } }),
        responses: {
          "200": {
            description: row.isStream === true ? streamProse : "Done.",
            content:
              row.isStream === true
                ? { "text/event-stream": body(schemas, `${title}Answer`, row.answer, "output")["application/json"] }
                : body(schemas, `${title}Answer`, row.answer, "output"),
          },
          ...(isWrite || row.isStream === true ? {} : { "304": { description: "`If-None-Match` names this answer." } }),
          ...refused(isWrite ? [...refusals, ...refusalsOfWrites] : refusals),
        },
      },
    };
  }
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Baton",
      version: product.version,
      description:
        "Runs, their questions, costs and events over HTTP: docs/guides/api.md. The paths of `worker protocol` are for runners: a worker anywhere performs one attempt at an effect of a run. Baton starts a workflow with an order, one JSON input `effect` with `run`, `effect`, `attempt` and `endpoint`. A worker proves itself by the OIDC token of its GitHub Actions job, whose audience is `endpoint`. It claims the attempt, sends a heartbeat every `heartbeatMs` and at last the result; each after the claim names the claim's `epoch`. On 409 another worker has the attempt: stop. On 429 and 5xx ask again.",
    },
    paths: { ...paths, ...effectPaths(schemas) },
    components: {
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-baton",
          description: "A session of a person who signed in with GitHub. A write also needs the `Origin` of Baton.",
        },
        token: { type: "http", scheme: "bearer", description: "A token of `baton token create`." },
        job: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
      },
      schemas,
    },
  };
  return { path: "docs/reference/openapi.json", text: `${JSON.stringify(document, null, 2)}\n` };
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: true,
  schema: { type: "string", minLength: 1, maxLength: 200 },
  description: "Names this request. The same key again repeats the request, and nothing happens twice.",
};

const streamProse =
  "Server-sent events. `id` is the number of the event, `data` the schema as JSON. The first event is `open`. The last one is `end`, with `reason` and `words`, when Baton ends the stream.";

function rightsOf({ scope, demand, approves }: Route): string {
  const person =
    demand === null
      ? "anyone who is known"
      : demand.needs === "read" || demand.needs === "admin"
        ? `the permission ${demand.needs} on the repository, or that of \`commands.allow.${demand.command}\``
        : `the permission of \`commands.${demand.needs}\` on the repository, or that of \`commands.allow.${demand.command}\``;
  return `Token: ${approves === true ? "none" : `scope \`${scope}\``}. Person: ${person}.`;
}

function parametersOf(place: "path" | "query", schema: z.ZodObject): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as { description?: string };
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}
