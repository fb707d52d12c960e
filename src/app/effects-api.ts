/**
 * The effect protocol over HTTP (JSON-002): `POST /api/v1/effects/{run}/{effect}/{attempt}/{claim|heartbeat|result}`.
 * Thin: checks the job's token and the body, hands both to `runner/remote/claims.ts`.
 *
 * EA1 No body is parsed before the token holds.
 * EA2 A large body may take long as long as it comes; who trickles is cut.
 * EA3 Errors are `{ok: false, code, message, remedy}` with the status of the catalogue.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import { BatonError, errorCatalogue, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { JobIdentities, JobIdentity } from "../ports/job-identity.ts";
import type { Log } from "../ports/log.ts";
import { parseInput } from "../process/process.ts";
import type { Attempt, EffectClaims } from "../runner/remote/claims.ts";
import { type EffectVerb, effectVerbs } from "../runner/remote/protocol.ts";
import { type BodyBounds, readBody } from "./read-body.ts";

export const effectsPath = "/api/v1/effects/";

const attemptPattern = /^\/api\/v1\/effects\/([^/]+)\/([^/]+)\/([1-9]\d{0,3})\/([a-z]+)$/;
/** Base64 of a bundle, and room for the rest: on a slow line that takes minutes, so it is judged by its pace. */
const bodyBounds: BodyBounds = {
  what: "request",
  bytesMax: Math.ceil((limits.importBytesMax * 4) / 3) + 4 * 1024 * 1024,
  deadlineMs: 30_000,
  bytesPerSecondMin: 128 * 1024,
};
/** What the largest request at the slowest pace takes. */
export const requestMsMax =
  bodyBounds.deadlineMs + Math.ceil((bodyBounds.bytesMax / (bodyBounds.bytesPerSecondMin ?? 1)) * 1_000);

type Handler = (claims: EffectClaims, attempt: Attempt, job: JobIdentity, body: unknown) => Promise<object>;

const { claim, heartbeat, result } = effectVerbs;
const handlers: Record<EffectVerb, Handler> = {
  claim: (claims, attempt, job, body) => {
    checked("claim", claim.request, body);
    return claims.claim(attempt, job);
  },
  heartbeat: (claims, attempt, job, body) =>
    claims.heartbeat(attempt, job, checked("heartbeat", heartbeat.request, body)),
  result: (claims, attempt, job, body) => claims.finish(attempt, job, checked("result", result.request, body)),
};

export async function answerEffects(
  { claims, identities, log }: { claims: EffectClaims; identities: JobIdentities; log: Log },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const [, run = "", effect = "", number = "", verb = ""] =
      attemptPattern.exec(request.url?.split("?")[0] ?? "") ?? [];
    const handler = Object.hasOwn(handlers, verb) ? handlers[verb as EffectVerb] : undefined;
    if (handler === undefined || request.method !== "POST")
      throw new BatonError(
        "BATON_NO_RUN",
        `There is no ${request.method} ${request.url}. There is POST ${effectsPath}{run}/{effect}/{attempt}/claim, …/heartbeat and …/result.`,
      );
    const job = await identities.verify(tokenOf(request));
    const attempt = { run: decoded(run), effect: decoded(effect), attempt: Number(number) };
    send(response, 200, await handler(claims, attempt, job, await readJson(request)));
  } catch (thrown) {
    const error = toBatonError(thrown);
    log.warn("A worker's request was refused", { path: request.url ?? "", code: error.code });
    const { code, message, remedy } = error;
    send(response, errorCatalogue[code].httpStatus, { ok: false, code, message, remedy }, !request.complete);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (thrown) {
    throw new BatonError("BATON_PAYLOAD_INVALID", `"${part.slice(0, 60)}" is not percent-encoded UTF-8.`, {
      cause: thrown,
    });
  }
}

function checked<T>(what: string, schema: z.ZodType<T>, body: unknown): T {
  return parseInput(what, schema, body);
}

function tokenOf({ headers }: IncomingMessage): string {
  const token = /^Bearer ([A-Za-z0-9._~+/-]{1,8000}=*)$/i.exec(headers.authorization ?? "")?.[1];
  if (token === undefined)
    throw new BatonError("BATON_WORKER_REFUSED", "The request carries no `Authorization: Bearer` token of a job.");
  return token;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, bodyBounds);
  try {
    return JSON.parse(body.toString("utf8") || "{}");
  } catch (thrown) {
    throw new BatonError("BATON_PAYLOAD_INVALID", "The body is not JSON.", { cause: thrown });
  }
}

/** `cut`: the rest of the request is not wanted, so its connection ends with the answer. */
function send(response: ServerResponse, status: number, body: object, cut = false): void {
  if (response.headersSent || response.destroyed) return;
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  response.writeHead(status, cut ? { ...headers, connection: "close" } : headers);
  response.end(JSON.stringify(body));
}
