/** Compares every exchange of a test with the OpenAPI document of the effect protocol. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

interface Operation {
  requestBody: { content: { "application/json": { schema: { $ref: string } } } };
  responses: Record<string, { content: { "application/json": { schema: { $ref: string } } } }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

const whole = JSON.parse(
  readFileSync(new URL("../../docs/reference/openapi.json", import.meta.url), "utf8"),
) as Document;
/** The paths of the protocol alone. */
export const effectsDocument: Document = {
  ...whole,
  paths: Object.fromEntries(Object.entries(whole.paths).filter(([path]) => path.startsWith("/api/v1/effects/"))),
};

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(effectsDocument as object, "effects");

/** `verb status` of everything that was compared with the document. */
export const seen = new Set<string>();

/** Differences from the document. Empty: there are none. */
export function mismatches(exchange: { url: string; request: unknown; status: number; answer: unknown }): string[] {
  const verb = new URL(exchange.url).pathname.split("/").at(-1) ?? "";
  const operation = effectsDocument.paths[`/api/v1/effects/{run}/{effect}/{attempt}/${verb}`]?.["post"];
  // There is no such path, so the document describes only the refusal.
  const responses = (operation ?? (Object.values(effectsDocument.paths)[0]?.["post"] as Operation)).responses;
  seen.add(`${operation === undefined ? "?" : verb} ${exchange.status}`);
  const response = responses[`${exchange.status}`];
  if (response === undefined) return [`${verb} is answered ${exchange.status}, which is not described`];
  const request = operation?.requestBody.content["application/json"].schema.$ref;
  return [
    ...(exchange.status === 200 && request !== undefined ? problems(request, exchange.request) : []),
    ...problems(response.content["application/json"].schema.$ref, exchange.answer),
  ];
}

export function problems(reference: string, value: unknown): string[] {
  const validate = ajv.getSchema(`effects${reference}`);
  if (validate === undefined) return [`${reference} leads nowhere`];
  return validate(value) === true
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${reference}: ${instancePath} ${message}`);
}
