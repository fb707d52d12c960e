/**
 * Whether an attempt runs in the sandbox, in the open, or not at all. Pure.
 *
 * SP1 The stricter of the operator's and the repository's word counts: a repository cannot go below the operator's floor.
 * SP2 `require` without a working sandbox refuses, before money is spent.
 * SP3 `prefer` without one goes on in the open and says so, except as root: that needs the operator's own word.
 * SP4 Baton's own scripted agent needs no sandbox unless somebody requires one.
 */
import type { ErrorData } from "../core/errors.ts";

/** How much an agent needs a sandbox, by the operator's or a repository's word. */
export type SandboxMode = "require" | "prefer" | "off";

/** Whether this machine can confine an agent. */
export interface SandboxState {
  /** Every break-out probe was stopped. */
  works: boolean;
  /** Implementation and version, as `bubblewrap 0.8.0`. */
  name: string;
  /** Why not, in one sentence; null when it works. */
  problem: string | null;
  /** What makes it work on this system: a command or a setting; null when it works. */
  remedy: string | null;
}

export interface SandboxFacts {
  /** The operator's floor. */
  operator: SandboxMode;
  /** What `baton.yaml` says; null: nothing. */
  repository: SandboxMode | null;
  sandbox: SandboxState;
  /** Baton runs as root, so an agent in the open would, too. */
  root: boolean;
  /** The agent is the scripted one of the demo and the tests. */
  scripted: boolean;
}

export type SandboxDecision =
  | { kind: "confined" }
  /** `reason` is null when somebody switched the sandbox off: that is no news. */
  | { kind: "open"; reason: string | null }
  | { kind: "refused"; error: ErrorData };

const strictness: readonly SandboxMode[] = ["off", "prefer", "require"];

export function effectiveMode(operator: SandboxMode, repository: SandboxMode | null): SandboxMode {
  if (repository === null) return operator;
  return strictness.indexOf(repository) > strictness.indexOf(operator) ? repository : operator;
}

export function decideSandbox({ operator, repository, sandbox, root, scripted }: SandboxFacts): SandboxDecision {
  const mode = effectiveMode(operator, repository);
  if (scripted && mode !== "require") return { kind: "open", reason: null };
  if (mode === "off") return { kind: "open", reason: null };
  if (sandbox.works) return { kind: "confined" };
  const problem = sandbox.problem ?? "The sandbox does not work on this machine.";
  if (mode === "require") {
    const who = operator === "require" ? "the operator requires a sandbox" : "`baton.yaml` requires a sandbox";
    return refused(`No agent was started: ${who}. ${problem}`, sandbox);
  }
  if (root && operator !== "off")
    return refused(
      `No agent was started: Baton runs as root without a sandbox. ${problem} The operator can allow it with BATON_SANDBOX=off.`,
      sandbox,
    );
  return { kind: "open", reason: problem };
}

function refused(message: string, { remedy }: SandboxState): SandboxDecision {
  const error: ErrorData = {
    code: "BATON_SANDBOX_UNAVAILABLE",
    message: remedy === null ? message : `${message} Fix: ${remedy}`,
  };
  return { kind: "refused", error };
}
