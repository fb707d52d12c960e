/** The tasks and means that a profile allows for an agent: ready-made profiles, and those of `baton.yaml`. */
import type { AgentInput } from "../core/effect.ts";
import type { Capability } from "../core/vocabulary.ts";

export type Role = AgentInput["role"];
export type Capabilities = Readonly<Record<Capability, boolean>>;

export interface Profile {
  /** The most that an agent may do, whatever the step asks for. */
  access: "read-only" | "write";
  /** Steps that may be dispatched at all. Empty: any. */
  roles: readonly Role[];
  /** Capabilities that the harness must have. */
  needs: readonly Capability[];
  /** Harnesses that may be chosen. Empty: any. */
  harnesses: readonly string[];
  /** Replaces the model in `models`. */
  model: string | null;
}

export type Profiles = Readonly<Record<string, Profile>>;

const full: Profile = { access: "write", roles: [], needs: [], harnesses: [], model: null };
const readOnly: Profile = { ...full, access: "read-only", needs: ["readOnly"] };

export const readyProfiles: Profiles = {
  full,
  "read-only": readOnly,
  "plan-only": { ...readOnly, roles: ["plan"] },
  "verify-only": { ...readOnly, roles: ["verify", "review"] },
};

/** Null: there is none of that name. Ready-made profiles cannot be redefined, because their names describe them. */
export function findProfile(name: string, own: Profiles): Profile | null {
  if (Object.hasOwn(readyProfiles, name)) return readyProfiles[name] ?? null;
  return Object.hasOwn(own, name) ? (own[name] ?? null) : null;
}

/**
 * The intersection of both. If two lists have nothing in common, nothing is allowed. The profile then lists a name that
 * no harness has.
 */
export function bothProfiles(run: Profile, step: Profile): Profile {
  return {
    access: run.access === "read-only" || step.access === "read-only" ? "read-only" : "write",
    roles: inBoth(run.roles, step.roles, "none" as Role),
    needs: [...new Set([...run.needs, ...step.needs])],
    harnesses: inBoth(run.harnesses, step.harnesses, "none"),
    model: step.model ?? run.model,
  };
}

function inBoth<T>(run: readonly T[], step: readonly T[], none: T): readonly T[] {
  if (run.length === 0 || step.length === 0) return run.length === 0 ? step : run;
  const both = run.filter((one) => step.includes(one));
  return both.length === 0 ? [none] : both;
}
