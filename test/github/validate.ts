/**
 * Compares requests, answers and webhook payloads with GitHub's own descriptions.
 *
 * VD1 An unknown operation, parameter or property, or an undescribed status, is a mismatch too.
 * VD2 The tables of `relaxations.ts` list every exception, each with its reason.
 * VD3 The first exchange that needs a schema compiles it, once a process.
 */
import { readFileSync } from "node:fs";
import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import type { ApiExchange, Exchange, WebhookExchange } from "../../packages/local-github/src/exchange.ts";
import {
  type DescribedOperation,
  type Description,
  descriptionPath,
  readOpenApi,
  type Schema,
  toJsonSchema,
} from "../../tools/github-description.ts";
import { closed } from "./closed-schema.ts";
import {
  alsoNull,
  alsoSent,
  answeredAs,
  answersAnywhere,
  describedElsewhere,
  looseFormats,
  webhookNames,
} from "./relaxations.ts";
import { graphqlMismatches } from "./validate-graphql.ts";

/** Every difference of this exchange from GitHub's description. Empty: there is none. */
export function mismatches(exchange: Exchange): string[] {
  return exchange.kind === "webhook" ? ofWebhook(exchange) : ofCall(exchange);
}

const propertiesOf = (schema: Schema): Record<string, Schema> => schema["properties"] as Record<string, Schema>;

let rest: ReturnType<typeof createSchemas> & { description: Description };
let webhooks: ReturnType<typeof createSchemas> & { names: Map<string, string> };

function restSchemas(): typeof rest {
  if (rest === undefined) {
    const description = JSON.parse(readFileSync(descriptionPath, "utf8")) as Description;
    for (const { definition, at } of alsoNull) {
      const parent = at
        .slice(0, -1)
        .reduce((now, name) => propertiesOf(now)[name] as Schema, description.$defs[definition] as Schema);
      const last = at.at(-1) as string;
      propertiesOf(parent)[last] = { anyOf: [propertiesOf(parent)[last], { type: "null" }] };
    }
    rest = { description, ...createSchemas(description.$defs) };
  }
  return rest;
}

function webhookSchemas(): typeof webhooks {
  if (webhooks === undefined) {
    const found = readOpenApi("@octokit/openapi-webhooks");
    if (found === null) throw new Error("@octokit/openapi-webhooks is not installed.");
    const { components, webhooks: described } = found.document as unknown as WebhookDocument;
    const schemas = Object.fromEntries(
      Object.entries(components.schemas).map(([name, schema]) => [name, toJsonSchema(schema)]),
    );
    const names = Object.entries(described).map(([name, { post }]): [string, string] => [
      name,
      (post.requestBody.content["application/json"]?.schema.$ref ?? "").replace("#/components/schemas/", ""),
    ]);
    webhooks = { names: new Map(names), ...createSchemas(schemas) };
  }
  return webhooks;
}

interface WebhookDocument {
  components: { schemas: Record<string, Schema> };
  webhooks: Record<string, { post: { requestBody: { content: Record<string, { schema: { $ref?: string } }> } } }>;
}

function ofWebhook({ event, action, payload }: WebhookExchange): string[] {
  const { names, check } = webhookSchemas();
  const key = [event, ...(action === null ? [] : [action])].join("-").replaceAll("_", "-");
  const name = names.get(webhookNames[event] ?? key);
  const what = `webhook ${event}${action === null ? "" : `.${action}`}`;
  if (name === undefined) return [`${what}: GitHub describes no such event`];
  return check(`webhook/${name}`, { $ref: `#/$defs/${name}` }, payload, "webhook").map(
    (problem) => `${what} ${problem}`,
  );
}

function ofCall({ request, response, fault }: ApiExchange): string[] {
  const { description, check, checkText } = restSchemas();
  // A person's browser at a missing page, which is not a call of the API.
  if (response.status === 404 && (request.headers["accept"] ?? "").includes("text/html")) return [];
  // GraphQL has its own schema, apart from the description of REST.
  if (request.path === "/graphql")
    return fault === null && response.status === 200
      ? graphqlMismatches(request.body, response.body).map((problem) => `GraphQL: ${problem}`)
      : [];
  const asked = `${request.method} ${request.path}`;
  const [method = "", path = ""] = describedElsewhere
    .reduce((now, { from, to }) => now.replace(from, to), asked)
    .split(" ");
  const found = find(description.operations, method, path);
  if (found === null)
    return [
      `${asked}: GitHub describes no such operation, or it is not in the extract (node tools/github-description.ts)`,
    ];
  const { operation, parameters } = found;
  const what = `${operation.method} ${operation.path}`;
  const problems: string[] = [];

  // A caller may send nonsense to see the refusal. The caller's own test checks the refusal.
  if (![400, 422].includes(response.status)) {
    for (const [place, given] of [["path", parameters] as const, ["query", request.query] as const]) {
      const known = operation.parameters.filter((one) => one.in === place);
      for (const name of Object.keys(given))
        if (!known.some((one) => one.name === name)) problems.push(`${place} has the unknown parameter ${name}`);
      for (const { name, required, schema } of known) {
        const value = given[name];
        if (value !== undefined)
          problems.push(
            ...checkText(`${what} ${place} ${name}`, schema, value).map((problem) => `${place} ${name}${problem}`),
          );
        else if (required) problems.push(`${place} lacks ${name}`);
      }
    }
    const { requestBody } = operation;
    if (request.body === null) {
      if (requestBody?.required === true && Object.keys(requestBody.schema).length > 0)
        problems.push("request: no body");
    } else if (requestBody === null) {
      if (!isEmpty(request.body)) problems.push(`request: a body where none belongs`);
    } else
      problems.push(
        ...check(`${what} request`, requestBody.schema, request.body, "request").map((one) => `request ${one}`),
      );
  }

  // An answer that a fault cut or invented is not GitHub's.
  if (fault === null) {
    problems.push(...ofAnswer(operation, { request, response }).map((one) => `response ${response.status} ${one}`));
  }
  return problems.map((problem) => `${what} (${request.path}) ${problem}`);
}

function ofAnswer(operation: DescribedOperation, given: Pick<ApiExchange, "request" | "response">): string[] {
  const { status, body } = given.response;
  // A request names other media types explicitly, and they have no schema.
  const wantsText = /\.(raw|diff|patch)/.test(given.request.headers["accept"] ?? "");
  if (wantsText && status === 200) return typeof body === "string" ? [] : ["is no text, though raw text was asked for"];
  const { check } = restSchemas();
  const name = `${operation.method} ${operation.path}`;
  const replaced = answeredAs.find((one) => one.operation === name && one.status === status);
  const own = replaced?.schema ?? operation.responses[String(status)];
  const anywhere = answersAnywhere.find((one) => one.status === status)?.schema;
  // A refusal that is described only in prose has GitHub's usual form.
  const schema = own ?? (own === null && status < 400 ? null : anywhere);
  if (schema === undefined) return ["is not described"];
  if (schema === null)
    return body === null || typeof body === "string" ? [] : ["has a JSON body where none is described"];
  return check(`${name} ${status}`, schema, body, status < 400 ? "answer" : "refusal");
}

function isEmpty(body: unknown): boolean {
  return typeof body === "object" && body !== null && Object.keys(body).length === 0;
}

interface Found {
  operation: DescribedOperation;
  parameters: Record<string, string>;
}

/** The operation with the most literal segments, as in GitHub's own router. */
function find(operations: DescribedOperation[], method: string, path: string): Found | null {
  const asked = path.replace(/\/$/, "").split("/");
  let best: (Found & { literal: number }) | null = null;
  for (const operation of operations) {
    if (operation.method !== (method === "HEAD" ? "GET" : method)) continue;
    const parameters = match(operation, asked);
    if (parameters === null) continue;
    const literal = operation.path.split("/").filter((segment) => !segment.startsWith("{")).length;
    if (best === null || literal > best.literal) best = { operation, parameters, literal };
  }
  return best;
}

function match(operation: DescribedOperation, asked: string[]): Record<string, string> | null {
  const multi = new Set(operation.parameters.flatMap(({ name, multiSegment }) => (multiSegment ? [name] : [])));
  const wanted = operation.path.split("/");
  const parameters: Record<string, string> = {};
  let at = 0;
  for (const [index, segment] of wanted.entries()) {
    if (asked[at] === undefined) return null;
    const [, name] = /^\{(.+)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      if (asked[at] !== segment) return null;
      at += 1;
      continue;
    }
    const take = multi.has(name) ? asked.length - at - (wanted.length - index - 1) : 1;
    if (take < 1) return null;
    parameters[name] = decodeURIComponent(asked.slice(at, at + take).join("/"));
    at += take;
  }
  return at === asked.length ? parameters : null;
}

type Place = "request" | "answer" | "refusal" | "webhook";

function createSchemas($defs: Record<string, Schema>) {
  // Each validator runs only a few times, so fast compilation matters more than fast validation.
  const options = { strict: false, code: { optimize: false } } as const;
  const bodies = ajvFormats.default(new Ajv2020(options));
  const texts = ajvFormats.default(new Ajv2020({ ...options, coerceTypes: true }));
  for (const { format } of looseFormats) for (const ajv of [bodies, texts]) ajv.addFormat(format, true);
  const compiled = new Map<string, ValidateFunction>();
  const compile = (ajv: Ajv2020, key: string, schema: Schema, within: Place): ValidateFunction => {
    const more = alsoSent.filter((one) => one.within === within).map((one) => [one.property, one.schema]);
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = ajv.compile(closed(schema, $defs, Object.fromEntries(more) as Record<string, Schema>));
    compiled.set(key, made);
    return made;
  };
  return {
    check(key: string, schema: Schema, value: unknown, within: Place): string[] {
      const validate = compile(bodies, key, schema, within);
      return validate(value) ? [] : told(validate.errors ?? [], value);
    },
    /** Checks a value that came as text, in a path or a query. */
    checkText(key: string, schema: Schema, value: string): string[] {
      const validate = compile(texts, key, { type: "object", properties: { value: schema } }, "request");
      return validate({ value }) ? [] : told(validate.errors ?? [], { value }).map((one) => one.replace("/value", ""));
    },
  };
}

/** The place, the problem, and the value. For alternatives, the problems of the nearest one. */
function told(errors: ErrorObject[], value: unknown): string[] {
  const deepest = errors.toSorted((one, other) => depth(other) - depth(one)).slice(0, 3);
  return deepest.map((error) => {
    const found = error.instancePath
      .split("/")
      .slice(1)
      .reduce<unknown>(
        (now, key) => (now as Record<string, unknown> | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")],
        value,
      );
    const detail = error.params as { unevaluatedProperty?: string; allowedValues?: unknown[] };
    const extra =
      detail.unevaluatedProperty === undefined ? JSON.stringify(detail.allowedValues) : detail.unevaluatedProperty;
    return `${error.instancePath || "/"}: ${error.message ?? "is wrong"}${extra === undefined ? "" : ` ${extra}`}, found ${JSON.stringify(found)?.slice(0, 120)}`;
  });
}

function depth(error: ErrorObject): number {
  return error.instancePath.split("/").length;
}
