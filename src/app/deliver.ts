/**
 * The door for webhooks: it verifies the raw bytes, keeps them, and answers. Nothing else happens before the answer.
 *
 * DL1 Baton parses no byte before the signature holds (SHA-256, constant time, two secrets during a replacement).
 * DL3 No payload gets an answer of 5xx. That is for Baton's own faults, and it reveals nothing about the database.
 * DL2 Baton answers 2xx only after the delivery and its job are durable. A repeated delivery gets 2xx and no row.
 * DL4 A delivery that cannot matter by its own text has no job. It is kept with the reason.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Webhooks } from "@octokit/webhooks";
import { BatonError, errorCatalogue, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { cannotMatter } from "../intake/cannot-matter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { readBody } from "./read-body.ts";

export interface DeliverOptions {
  store: Pick<Store, "insertDelivery">;
  clock: Clock;
  log: Log;
  /** The current secret first. Without a secret, every delivery fails. */
  secrets: string[];
  /** Baton refuses a body that takes longer. GitHub itself gives up after 10 s. */
  bodyDeadlineMs?: number;
}

const bodyDeadlineMs = 9_000;
const guidPattern = /^[0-9A-Za-z-]{1,80}$/;
const signaturePattern = /^sha256=[0-9a-f]{64}$/;
const eventPattern = /^[a-z0-9_]{1,60}$/;

export async function deliver(
  options: DeliverOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    // Baton reads no bytes from a sender who does not even claim to be GitHub.
    const signature = header(request, "x-hub-signature-256");
    if (!signaturePattern.test(signature))
      throw new BatonError("BATON_SIGNATURE_INVALID", "The delivery has no X-Hub-Signature-256.");
    const body = await readBody(request, {
      what: "delivery",
      bytesMax: limits.deliveryBytesMax,
      deadlineMs: options.bodyDeadlineMs ?? bodyDeadlineMs,
    });
    if (!(await isSigned(options.secrets, body, signature))) {
      throw new BatonError("BATON_SIGNATURE_INVALID", "The delivery's signature does not match.");
    }
    const inserted = await keep(options, request, body);
    answer(response, inserted ? 202 : 200, { ok: true, duplicate: !inserted });
  } catch (thrown) {
    const error = toBatonError(thrown);
    const status = error.treatment === "retryable" ? 503 : errorCatalogue[error.code].httpStatus;
    options.log.warn("A delivery was refused", { code: error.code, guid: header(request, "x-github-delivery"), error });
    // DL3: the words of a database or an internal fault are for the log.
    const message = status < 500 ? error.message : "The delivery could not be kept. Send it again.";
    answer(response, status, { ok: false, code: error.code, message }, !request.complete);
  }
}

async function keep({ store, clock }: DeliverOptions, request: IncomingMessage, body: Buffer): Promise<boolean> {
  const guid = header(request, "x-github-delivery");
  const event = header(request, "x-github-event");
  if (!guidPattern.test(guid) || !eventPattern.test(event))
    throw new BatonError("BATON_PAYLOAD_INVALID", "The delivery lacks X-GitHub-Delivery or X-GitHub-Event.");
  const payload = parse(body);
  // DL3: these values have their own columns, and a database does not accept every text and number.
  const named = payload["action"];
  const action = typeof named === "string" && eventPattern.test(named) ? named : null;
  const { id: installationId } = (payload["installation"] ?? {}) as { id?: unknown };
  // Several hooks may get one GUID, so the hook is part of the key.
  const hook = header(request, "x-github-hook-id") || "app";
  if (!guidPattern.test(hook))
    throw new BatonError("BATON_PAYLOAD_INVALID", "The delivery's X-GitHub-Hook-ID is not one of GitHub's.");
  const delivery = {
    hook,
    guid,
    event,
    action,
    installationId: typeof installationId === "number" && Number.isSafeInteger(installationId) ? installationId : null,
    payload: body.toString("utf8"),
    receivedAt: clock.now(),
  };
  try {
    const reason = cannotMatter(event, payload, guid);
    if (reason !== null) return await store.insertDelivery({ ...delivery, note: reason }, null);
    return await store.insertDelivery(delivery, { queue: "delivery", data: { hook, guid } });
  } catch (thrown) {
    // Baton did not keep the delivery, whatever the failure was. The sender may send it again.
    throw toBatonError(thrown, "BATON_DATABASE_UNAVAILABLE");
  }
}

function parse(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (thrown) {
    throw new BatonError(
      "BATON_PAYLOAD_INVALID",
      "The delivery's body is not JSON. Set the hook's content type to application/json.",
      { cause: thrown },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new BatonError("BATON_PAYLOAD_INVALID", "The delivery's body is not a JSON object.");
  return value as Record<string, unknown>;
}

/** Verifies the bytes as they came (DL1): text that is valid UTF-8 has no other bytes. Fails without a secret. */
async function isSigned(secrets: readonly string[], body: Buffer, signature: string): Promise<boolean> {
  if (body.length === 0 || !isUtf8(body)) return false;
  const text = body.toString("utf8");
  for (const secret of secrets) {
    if (secret !== "" && (await new Webhooks({ secret }).verify(text, signature))) return true;
  }
  return false;
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

/** `cut`: Baton does not want the rest of the request, so its connection ends with the answer. */
function answer(response: ServerResponse, status: number, body: object, cut = false): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", ...(cut ? { connection: "close" } : {}) });
  response.end(JSON.stringify(body));
}
