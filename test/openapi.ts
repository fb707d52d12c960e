/** Compares exchanges of tests with `docs/reference/openapi.json`. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

type Content = Record<string, { schema: { $ref: string } }>;
interface Operation {
  operationId: string;
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
}
interface OpenapiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

export const openapiDocument = JSON.parse(
  readFileSync(new URL("../docs/reference/openapi.json", import.meta.url), "utf8"),
) as OpenapiDocument;

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(openapiDocument as object, "openapi");

/** Differences of an answer from the document. Empty: there are none. */
export function differences(
  operation: Operation,
  { status, type, body }: { status: number; type: string; body: unknown },
): string[] {
  const response = operation.responses[`${status}`] ?? operation.responses["default"];
  const media = type.split(";")[0] ?? "";
  const schema = response?.content?.[media]?.schema.$ref;
  if (schema === undefined) return [`${operation.operationId}: ${status} with ${media} is not described`];
  return problems(schema, body).map((problem) => `${operation.operationId}: ${problem}`);
}

function problems(reference: string, value: unknown): string[] {
  const validate = ajv.getSchema(`openapi${reference}`);
  if (validate === undefined) return [`${reference} leads nowhere`];
  return validate(value) === true
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${reference}: ${instancePath} ${message}`);
}
