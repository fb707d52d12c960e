/**
 * `POST /triggers/<name>`: programs elsewhere start the process of a rule `on: http` with that name.
 *
 * HT1 Baton parses no byte of a body before its signature holds. The signature is HMAC-SHA-256 over time, nonce, path and
 *     body, compared in constant time.
 * HT2 A request counts within 5 minutes of its time, and its nonce counts once. The nonce names the delivery, which Baton
 *     keeps much longer.
 * HT3 Without a secret, Baton accepts nothing. No answer reveals whether a rule or a repository exists.
 */
import { createHmac } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { isSameText } from "../adapters/system/same-text.ts";
import { BatonError, errorCatalogue, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { jsonSchema } from "../core/vocabulary.ts";
import { requestDelivery } from "../intake/events.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { readBody } from "./read-body.ts";

export interface TriggerAddressOptions {
  store: Pick<Store, "insertDelivery">;
  clock: Clock;
  log: Log;
  /** The current secret first, then an old one during a replacement. Without a secret, Baton refuses every request. */
  secrets: readonly string[];
}

const pathPattern = /^\/triggers\/([a-z][a-z0-9-]{0,39})$/;
const bodyDeadlineMs = 9_000;
const noncePattern = /^[0-9A-Za-z_-]{16,80}$/;

const bodySchema = z.strictObject({
  repository: z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}\/[\w.-]{1,100}$/),
  payload: z.record(z.string(), jsonSchema).default({}),
});

export function isTriggerPath(path: string): boolean {
  return path.startsWith("/triggers/");
}

/** The text that the sender signs. @internal for tests */
export function signatureOf(
  secret: string,
  given: { time: string; nonce: string; path: string; body: string },
): string {
  const { time, nonce, path, body } = given;
  return `sha256=${createHmac("sha256", secret).update(`${time}\n${nonce}\n${path}\n${body}`).digest("hex")}`;
}

export async function answerTrigger(
  { store, clock, log, secrets }: TriggerAddressOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  try {
    const time = header(request, "x-baton-timestamp");
    const nonce = header(request, "x-baton-nonce");
    const signature = header(request, "x-baton-signature");
    const rule = pathPattern.exec(path)?.[1];
    if (request.method !== "POST" || rule === undefined)
      throw new BatonError("BATON_PAYLOAD_INVALID", "Send a POST to `/triggers/<name of the rule>`.");
    if (secrets.length === 0)
      throw new BatonError("BATON_SIGNATURE_INVALID", "BATON_TRIGGER_SECRET is not set, so no request is accepted.");
    if (!noncePattern.test(nonce) || !/^\d{1,12}$/.test(time) || signature === "")
      throw new BatonError(
        "BATON_SIGNATURE_INVALID",
        "X-Baton-Timestamp (seconds), X-Baton-Nonce (16–80 letters, digits, - or _) and X-Baton-Signature are needed.",
      );
    if (Math.abs(clock.now() - Number(time) * 1_000) > limits.triggerRequestMs)
      throw new BatonError(
        "BATON_SIGNATURE_INVALID",
        `X-Baton-Timestamp is more than ${limits.triggerRequestMs / 60_000} minutes from the time here.`,
      );
    const bytes = await readBody(request, {
      what: "request",
      bytesMax: limits.triggerRequestBytesMax,
      deadlineMs: bodyDeadlineMs,
    });
    const body = bytes.toString("utf8");
    if (!secrets.some((secret) => isSameText(signatureOf(secret, { time, nonce, path, body }), signature)))
      throw new BatonError("BATON_SIGNATURE_INVALID", "X-Baton-Signature does not match.");
    const { repository, payload } = parse(body);
    const now = clock.now();
    const delivery = {
      hook: "triggers",
      guid: nonce,
      event: requestDelivery,
      action: null,
      installationId: null,
      payload: JSON.stringify({ rule, repository, payload, key: nonce }),
      receivedAt: now,
    };
    const isNew = await store
      .insertDelivery(delivery, { queue: "delivery", data: { hook: delivery.hook, guid: nonce } })
      .catch((thrown: unknown) => {
        throw toBatonError(thrown, "BATON_DATABASE_UNAVAILABLE");
      });
    if (!isNew) throw new BatonError("BATON_SIGNATURE_INVALID", "This X-Baton-Nonce was used before.");
    answer(response, 202, { ok: true });
  } catch (thrown) {
    const error = toBatonError(thrown);
    const status = error.treatment === "retryable" ? 503 : errorCatalogue[error.code].httpStatus;
    log.warn("A request for a trigger was refused", { code: error.code, path, error });
    const message =
      status < 500
        ? error.message
        : "Baton may not have kept the request. Send it again unchanged: its nonce counts once.";
    answer(response, status, { ok: false, code: error.code, message }, !request.complete);
  }
}

function parse(body: string): z.infer<typeof bodySchema> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (thrown) {
    throw new BatonError("BATON_PAYLOAD_INVALID", "The request's body is not JSON.", { cause: thrown });
  }
  const parsed = bodySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BatonError(
    "BATON_PAYLOAD_INVALID",
    'The request\'s body is `{"repository": "owner/name", "payload": {…}}`, and nothing else.',
  );
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

function answer(response: ServerResponse, status: number, body: object, cut = false): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", ...(cut ? { connection: "close" } : {}) });
  response.end(JSON.stringify(body));
}
