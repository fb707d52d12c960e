/** GitHub's two limits: requests per hour, and writes per minute. */
import type { Actor } from "./access.ts";
import { Refusal } from "./answer.ts";

export interface RateLimitOptions {
  /** Requests per hour and caller. 5000 by default. */
  requestsPerHourMax?: number;
  /** Content writes per minute and caller. Not enforced by default. GitHub: 80. */
  contentWritesPerMinuteMax?: number;
}

interface Window {
  startedAtMs: number;
  used: number;
  writesMs: number[];
}

const hourMs = 3_600_000;
const minuteMs = 60_000;

export function secondaryLimit(retryAfterSeconds: number): Refusal {
  const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
  return new Refusal(403, message, { headers: { "retry-after": String(retryAfterSeconds) } });
}

export function createRateLimits(options: RateLimitOptions, now: () => Date) {
  const limit = options.requestsPerHourMax ?? 5000;
  const windows = new Map<string, Window>();

  function windowOf(caller: string): Window {
    const present = now().getTime();
    const found = windows.get(caller);
    if (found !== undefined && present - found.startedAtMs < hourMs) return found;
    const opened: Window = { startedAtMs: present, used: 0, writesMs: [] };
    windows.set(caller, opened);
    return opened;
  }

  function figures(caller: string) {
    const window = windowOf(caller);
    const reset = Math.ceil((window.startedAtMs + hourMs) / 1000);
    return { limit, used: Math.min(limit, window.used), remaining: Math.max(0, limit - window.used), reset };
  }

  return {
    figures,
    headers(caller: string): Record<string, string> {
      const { remaining, reset, used } = figures(caller);
      return {
        "x-ratelimit-limit": String(limit),
        "x-ratelimit-remaining": String(remaining),
        "x-ratelimit-used": String(used),
        "x-ratelimit-reset": String(reset),
        "x-ratelimit-resource": "core",
      };
    },
    /** Counts one request. Throws when it exceeds the limit. */
    count(caller: string, isWrite: boolean): void {
      const window = windowOf(caller);
      if (window.used >= limit) throw new Refusal(403, "API rate limit exceeded for installation.");
      window.used += 1;
      if (!isWrite || options.contentWritesPerMinuteMax === undefined) return;
      const present = now().getTime();
      window.writesMs = window.writesMs.filter((at) => present - at < minuteMs);
      const [oldest] = window.writesMs;
      if (oldest !== undefined && window.writesMs.length >= options.contentWritesPerMinuteMax) {
        throw secondaryLimit(Math.max(1, Math.ceil((oldest + minuteMs - present) / 1000)));
      }
      window.writesMs.push(present);
    },
    /** A 304 does not count. */
    refund(caller: string): void {
      windowOf(caller).used -= 1;
    },
  };
}
export type RateLimits = ReturnType<typeof createRateLimits>;

export function callerKey(actor: Actor): string {
  switch (actor.kind) {
    case "anonymous":
      return "anonymous";
    case "user":
      return `user/${actor.userId}`;
    case "app":
      return `app/${actor.app.id}`;
    case "installation":
      return `installation/${actor.installation.id}`;
  }
}
