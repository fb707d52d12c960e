/** Set-up pull requests for anyone with access to Baton's data: the command line. A running App opens them. */
import { BatonError } from "../core/errors.ts";
import { endWords, type SetupBook, type SetupRules, waiting, withArrived } from "../onboarding/book.ts";
import { matchesAny } from "../policy/paths.ts";
import { isServed } from "../policy/served-owners.ts";
import type { ValuePlace } from "../runner/change-value.ts";
import { knownRepositories } from "../runner/schedule-book.ts";
import { changeSetupBook, readSetupBook } from "./onboard.ts";

export interface SetupLine {
  repository: string;
  /** For people. */
  state: string;
  pullRequest: number | null;
}

export interface SetupRequest {
  owner: string;
  /** Names or globs. */
  repositories: readonly string[];
  /** null: the setting. */
  perDay: number | null;
}

export class SetupRequests {
  readonly #place: ValuePlace;
  readonly #rules: SetupRules;
  readonly #owners: readonly string[] | null;

  constructor(place: ValuePlace, rules: SetupRules, owners: readonly string[] | null) {
    this.#place = place;
    this.#rules = rules;
    this.#owners = owners;
  }

  /** Asks the App for a pull request in each matching repository that never had one. Returns all of the account. */
  async ask({ owner, repositories: globs, perDay }: SetupRequest): Promise<SetupLine[]> {
    if (!isServed(this.#owners, owner))
      throw new BatonError("BATON_POLICY_DENIED", `${owner.slice(0, 60)} is not among BATON_OWNERS.`);
    const known = (await knownRepositories(this.#place.store))?.repositories ?? [];
    const fit = known.filter((one) => one.owner.toLowerCase() === owner.toLowerCase() && matchesAny(one.name, globs));
    if (fit.length === 0)
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `No repository of ${owner.slice(0, 60)} fits ${globs.join(", ").slice(0, 200)}. This App knows ${known.length}, and lists them once an hour.`,
      );
    const at = this.#place.clock.now();
    const installations = [...new Set(fit.map(({ installationId }) => installationId))];
    const book = await changeSetupBook(this.#place, owner, (before) =>
      installations.reduce(
        (sum, installationId) => {
          const repositories = fit.filter((one) => one.installationId === installationId);
          return withArrived(sum, { installationId, repositories, at, asked: true });
        },
        { ...before, perDay: perDay ?? before.perDay },
      ),
    );
    return linesOf(owner, book, this.#rules);
  }

  async list(owner: string): Promise<SetupLine[]> {
    return linesOf(owner, await readSetupBook(this.#place, owner), this.#rules);
  }
}

function linesOf(owner: string, book: SetupBook, rules: SetupRules): SetupLine[] {
  const perDay = book.perDay ?? rules.perDay;
  const queue = waiting(book, rules).map(({ id }) => id);
  const wait = (id: number): string => {
    const at = queue.indexOf(id);
    return at < 0
      ? "waits: BATON_ONBOARDING is off"
      : `waits, number ${at + 1} of ${queue.length}, at most ${perDay} a day`;
  };
  return Object.entries(book.entries)
    .map(([id, { name, end, why, pullRequest }]) => ({
      repository: `${owner}/${name}`,
      state: end === null ? wait(Number(id)) : `${endWords[end]}${why === null ? "" : ` (${why})`}`,
      pullRequest,
    }))
    .toSorted((a, b) => (a.repository < b.repository ? -1 : 1));
}
