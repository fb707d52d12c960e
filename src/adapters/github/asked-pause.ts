/**
 * How long GitHub asks to wait, read from the headers of a refusal.
 *
 * AP1 The answer is a number from 0 to `limits.githubPauseMsMax`, whatever stands there: nothing negative reaches the journal,
 *     and no header stops an installation for longer than GitHub's own window.
 */
import { limits } from "../../core/limits.ts";

type Headers = Readonly<Record<string, string | undefined>>;

/** Milliseconds; null: nothing readable is said. */
export function askedPauseMs(headers: Headers, now: number): number | null {
  const asked = afterMs(headers["retry-after"], now) ?? resetMs(headers, now);
  return asked === null ? null : Math.min(asked, limits.githubPauseMsMax);
}

/** RFC 9110, section 10.2.3: whole seconds, or an HTTP date. */
function afterMs(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? "";
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Za-z]{3}, .{10,30} GMT$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isFinite(at) && at > now ? at - now : null;
}

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: seconds since the epoch, once nothing remains. */
function resetMs(headers: Headers, now: number): number | null {
  if (headers["x-ratelimit-remaining"] !== "0") return null;
  const reset = /^\d{1,12}$/.exec(headers["x-ratelimit-reset"] ?? "")?.[0];
  return reset === undefined || Number(reset) * 1_000 <= now ? null : Number(reset) * 1_000 - now;
}
