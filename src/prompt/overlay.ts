/**
 * Overlays: instructions for an agent that is alone, asked, one of several, or only planning. The step and the profile
 * choose them.
 */
import type { AgentInput } from "../core/effect.ts";
import type { Facts } from "./facts.ts";

export const overlays = ["headless", "interactive", "worker", "plan-only", "resume"] as const;
export type Overlay = (typeof overlays)[number];

export function overlaysOf(given: {
  role: AgentInput["role"];
  access: "read-only" | "write";
  /** Name of the profile in force (`harness.profile`). */
  profile: string;
  facts: Pick<Facts, "questions" | "worker">;
  /** True if this step had an earlier attempt. */
  again: boolean;
}): Overlay[] {
  const { role, access, profile, facts, again } = given;
  const chosen: Record<Overlay, boolean> = {
    headless: facts.questions === undefined,
    interactive: facts.questions === "thread",
    worker: facts.worker !== undefined,
    "plan-only": role === "plan" || (profile === "plan-only" && access === "read-only"),
    resume: again,
  };
  return overlays.filter((overlay) => chosen[overlay]);
}
