/**
 * The pause that GitHub asks for, read from the headers of a refusal.
 *
 * AP1 The answer is always a number from 0 to `limits.githubPauseMsMax`. Nothing negative reaches the journal,
 *     and no header stops an installation for longer than GitHub's own window.
 */
import { limits } from "../../core/limits.ts";
import { retryAfterOf } from "../../core/retry-after.ts";

type AnswerHeaders = Readonly<Record<string, string | undefined>>;

/** Milliseconds. Null: no readable value. */
export function askedPauseMs(headers: AnswerHeaders, now: number): number | null {
  const asked = afterMs(headers["retry-after"], now) ?? resetMs(headers, now);
  return asked === null ? null : Math.min(asked, limits.githubPauseMsMax);
}

/** Whole seconds, as GitHub sends them. A date in the past is ignored. Then the end of the window counts. */
function afterMs(value: string | undefined, now: number): number | null {
  const asked = retryAfterOf(value);
  if (asked === null) return null;
  if ("afterMs" in asked) return asked.afterMs % 1_000 === 0 ? asked.afterMs : null;
  return asked.at > now ? asked.at - now : null;
}

/**
 * Seconds since the epoch, once nothing remains:
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
function resetMs(headers: AnswerHeaders, now: number): number | null {
  if (headers["x-ratelimit-remaining"] !== "0") return null;
  const reset = /^\d{1,12}$/.exec(headers["x-ratelimit-reset"] ?? "")?.[0];
  return reset === undefined || Number(reset) * 1_000 <= now ? null : Number(reset) * 1_000 - now;
}
