/**
 * `node tools/github-description.ts`: GitHub's own REST description of the calls that the local GitHub serves.
 *
 * The package `@octokit/openapi` is 385 MB. The tests read this extract of some hundred kilobytes instead.
 * GD1 The extract follows only from the package and the routes: same input, same bytes.
 * GD2 The extract loosens nothing. It only translates OpenAPI 3.0 to JSON Schema (`nullable`), and leaves prose out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { localGithubRoutes } from "../packages/local-github/src/local-github.ts";

export interface Schema {
  [keyword: string]: unknown;
}

export interface DescribedParameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  schema: Schema;
  /** A path parameter that holds slashes. */
  multiSegment?: true;
}

export interface DescribedOperation {
  method: string;
  path: string;
  parameters: DescribedParameter[];
  requestBody: { required: boolean; schema: Schema } | null;
  /** By status. null: an answer without JSON. */
  responses: Record<string, Schema | null>;
}

export interface Description {
  source: { package: string; version: string; license: string };
  operations: DescribedOperation[];
  /** Routes of the local GitHub that GitHub serves but does not describe. */
  undescribed: string[];
  $defs: Record<string, Schema>;
}

interface Media {
  content?: Record<string, { schema?: Schema }>;
  required?: boolean;
  $ref?: string;
}

interface RawParameter {
  $ref?: string;
  name: string;
  in: DescribedParameter["in"];
  required?: boolean;
  schema: Schema;
  "x-multi-segment"?: boolean;
}

interface RawOperation {
  parameters?: RawParameter[];
  requestBody?: Media;
  responses: Record<string, Media>;
}

export interface OpenApi {
  info: { version: string };
  paths: Record<string, Record<string, RawOperation>>;
  components: Record<string, Record<string, unknown>>;
}

const packageName = "@octokit/openapi";
const root = join(import.meta.dirname, "..");
export const descriptionPath = join(root, "test/github/description/rest.json");

/** One package of GitHub's descriptions. null: it is not installed. */
export function readOpenApi(name: string): { version: string; document: OpenApi } | null {
  const folder = join(root, "node_modules", name);
  try {
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    const text = readFileSync(join(folder, "generated/api.github.com.json"), "utf8");
    return { version, document: JSON.parse(text) as OpenApi };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw thrown;
  }
}

export function extractDescription(given: { version: string; document: OpenApi }): Description {
  const { document, version } = given;
  const operations = new Map<string, DescribedOperation>();
  const undescribed: string[] = [];
  for (const { method, path } of localGithubRoutes) {
    const described = Object.keys(document.paths).find(
      (candidate) =>
        shape(candidate) === shape(path) && document.paths[candidate]?.[method.toLowerCase()] !== undefined,
    );
    if (described === undefined) undescribed.push(`${method} ${path}`);
    else operations.set(`${described} ${method}`, operation(document, method, described));
  }
  const found = [...operations].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value);
  return {
    source: { package: packageName, version, license: "MIT, Copyright (c) GitHub, Octokit contributors" },
    operations: found,
    undescribed: undescribed.toSorted(),
    $defs: definitions(document, found),
  };
}

/** One operation or definition a line, so that a change by GitHub reads as one. */
export function describeAsText({ source, operations, undescribed, $defs }: Description): string {
  const lines = (items: string[]): string =>
    items.map((item, index) => `  ${item}${index < items.length - 1 ? "," : ""}`).join("\n");
  return [
    "{",
    `"source": ${JSON.stringify(source)},`,
    '"operations": [',
    lines(operations.map((one) => JSON.stringify(one))),
    "],",
    `"undescribed": ${JSON.stringify(undescribed)},`,
    '"$defs": {',
    lines(Object.entries($defs).map(([name, schema]) => `${JSON.stringify(name)}: ${JSON.stringify(schema)}`)),
    "}",
    "}",
    "",
  ].join("\n");
}

/** `/repos/:owner/x/*ref` and `/repos/{owner}/x/{ref}` have one shape. */
function shape(path: string): string {
  return path.replaceAll(/\/(?:[:*][^/]+|\{[^}]+\})/g, "/{}");
}

function operation(document: OpenApi, method: string, path: string): DescribedOperation {
  const item = document.paths[path] ?? {};
  const raw = item[method.toLowerCase()] as RawOperation;
  const body = raw.requestBody === undefined ? null : resolve<Media>(document, raw.requestBody);
  const parameters = [
    ...((item["parameters"] as unknown as RawParameter[] | undefined) ?? []),
    ...(raw.parameters ?? []),
  ];
  return {
    method,
    path,
    parameters: parameters.map((one) => {
      const found = resolve<RawParameter>(document, one);
      return {
        name: found.name,
        in: found.in,
        required: found.required ?? false,
        schema: toJsonSchema(found.schema),
        ...(found["x-multi-segment"] === true ? { multiSegment: true as const } : {}),
      };
    }),
    requestBody: body === null ? null : { required: body.required ?? false, schema: jsonOf(body) ?? {} },
    responses: Object.fromEntries(
      Object.entries(raw.responses).map(([status, answer]) => [status, jsonOf(resolve<Media>(document, answer))]),
    ),
  };
}

function jsonOf(media: Media): Schema | null {
  const schema = media.content?.["application/json"]?.schema;
  return schema === undefined ? null : toJsonSchema(schema);
}

function resolve<T>(document: OpenApi, value: { $ref?: string }): T {
  if (value.$ref === undefined) return value as T;
  const [, kind = "", name = ""] = /^#\/components\/([^/]+)\/(.+)$/.exec(value.$ref) ?? [];
  const found = document.components[kind]?.[name];
  if (found === undefined) throw new Error(`The description refers to ${value.$ref}, which it does not have.`);
  return found as T;
}

/** All schemas that the operations use, directly or through others. */
function definitions(document: OpenApi, operations: DescribedOperation[]): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  const queue = references(operations);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found[name] !== undefined) continue;
    const schema = toJsonSchema(resolve<Schema>(document, { $ref: `#/components/schemas/${name}` }));
    found[name] = schema;
    queue.push(...references(schema));
  }
  return Object.fromEntries(Object.entries(found).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function references(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map((match) => match[1] ?? "");
}

const values = ["type", "enum", "const", "required", "format", "pattern", "uniqueItems"];
const bounds = [
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
];
const kept = new Set([...values, ...bounds]);

/** OpenAPI's schema in the words of JSON Schema 2020-12, without prose. */
export function toJsonSchema(schema: Schema): Schema {
  const { $ref } = schema;
  // OpenAPI 3.0 ignores other keys next to a reference.
  if (typeof $ref === "string") return { $ref: $ref.replace("#/components/schemas/", "#/$defs/") };
  const out: Schema = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (kept.has(keyword)) out[keyword] = value;
    else if (["properties", "patternProperties"].includes(keyword))
      out[keyword] = Object.fromEntries(
        Object.entries(value as Record<string, Schema>).map(([name, one]) => [name, toJsonSchema(one)]),
      );
    else if (["items", "not"].includes(keyword)) out[keyword] = toJsonSchema(value as Schema);
    else if (keyword === "additionalProperties")
      out[keyword] = typeof value === "boolean" ? value : toJsonSchema(value as Schema);
    else if (["oneOf", "anyOf", "allOf"].includes(keyword)) out[keyword] = (value as Schema[]).map(toJsonSchema);
  }
  return schema["nullable"] === true ? orNull(out) : out;
}

function orNull(schema: Schema): Schema {
  const { type, enum: choices } = schema;
  if (type === undefined || Array.isArray(type)) return { anyOf: [schema, { type: "null" }] };
  return {
    ...schema,
    type: [type, "null"],
    ...(Array.isArray(choices) && !choices.includes(null) ? { enum: [...choices, null] } : {}),
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = readOpenApi(packageName);
  if (found === null) throw new Error(`${packageName} is not installed.`);
  const description = extractDescription(found);
  writeFileSync(descriptionPath, describeAsText(description));
  console.log(`${descriptionPath}: ${description.operations.length} operations of ${packageName} ${found.version}`);
  console.log(`Not described: ${description.undescribed.join(", ")}`);
}
