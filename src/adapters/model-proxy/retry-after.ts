/**
 * The pause that a model's service asks for, from its headers or a detail of its error. An unreadable value counts as
 * none.
 */
import type { IncomingHttpHeaders } from "node:http";
import { limits } from "../../core/limits.ts";
import { millisecondsOf, retryAfterOf } from "../../core/retry-after.ts";
import { fields, list, text } from "../model-service/fields.ts";

export function retryAfterMs(headers: IncomingHttpHeaders, body: Buffer, now: number): number | null {
  const asked = [
    millisecondsOf(headers["retry-after-ms"], 1),
    afterMs(headers["retry-after"], now),
    detailMs(body),
  ].filter((ms) => ms !== null);
  return asked.length === 0 ? null : Math.min(Math.max(...asked), limits.modelPauseMsMax);
}

/** A date in the past asks for no pause. */
function afterMs(value: string | undefined, now: number): number | null {
  const asked = retryAfterOf(value);
  if (asked === null) return null;
  return "afterMs" in asked ? asked.afterMs : Math.max(0, asked.at - now);
}

/** `google.rpc.RetryInfo`: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto */
function detailMs(body: Buffer): number | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    const error = fields(fields(Array.isArray(value) ? value[0] : value)["error"]);
    for (const detail of list(error["details"])) {
      const [, delay] = /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(text(detail["retryDelay"]) ?? "") ?? [];
      if (delay !== undefined) return Math.ceil(Number(delay) * 1_000);
    }
  } catch {
    // Half an answer, or an answer without JSON.
  }
  return null;
}
