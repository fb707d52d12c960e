import type { CommandFacts } from "../facts.ts";
import { allow, deny, type Rule } from "../rule.ts";

/** By id, because somebody else can register a bot's name. */
export const listedBots: Rule<CommandFacts> = {
  name: "people-only",
  summary: "Bots give commands only where `commands.bots` lists their id.",
  judge({ actor, settings }) {
    if (actor.kind === "user") return allow(`@${actor.login} is a person.`);
    if (settings.commands.bots.some((bot) => (typeof bot === "number" ? bot : bot.id) === actor.id))
      return allow(`@${actor.login} is a bot that \`commands.bots\` lists.`);
    return deny(
      `@${actor.login} is a bot that \`commands.bots\` does not list; people can give this command. To let the bot, add its id ${actor.id} there, with a permission.`,
    );
  },
};
