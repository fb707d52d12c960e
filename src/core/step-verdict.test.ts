import { describe, expect, it } from "vitest";
import type { EffectState } from "./state.ts";
import { stepStatus, stepVerdict } from "./step-verdict.ts";
import type { Verdict } from "./vocabulary.ts";

const verdict = (status: Verdict["status"]): Verdict => ({
  name: "v",
  status,
  reason: "why",
  evidence: [],
  children: [],
});
const step = (kind: EffectState["kind"], output: unknown, status: EffectState["status"] = "succeeded"): EffectState =>
  ({ kind, output, status, observed: null }) as EffectState;

describe("a red gate is nowhere called succeeded", () => {
  it.each([
    ["a green gate", step("gate", verdict("passed")), "succeeded", "passed"],
    ["a red gate", step("gate", verdict("failed")), "failed", "failed"],
    ["a gate that could not be judged", step("gate", verdict("error")), "failed", "error"],
    ["a child run that ended red", step("subprocess", { verdict: verdict("failed") }), "failed", "failed"],
    ["an approval", step("breakpoint", { decision: "approved", by: { login: "bob" } }), "succeeded", "passed"],
    ["a rejection", step("breakpoint", { decision: "rejected", by: null }), "failed", "failed"],
    ["an agent", step("agent", { text: "Did it." }), "succeeded", null],
    ["a gate that waits", step("gate", undefined, "requested"), "requested", null],
    ["one that failed as an effect", step("gate", undefined, "failed"), "failed", null],
  ] as const)("%s", (_, effect, status, decided) => {
    expect(stepStatus(effect)).toBe(status);
    expect(stepVerdict(effect)?.status ?? null).toBe(decided);
  });

  it("says who answered where nothing was observed", () => {
    expect(stepVerdict(step("breakpoint", { decision: "approved", by: { login: "bob" } }))?.reason).toBe(
      "approved by @bob",
    );
  });
});
