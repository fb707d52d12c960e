/**
 * May this person give this command here? One verdict with every rule that was looked at, so that `/baton why` can tell.
 *
 * Z1 Identity is the numeric id and the permission that GitHub reports now; names and association labels decide nothing.
 * Z2 A refusal quotes the rule and says who can.
 * Z3 What is not allowed is denied: an unknown case never passes.
 */
import type { Settings } from "../config/schema.ts";
import type { Actor, Permission, Verdict } from "../core/vocabulary.ts";
import { atLeast } from "./permission.ts";

export interface CommandFacts {
  command: string;
  actor: Actor;
  /** The App's own bot user. */
  ownUserId: number;
  /** Which permission the command needs: `run`, `steer`, or nothing to read. */
  needs: "run" | "steer" | "read";
  /** True when the thread is a pull request whose head is in another repository. */
  headIsFork: boolean;
  /** True when the command makes Baton work on that head. */
  worksOnHead: boolean;
  settings: Settings;
}

type Rule = (facts: CommandFacts) => Verdict;

const rules: Rule[] = [notItself, notABot, permitted, notAFork];

export function decideCommand(facts: CommandFacts): Verdict {
  const children = rules.map((rule) => rule(facts));
  const denied = children.find(({ status }) => status !== "passed");
  return {
    name: `command ${facts.command}`,
    status: denied === undefined ? "passed" : "failed",
    reason: denied?.reason ?? `@${facts.actor.login} may \`/baton ${facts.command}\`.`,
    evidence: [{ label: "actor", value: `@${facts.actor.login} (${facts.actor.permission})` }],
    children,
  };
}

function notItself({ actor, ownUserId }: CommandFacts): Verdict {
  return rule("not-itself", actor.id !== ownUserId, "Baton does not take commands from itself.");
}

function notABot({ actor, settings }: CommandFacts): Verdict {
  const allowed = actor.kind === "user" || settings.commands.bots.includes(actor.id);
  return rule("people-only", allowed, `@${actor.login} is a bot that \`commands.bots\` does not list.`);
}

function permitted({ actor, command, needs, settings }: CommandFacts): Verdict {
  const needed: Permission = needs === "read" ? "read" : settings.commands[needs];
  const sentence =
    `\`/baton ${command}\` needs the permission **${needed}** on this repository (\`commands.${needs}\`); ` +
    `@${actor.login} has **${actor.permission}**. Somebody with ${needed} access can ask for it.`;
  return rule("permission", atLeast(actor.permission, needed), sentence);
}

function notAFork({ headIsFork, worksOnHead }: CommandFacts): Verdict {
  const sentence =
    "This pull request comes from a fork. Baton never runs an agent on a fork's head: its files are not trusted, and the run would have model keys and a write token beside them. " +
    "A maintainer can push the branch to this repository and ask there.";
  return rule("no-fork-head", !(headIsFork && worksOnHead), sentence);
}

function rule(name: string, holds: boolean, otherwise: string): Verdict {
  return { name, status: holds ? "passed" : "failed", reason: holds ? "holds" : otherwise, evidence: [], children: [] };
}
