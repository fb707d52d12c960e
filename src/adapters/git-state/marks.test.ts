import { expect, it } from "vitest";
import { judgePosition, type RefPosition } from "./marks.ts";

const at = (position: number, sha: string | null): RefPosition => ({ position, sha });

it.each<[string, RefPosition, RefPosition | undefined, string]>([
  ["a thread that nobody marked", at(0, null), undefined, "fine"],
  ["a first commit of an earlier Baton, which counted none", at(0, "a"), undefined, "fine"],
  ["where it was marked", at(4, "a"), at(4, "a"), "fine"],
  ["further than it was marked", at(9, "b"), at(4, "a"), "fine"],
  ["one commit back", at(3, "b"), at(4, "a"), "older"],
  ["at a commit of an earlier Baton", at(0, "b"), at(4, "a"), "older"],
  ["removed", at(0, null), at(4, "a"), "gone"],
  ["as far, but another commit", at(4, "b"), at(4, "a"), "unclear"],
  ["begun again after it was forgotten", at(1, "b"), at(0, null), "fine"],
])("%s", (_, found, mark, verdict) => {
  expect(judgePosition(found, mark)).toBe(verdict);
});
