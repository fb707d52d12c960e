/** How long a model's service asks to wait: headers, or a detail of its error. What cannot be read is nothing. */
import type { IncomingHttpHeaders } from "node:http";
import { limits } from "../../core/limits.ts";
import { fields, list, text } from "../harness/fields.ts";

export function retryAfterMs(headers: IncomingHttpHeaders, body: Buffer, now: number): number | null {
  const asked = [
    seconds(headers["retry-after-ms"], 1),
    seconds(headers["retry-after"], 1_000) ?? dateMs(headers["retry-after"], now),
    detailMs(body),
  ].filter((ms) => ms !== null);
  return asked.length === 0 ? null : Math.min(Math.max(...asked), limits.modelPauseMsMax);
}

function seconds(value: string | string[] | undefined, unitMs: number): number | null {
  return typeof value === "string" && /^\s*\d{1,12}(?:\.\d{1,9})?\s*$/.test(value)
    ? Math.ceil(Number(value) * unitMs)
    : null;
}

/** RFC 9110: an HTTP date. */
function dateMs(value: string | undefined, now: number): number | null {
  if (value === undefined || !/^[A-Za-z]{3,9}, .{10,30} GMT$/.test(value.trim())) return null;
  const at = Date.parse(value);
  return Number.isFinite(at) ? Math.max(0, at - now) : null;
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
    // Half an answer, or none in JSON.
  }
  return null;
}
