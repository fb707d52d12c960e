/**
 * The most that the effects of a process may do, regardless of its code. A process that only reads cannot push, even by
 * mistake.
 *
 * Owns: the names, and the effects that each allows. Does not own: the permissions of a repository
 * (`routing/profile.ts`, `policy/`).
 */
import type { AgentInput, EffectKind, PublishOperation } from "../core/effect.ts";

export const reaches = ["read-only", "plan-only", "verify-only"] as const;
export type Reach = (typeof reaches)[number];

const roles: Record<Reach, readonly AgentInput["role"][] | null> = {
  "read-only": null,
  "plan-only": ["plan"],
  "verify-only": ["verify", "review"],
};

/** Writes that change no code, and decide nothing for people. */
const saying: readonly PublishOperation["operation"][] = ["comment", "reply", "review", "check"];

/** Why an effect exceeds the reach. null: it does not. */
export function beyondReach(reach: Reach, kind: EffectKind, input: unknown): string | null {
  switch (kind) {
    case "agent": {
      const { access, role } = input as AgentInput;
      if (access !== "read-only") return "its agents change nothing";
      const allowed = roles[reach];
      return allowed === null || allowed.includes(role) ? null : `its agents are for ${allowed.join(" and ")} only`;
    }
    case "publish":
      return saying.includes((input as { publish: PublishOperation }).publish.operation) ? null : "it only comments";
    case "shell":
      return reach === "plan-only" ? "it runs no commands" : null;
    case "join":
      return "it makes no commits";
    case "subprocess":
      return "another process might do more";
    case "base":
    case "place":
    case "gate":
    case "breakpoint":
    case "ask":
    case "sleep":
      return null;
  }
}
