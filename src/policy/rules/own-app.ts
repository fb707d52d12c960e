import type { CommandFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

/** Baton's own comments quote commands. Obeying them would be a loop. */
export const ownApp: Rule<CommandFacts> = {
  name: "not-itself",
  summary: "Baton does not take commands from itself.",
  judge: ({ actor, ownUserId }) =>
    actor.id === ownUserId ? deny("Baton does not take commands from itself.") : allow(`@${actor.login} is not Baton.`),
};
