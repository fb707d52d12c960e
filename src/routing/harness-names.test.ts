import { expect, it } from "vitest";
import { harnessNamed } from "./harness-names.ts";

const known = ["claude-code", "codex", "codex-next", "gemini", "team-a", "team-b"];

it.each([
  ["claude", "claude-code"],
  ["Claude", "claude-code"],
  ["claude-code", "claude-code"],
  ["codex", "codex"],
  ["team", null],
  ["cod", null],
  ["", null],
])("%j is %j", (word, harness) => {
  expect(harnessNamed(word, known)).toBe(harness);
});
