import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { grammars } from "../thread/grammar/index.ts";
import { renderCommandHelp, renderHelp } from "../thread/help.ts";
import type { CommandHandler } from "./context.ts";

export const help: CommandHandler = async ({ actor, settings, configuration, dependencies, command }) => {
  const processes = dependencies.processes
    .names()
    .map((name) => ({ name, summary: dependencies.processes.latest(name).summary }));
  const facts = { login: actor.login, permission: actor.permission, settings, configuration, processes };
  const word = command.positional[0] as string | undefined;
  if (word === undefined) return renderHelp(facts);
  const grammar = grammars.find(({ name }) => name === word);
  if (grammar === undefined) {
    const meant = nearest(
      word,
      grammars.map(({ name }) => name),
    );
    throw new BatonError(
      "BATON_COMMAND_UNKNOWN",
      `There is no command "${word.slice(0, 40)}".${meant === null ? "" : ` Did you mean \`/baton help ${meant}\`?`}`,
    );
  }
  return renderCommandHelp(grammar, facts);
};
