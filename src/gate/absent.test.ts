import { expect, it } from "vitest";
import type { Verdict } from "../core/vocabulary.ts";
import { absence, isOnlyAbsence } from "./absent.ts";

const of = (status: Verdict["status"], children: Verdict[] = [], absent = false): Verdict => ({
  name: "checks",
  status,
  reason: "",
  evidence: absent ? [absence("lint")] : [],
  children,
});
const absent = of("failed", [], true);

it.each([
  ["nothing appeared", absent, true],
  ["nothing appeared beside what does not count", of("failed", [of("skipped")], true), true],
  ["one of several never appeared", of("failed", [of("passed"), absent]), true],
  ["one is red beside it", of("failed", [absent, of("failed")]), false],
  ["one was not judged beside it", of("failed", [absent, of("error")]), false],
  ["red without a word of why", of("failed"), false],
  ["still waiting", of("pending", [], true), false],
  ["green", of("passed"), false],
])("%s", (_, verdict, expected) => {
  expect(isOnlyAbsence(verdict)).toBe(expected);
});
