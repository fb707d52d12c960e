import { expect, it } from "vitest";
import { BatonError } from "../../core/errors.ts";
import { afterLag } from "./replica-lag.ts";

const missing = new BatonError("BATON_GITHUB_NOT_FOUND", "GET /pulls/7: 404 Not Found");

it.each([
  ["a 404 at once is tried again soon", missing, 0, "BATON_GITHUB_UNAVAILABLE", 2_000],
  ["a 404 just within the time that replicas may need", missing, 59_999, "BATON_GITHUB_UNAVAILABLE", 2_000],
  ["a 404 after that is believed", missing, 60_000, "BATON_GITHUB_NOT_FOUND", undefined],
  ["another error stays what it is", new BatonError("BATON_GITHUB_DENIED", "403"), 0, "BATON_GITHUB_DENIED", undefined],
] as const)("%s", (_, error, ageMs, code, retryAfterMs) => {
  const judged = afterLag(error, { requestedAt: 1_000 }, 1_000 + ageMs);
  expect([judged.code, judged.retryAfterMs]).toEqual([code, retryAfterMs]);
});
