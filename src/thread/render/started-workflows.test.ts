import { expect, it } from "vitest";
import { startedWorkflows } from "./started-workflows.ts";

it.each([
  [{ started: 1, refused: 0 }, /^✅ \*\*1 workflow of `aaaaaaaaaaaa` may start\.\*\*/],
  [{ started: 0, refused: 2 }, /^⚠️ \*\*GitHub refused to start 2 workflows of `a{12}`\.\*\* Baton needs/],
  [{ started: 1, refused: 1 }, /refused to start 1 workflow .* 1 other workflow may start\. Baton needs/],
])("%j", (result, words) => {
  expect(startedWorkflows("a".repeat(40), result)).toMatch(words);
});
