/** Bots that a repository lists, and who they are for commands and events. */
import type { Settings } from "../config/schema.ts";
import type { Actor, Permission, Repository } from "../core/vocabulary.ts";
import type { Github, GithubUser } from "../ports/github.ts";

/** Ids of bots that may give commands, each with the permission from the configuration. null: GitHub's permission counts. */
export function listedBots(settings: Settings): Map<number, Permission | null> {
  return new Map(
    settings.commands.bots.map((bot) => (typeof bot === "number" ? [bot, null] : [bot.id, bot.permission])),
  );
}

/** HC2. GitHub gives bots of Apps no permission on a repository, so the configuration says which one they have. */
export async function actorOf(
  github: Github,
  { repository, author }: { repository: Repository; author: GithubUser },
  bots: Map<number, Permission | null>,
): Promise<Actor> {
  const permission = author.kind === "bot" ? (bots.get(author.id) ?? null) : null;
  return permission === null ? github.actor(repository, author) : { ...author, permission };
}
