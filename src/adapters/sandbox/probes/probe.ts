/**
 * One way out of a sandbox, as an attack that really runs.
 *
 * PR1 A probe that could not run counts as not stopped.
 * PR2 Each probe has a canary of its own and succeeds with the sandbox off. If it cannot, it says why.
 */
import type { World } from "./world.ts";

export interface Probe {
  name: string;
  /** Its origin: Baton's list of attacks, or a public suite. */
  source: string;
  /**
   * JavaScript of an async function. `targets` is in scope. `brokeOut(text)` reports a success, and so does printing
   * the canary.
   */
  attack: string;
  /** Runs before the sandbox starts, to leave the traces of an earlier attempt. */
  plant?(world: World): Promise<void>;
  /** Runs outside, after the attempt. Returns the damage, or null. */
  damage?(world: World): Promise<string | null>;
  /** Further directories that the attempt may write. */
  writable?(world: World): string[];
  hosts?: readonly string[];
  /** It may end the targets of other probes, so it runs in an attempt of its own. */
  isAlone?: true;
  /** Why it does not succeed here even with the sandbox off, or null. */
  forbidden?(host: ProbeHost): string | null;
  /** Belongs to the part that runs at each start. */
  isQuick?: true;
}

/** Facts that decide whether an attack is possible without a sandbox. */
export interface ProbeHost {
  isRoot: boolean;
  /** Version 1 of control groups, where `release_agent` is a file. */
  hasReleaseAgent: boolean;
  hasDefaultRoute: boolean;
  hasIpv6: boolean;
  paths: ReadonlySet<string>;
}

export type Verdict = "stopped" | "not stopped" | "could not run";

export interface ProbeResult {
  name: string;
  source: string;
  verdict: Verdict;
  /** How it got out, or why it could not run. */
  detail: string | null;
}

const baton = "Baton's attack list";
export const sources = {
  baton,
  case: (name: string): string => `case ${name}`,
  /** 18 scenarios in three layers: https://arxiv.org/abs/2603.02277 */
  escapeBench: (scenario: string): string => `SandboxEscapeBench: ${scenario}`,
  /**
   * 8 escape, 3 exfiltration, 4 discovery:
   * https://ukgovernmentbeis.github.io/inspect_evals/evals/cybersecurity/sandboxbench/
   */
  sandboxBench: (challenge: string): string => `SandboxBench: ${challenge}`,
} as const;

/** Null for root. Used by attacks that only root may try. */
export const rootOnly = ({ isRoot }: ProbeHost): string | null =>
  isRoot ? null : "the kernel forbids it to an ordinary user";
