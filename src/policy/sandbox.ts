/**
 * Decides whether an attempt runs in the sandbox, without it, or not at all. Pure.
 *
 * SP1 The stricter setting of operator and repository counts: a repository cannot go below the operator's floor.
 * SP2 `require` without a working sandbox refuses, before any money is spent.
 * SP3 `prefer` without a working sandbox continues without it and says so. As root, that needs the operator's
 *     permission.
 * SP4 Baton's own scripted agent needs no sandbox unless somebody requires one.
 */
import type { ErrorData } from "../core/errors.ts";

/** How much an agent needs a sandbox, as the operator or a repository sets it. */
export type SandboxMode = "require" | "prefer" | "off";

/** Whether this machine can confine an agent. */
export interface SandboxState {
  /** The sandbox stopped every break-out probe. */
  works: boolean;
  /** Implementation and version, as `bubblewrap 0.8.0`. */
  name: string;
  /** Why it does not work, in one sentence. null: it works. */
  problem: string | null;
  /** The fix on this system: a command or a setting. null: it works. */
  remedy: string | null;
}

export interface SandboxFacts {
  /** The operator's floor. */
  operator: SandboxMode;
  /** The setting in `baton.yaml`. null: there is none. */
  repository: SandboxMode | null;
  sandbox: SandboxState;
  /** Baton runs as root, so an agent without a sandbox would, too. */
  root: boolean;
  /** The agent is the scripted agent of the demo and the tests. */
  scripted: boolean;
}

export type SandboxDecision =
  | { kind: "confined" }
  /** `reason` is null when somebody switched the sandbox off: nobody needs that news. */
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
