import { expect, it } from "vitest";
import { demandHarness, harnessNamed, refuseHarness } from "./harness-names.ts";

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

it.each([
  ["cladue", /^Harness "cladue" is not known\. Did you mean `claude-code`\? Known: claude-code, codex, /],
  ["gemin", /Did you mean `gemini`\?/],
  ["zzz", /^Harness "zzz" is not known\. Known: claude-code, /],
])("%s is refused with what may have been meant", (word, message) => {
  expect(() => demandHarness(word, known)).toThrow(message);
});

it("in a file, where names are whole, a short one is refused with the whole one", () => {
  expect(() => refuseHarness("claude", known)).toThrow("Did you mean `claude-code`?");
});
