/** Decides whether a person may give a command in a thread. */
import type { Verdict } from "../core/vocabulary.ts";
import type { CommandFacts } from "./facts.ts";
import { judge } from "./rule.ts";
import { policyRules } from "./rules/index.ts";

export type { CommandFacts } from "./facts.ts";

export function decideCommand(facts: CommandFacts): Verdict {
  const { actor, command } = facts;
  return judge({
    name: `command ${command}`,
    rules: policyRules.command,
    facts,
    allowed: `@${actor.login} may \`/baton ${command}\`.`,
    evidence: [{ label: "actor", value: `@${actor.login} (${actor.permission})` }],
  });
}
