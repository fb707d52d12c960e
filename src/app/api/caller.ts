/** The sender of a request to the HTTP API, and the repositories and actions that are open to them. */
import type { Settings } from "../../config/schema.ts";
import { BatonError, hasCode } from "../../core/errors.ts";
import type { Actor, Repository } from "../../core/vocabulary.ts";
import { decideCommand } from "../../policy/decide-command.ts";
import type { GithubUser } from "../../ports/github.ts";
import type { Dependencies } from "../../runner/dependencies.ts";
import { type TokenScope, tokenScopes } from "./tokens.ts";

export type Caller =
  | {
      kind: "token";
      id: string;
      name: string;
      scope: Exclude<TokenScope, "metrics">;
      person: GithubUser;
      repositories: readonly string[];
      owners: readonly string[];
    }
  /** Signed in with GitHub. */
  | { kind: "person"; id: string; person: GithubUser }
  /** Anyone with access to Baton's data may do the same on the command line. */
  | { kind: "operator"; id: string; person: GithubUser };

/** A person needs the permission of this command in a thread. */
export interface Demand {
  command: string;
  needs: "run" | "steer" | "read" | "admin";
}

export function hasScope(caller: Caller, scope: TokenScope): boolean {
  return caller.kind !== "token" || tokenScopes.indexOf(caller.scope) >= tokenScopes.indexOf(scope);
}

/** One error for all that a caller may not know about (AX1). */
export function hidden(what: string): BatonError {
  return new BatonError("BATON_NO_RUN", `There is no ${what}, or you may not read it.`);
}

/**
 * The rights of one caller during one request.
 *
 * AX1 A repository beyond the token, or one where the person has no permission, looks as if it did not exist.
 * AX2 Baton asks GitHub for the permission at each request. If GitHub does not answer, the request fails.
 * AX3 A person is a number. A login that changed hands has no permission.
 */
export class Access {
  readonly caller: Caller;
  readonly #dependencies: Pick<Dependencies, "github" | "owners">;
  readonly #actors = new Map<number, Promise<Actor>>();

  constructor(dependencies: Pick<Dependencies, "github" | "owners">, caller: Caller) {
    this.#dependencies = dependencies;
    this.caller = caller;
  }

  /** For a later moment of the same connection: Baton asks GitHub again. */
  again(): Access {
    return new Access(this.#dependencies, this.caller);
  }

  /** By name alone, without a call to GitHub. */
  reaches({ owner, name }: Pick<Repository, "owner" | "name">): boolean {
    const { owners = null } = this.#dependencies;
    const account = owner.toLowerCase();
    if (owners !== null && !owners.includes(account)) return false;
    const { caller } = this;
    return (
      caller.kind !== "token" ||
      caller.owners.includes(account) ||
      caller.repositories.includes(`${account}/${name.toLowerCase()}`)
    );
  }

  /** AX2, AX3. Within one request, the answer for a repository stays. */
  actor(repository: Repository): Promise<Actor> {
    const known = this.#actors.get(repository.id);
    if (known !== undefined) return known;
    const asked = this.#ask(repository);
    this.#actors.set(repository.id, asked);
    return asked;
  }

  async #ask(repository: Repository): Promise<Actor> {
    const { caller } = this;
    if (!this.reaches(repository)) return { ...caller.person, permission: "none" };
    if (caller.kind === "operator") return { ...caller.person, permission: "admin" };
    try {
      const github = await this.#dependencies.github.installation(repository.installationId);
      const found = await github.person(repository, caller.person.login);
      return { ...caller.person, permission: found?.id === caller.person.id ? found.permission : "none" };
    } catch (thrown) {
      // The App was removed from the repository, or the repository is gone.
      if (hasCode(thrown, "BATON_GITHUB_NOT_FOUND") || hasCode(thrown, "BATON_GITHUB_DENIED"))
        return { ...caller.person, permission: "none" };
      throw thrown;
    }
  }

  /** By the policy of comments. null: the caller may not even know that it exists (AX1). */
  async verdict(repository: Repository, { command, needs }: Demand, settings: Settings) {
    const actor = await this.actor(repository);
    if (actor.permission === "none") return null;
    const { bot } = await this.#dependencies.github.identity();
    return decideCommand({
      command,
      actor,
      ownUserId: bot.id,
      needs,
      headIsFork: false,
      worksOnHead: false,
      settings,
    });
  }

  /** `what`: for the error, when the caller may not know. */
  async demand(repository: Repository, demand: Demand, settings: Settings, what: string): Promise<void> {
    const verdict = await this.verdict(repository, demand, settings);
    if (verdict === null) throw hidden(what);
    if (verdict.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", verdict.reason);
  }
}
