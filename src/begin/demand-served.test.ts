/** Baton refuses at once a model that no provider here serves, and names those that might. */
import { expect, it } from "vitest";
import { demandServed } from "./demand-served.ts";

const known = ["claude-code", "codex", "gemini", "own", "command"];
const settings = (change: { models?: string[]; fallback?: string[] } = {}) =>
  ({
    harness: { default: "claude-code", fallback: [], models: [], ...change },
    tiers: { own: { fast: "tiny" } },
  }) as unknown as Parameters<typeof demandServed>[3];

it.each([
  ["claude-opus-4-5", null, settings()],
  ["opus", null, settings()],
  ["strong", "gemini", settings({ models: ["gpt-5"] })],
  ["gpt-5", null, settings({ fallback: ["codex"] })],
  ["gpt-5", "codex", settings({ models: ["gpt-5"] })],
  ["claude-opus-4-5", "own", settings()],
])("%s of %s may be", (model, harness, given) => {
  demandServed(model, harness, known, given);
});

it.each([
  [
    "gpt-5",
    null,
    settings(),
    /^`claude-code` does not serve the model `gpt-5`\. These do, or may: `--harness codex`, `--harness own`\.$/,
  ],
  [
    "gemini-3-flash",
    "codex",
    settings(),
    /^`codex` does not serve the model `gemini-3-flash`\. These .*`--harness gemini`/,
  ],
  ["gemini-3-flash", null, settings({ fallback: ["codex"] }), /^None of claude-code, codex serves/],
  [
    "gpt-5",
    "codex",
    settings({ models: ["gpt-5-mini"] }),
    /not allowed here\. Allowed \(`harness\.models`\): gpt-5-mini\./,
  ],
])("%s of %s is refused", (model, harness, given, message) => {
  expect(() => demandServed(model, harness, known, given)).toThrow(message);
});
