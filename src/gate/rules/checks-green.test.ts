import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../config/schema.ts";
import { type CheckFact, type ChecksFacts, checksGreen } from "./checks-green.ts";

const sha = "a".repeat(40);
const gates = defaultSettings.gates;
const check = (change: Partial<CheckFact> = {}): CheckFact => ({
  name: "test",
  appId: 15_368,
  sha,
  status: "completed",
  conclusion: "success",
  id: 1,
  url: null,
  startedAt: null,
  summary: "",
  ...change,
});
const facts = (change: Partial<ChecksFacts> = {}): ChecksFacts => ({ sha, checks: [check()], required: [], ownAppId: 99, since: 0, ...change });
const status = (change: Partial<ChecksFacts>, settings = {}, now = 1_000) => checksGreen(facts(change), { ...gates, ...settings }, now).status;

describe("checks-green", () => {
  it.each([
    ["success", "passed"],
    ["failure", "failed"],
    ["neutral", "failed"],
    ["cancelled", "failed"],
    ["skipped", "failed"],
    ["timed_out", "failed"],
    ["action_required", "failed"],
    ["stale", "failed"],
    [null, "failed"],
  ] as const)("a check that ends %s is %s", (conclusion, expected) => {
    expect(status({ checks: [check({ conclusion })] })).toBe(expected);
  });

  it("neutral and skipped pass only where a setting says so", () => {
    expect(status({ checks: [check({ conclusion: "neutral" })] }, { neutral: "pass" })).toBe("passed");
    expect(status({ checks: [check({ conclusion: "skipped" })] }, { skipped: "pass" })).toBe("passed");
  });

  it("U1: a green check of another commit counts for nothing", () => {
    expect(status({ checks: [check({ sha: "b".repeat(40) })] })).toBe("pending");
  });

  it("U1: only the newest of one name and App counts", () => {
    expect(status({ checks: [check({ id: 1, conclusion: "failure" }), check({ id: 2 })] })).toBe("passed");
    expect(status({ checks: [check({ id: 1 }), check({ id: 2, conclusion: "failure" })] })).toBe("failed");
  });

  it("U2: another App's check of the required name satisfies nothing", () => {
    const required = [{ name: "test", appId: 15_368 }];
    expect(status({ required, checks: [check({ appId: 666 })] })).toBe("pending");
    expect(status({ required, checks: [check()] })).toBe("passed");
  });

  it("with required checks the others do not count", () => {
    const required = [{ name: "test", appId: null }];
    expect(status({ required, checks: [check(), check({ name: "lint", conclusion: "failure" })] })).toBe("passed");
  });

  it("U3: a required check that never appears is pending, then failed", () => {
    const required = [{ name: "e2e", appId: null }];
    expect(status({ required })).toBe("pending");
    expect(status({ required }, {}, gates.timeoutMinutes * 60_000)).toBe("failed");
  });

  it("U3: a check that does not end is pending, then failed", () => {
    const checks = [check({ status: "in_progress", conclusion: null })];
    expect(status({ checks })).toBe("pending");
    expect(status({ checks }, {}, gates.timeoutMinutes * 60_000)).toBe("failed");
  });

  it("waits for the rest before a red check decides, so that a repair sees all", () => {
    const checks = [check({ conclusion: "failure" }), check({ name: "lint", status: "queued", conclusion: null })];
    expect(status({ checks })).toBe("pending");
  });

  it("no check at all: pending while they may appear, then as the setting says", () => {
    expect(status({ checks: [] })).toBe("pending");
    expect(status({ checks: [] }, {}, 90_000)).toBe("failed");
    expect(status({ checks: [] }, { noChecks: "pass" }, 90_000)).toBe("passed");
  });

  it("U4: Baton's own check is not evidence", () => {
    expect(status({ checks: [check({ appId: 99 })] }, {}, 90_000)).toBe("failed");
  });

  it("ignored checks do not count, required by setting ones do", () => {
    expect(status({ checks: [check(), check({ name: "flaky", conclusion: "failure" })] }, { ignore: ["flaky"] })).toBe("passed");
    expect(status({}, { required: ["e2e"] })).toBe("pending");
  });
});
