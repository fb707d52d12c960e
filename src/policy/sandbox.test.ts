import { describe, expect, it } from "vitest";
import type { SandboxMode, SandboxState } from "./sandbox.ts";
import { decideSandbox, effectiveMode } from "./sandbox.ts";

const works: SandboxState = { works: true, name: "bubblewrap 0.8.0", problem: null, remedy: null };
const broken: SandboxState = {
  works: false,
  name: "bubblewrap",
  problem: "bubblewrap is not installed.",
  remedy: "apt-get install bubblewrap",
};
const modes: SandboxMode[] = ["require", "prefer", "off"];

describe("the mode of an attempt", () => {
  it.each(modes.flatMap((operator) => [null, ...modes].map((repository) => ({ operator, repository }))))(
    "$operator by the operator and $repository by the repository is never below the operator's",
    ({ operator, repository }) => {
      const mode = effectiveMode(operator, repository);
      expect(modes.indexOf(mode)).toBeLessThanOrEqual(modes.indexOf(operator));
      expect([operator, repository]).toContain(mode);
    },
  );
});

describe("where an attempt runs", () => {
  const decide = (facts: Partial<Parameters<typeof decideSandbox>[0]>) =>
    decideSandbox({ operator: "require", repository: null, sandbox: broken, root: false, scripted: false, ...facts });

  it("is refused without a sandbox that is required, with the way to get one", () => {
    expect(decide({})).toEqual({
      kind: "refused",
      error: {
        code: "BATON_SANDBOX_UNAVAILABLE",
        message:
          "No agent was started: the operator requires a sandbox. bubblewrap is not installed. Fix: apt-get install bubblewrap",
      },
    });
    expect(decide({ operator: "off", repository: "require" })).toMatchObject({
      kind: "refused",
      error: { message: expect.stringContaining("`baton.yaml` requires") as string },
    });
  });

  it("is the sandbox where there is one", () => {
    expect(decide({ sandbox: works })).toEqual({ kind: "confined" });
    expect(decide({ sandbox: works, operator: "prefer", root: true })).toEqual({ kind: "confined" });
  });

  it("is the open under prefer, with the reason; never as root without the operator's word", () => {
    expect(decide({ operator: "prefer" })).toEqual({ kind: "open", reason: "bubblewrap is not installed." });
    expect(decide({ operator: "prefer", root: true })).toMatchObject({ kind: "refused" });
    expect(decide({ operator: "off", repository: "prefer", root: true })).toMatchObject({ kind: "open" });
    expect(decide({ operator: "off", root: true })).toEqual({ kind: "open", reason: null });
  });

  it("is the open for the scripted agent, unless somebody requires a sandbox", () => {
    expect(decide({ operator: "prefer", scripted: true, root: true })).toEqual({ kind: "open", reason: null });
    expect(decide({ scripted: true })).toMatchObject({ kind: "refused" });
  });
});
