import { describe, expect, it } from "vitest";
import { nearestWithin } from "./nearest.ts";

const processes = [
  "issue-to-pr",
  "plan",
  "race",
  "explore",
  "review",
  "verify",
  "implement",
  "fix-ci",
  "coordinator",
  "sweep",
];

describe("a first word at most two edits from a process is asked about, however short it is", () => {
  it.each([
    ["planer", "plan"],
    ["palns", "plan"],
    ["rcea", "race"],
    ["pln", "plan"],
    ["rase", "race"],
    ["traces", "race"],
    ["explroe", "explore"],
    ["fixci", "fix-ci"],
    ["Plan", "plan"],
    ["swepe", "sweep"],
  ])("%s: %s", (word, meant) => {
    expect(nearestWithin(word, processes, 2)).toBe(meant);
  });

  it.each(["planners", "make", "take", "keep", "fix", "add", "please", "update", "here", "again", "rewrite"])(
    "%s is an instruction",
    (word) => {
      expect(nearestWithin(word, processes, 2)).toBeNull();
    },
  );
});
