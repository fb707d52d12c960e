import { describe, expect, it } from "vitest";
import { limits } from "../../core/limits.ts";
import { askedPauseMs } from "./asked-pause.ts";

const now = Date.UTC(2026, 10, 30, 12);
const seconds = now / 1_000;

describe("the pause that GitHub asks for", () => {
  it.each<[string, Record<string, string>, number | null]>([
    ["seconds", { "retry-after": "17" }, 17_000],
    ["no time at all", { "retry-after": "0" }, 0],
    ["a date to come", { "retry-after": "Mon, 30 Nov 2026 12:01:00 GMT" }, 60_000],
    ["a date that is over", { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, null],
    ["a negative number", { "retry-after": "-5" }, null],
    ["more than an hour", { "retry-after": "1000000000" }, limits.githubPauseMsMax],
    ["a date in a thousand years", { "retry-after": "Mon, 30 Nov 3026 12:00:00 GMT" }, limits.githubPauseMsMax],
    ["nothing", { "retry-after": "" }, null],
    ["a fraction", { "retry-after": "1.5" }, null],
    ["another notation", { "retry-after": "0x10" }, null],
    ["infinity", { "retry-after": "Infinity" }, null],
    ["words", { "retry-after": "soon" }, null],
    ["the end of the window", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${seconds + 90}` }, 90_000],
    ["a window that is over", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${seconds - 90}` }, null],
    ["a window without end", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999999999" }, 3_600_000],
    ["a window that has requests left", { "x-ratelimit-remaining": "7", "x-ratelimit-reset": `${seconds + 90}` }, null],
    [
      "words, and the end of the window",
      { "retry-after": "soon", "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${seconds + 90}` },
      90_000,
    ],
  ])("%s", (_, headers, expected) => {
    expect(askedPauseMs(headers, now)).toBe(expected);
  });
});
