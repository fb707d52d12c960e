/**
 * Schedules for anyone with access to Baton's data: the command line. A running App carries out the requests.
 *
 * It shows the App's last read of each repository's `baton.yaml`.
 */
import { BatonError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { type Actor, type Repository, runIdSchema } from "../core/vocabulary.ts";
import { nextStart, type ScheduleRule } from "../schedule/due.ts";
import type { Dependencies } from "./dependencies.ts";
import {
  changeControls,
  knownRepositories,
  memoryOf,
  namedIn,
  pausedBy,
  pauseOf,
  readBook,
  readControls,
  resumeOf,
} from "./schedule-book.ts";

interface ListedSchedule {
  repository: string;
  name: string;
  cron: string;
  timeZone: string;
  /** Milliseconds since the epoch. null: never, or the schedule is paused. */
  next: number | null;
  pausedBy: string | null;
  /** Why its last occurrence did not start. null: it did, or there was none. */
  problem: string | null;
  lastRun: { runId: string; status: string; createdAt: number; spentUsd: number } | null;
}

interface Found {
  repository: Repository;
  rule: ScheduleRule;
}

export class Schedules {
  readonly #dependencies: Pick<Dependencies, "store" | "clock">;

  constructor(dependencies: Pick<Dependencies, "store" | "clock">) {
    this.#dependencies = dependencies;
  }

  async list(): Promise<ListedSchedule[]> {
    const { store, clock } = this.#dependencies;
    const now = clock.now();
    const listed: ListedSchedule[] = [];
    for (const { repository, rule } of await this.#all()) {
      const { entries } = await readBook(store, repository.id);
      const controls = await readControls(store, repository.id);
      const entry = namedIn(entries, rule.name);
      const memory = memoryOf(entry, controls, { name: rule.name, now, running: false });
      listed.push({
        repository: `${repository.owner}/${repository.name}`,
        name: rule.name,
        cron: rule.cron,
        timeZone: rule.timeZone,
        next: nextStart(rule, memory, `${repository.id}`, now),
        pausedBy: pausedBy(controls, rule.name),
        problem: entry?.problem ?? null,
        lastRun: await this.#lastRun([entry?.runId, namedIn(controls.started, rule.name)]),
      });
    }
    return listed;
  }

  /** The App begins it at its next check. */
  async run(name: string, repository: string | null, by: Actor): Promise<string> {
    const at = this.#dependencies.clock.now();
    return this.#change(name, repository, (rule) => (controls) => ({
      ...controls,
      asked: { ...controls.asked, [rule]: { by, at } },
    }));
  }

  async pause(name: string, repository: string | null, by: string): Promise<string> {
    const at = this.#dependencies.clock.now();
    return this.#change(name, repository, (rule) => pauseOf(rule, by, at));
  }

  async resume(name: string, repository: string | null): Promise<string> {
    const at = this.#dependencies.clock.now();
    return this.#change(name, repository, (rule) => resumeOf(rule, at));
  }

  /** Returns `owner/name: schedule`. */
  async #change(
    name: string,
    repository: string | null,
    change: (rule: string) => Parameters<typeof changeControls>[2],
  ): Promise<string> {
    const found = await this.#named(name, repository);
    await changeControls(this.#dependencies, found.repository.id, change(found.rule.name));
    return `${nameOf(found)}: ${found.rule.name}`;
  }

  async #named(name: string, repository: string | null): Promise<Found> {
    const all = (await this.#all()).filter(
      (one) => repository === null || nameOf(one).toLowerCase() === repository.toLowerCase(),
    );
    const fit = all.filter(({ rule }) => rule.name === name);
    const [only] = fit;
    if (only !== undefined && fit.length === 1) return only;
    if (fit.length > 1)
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `${fit.length} repositories have a schedule "${name}": ${fit.slice(0, 5).map(nameOf).join(", ")}. Name one with --repository.`,
      );
    const names = [...new Set(all.map(({ rule }) => rule.name))];
    const meant = nearest(name, names);
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `There is no schedule "${name.slice(0, 60)}".${meant === null ? "" : ` Did you mean "${meant}"?`} There are: ${names.join(", ") || "none"}.`,
    );
  }

  async #all(): Promise<Found[]> {
    const { store } = this.#dependencies;
    const known = await knownRepositories(store);
    const found: Found[] = [];
    for (const repository of known?.repositories ?? [])
      for (const rule of (await readBook(store, repository.id)).rules) found.push({ repository, rule });
    return found;
  }

  async #lastRun(ids: readonly (string | null | undefined)[]): Promise<ListedSchedule["lastRun"]> {
    const { store } = this.#dependencies;
    const rows = await Promise.all(ids.map(async (id) => (id == null ? null : store.run(runIdSchema.parse(id)))));
    const [row] = rows.filter((one) => one !== null).toSorted((a, b) => b.createdAt - a.createdAt);
    if (row === undefined) return null;
    const ledger = await store.ledger({ runId: row.runId });
    const spentUsd = ledger.filter(({ kind }) => kind === "settle").reduce((sum, { usd }) => sum + usd, 0);
    return { runId: row.runId, status: row.status, createdAt: row.createdAt, spentUsd };
  }
}

function nameOf({ repository: { owner, name } }: Pick<Found, "repository">): string {
  return `${owner}/${name}`;
}
