/**
 * What is remembered of a repository's schedules.
 *
 * SB1 The book is written by who starts what is due, one at a time (a lease of the App, the driver of the dashboard's thread in
 *     Actions mode). People's pauses stand in a value of their own, which only commands write: neither overwrites the other.
 */
import { z } from "zod";
import { actorSchema, type Json, type Repository, repositorySchema } from "../core/vocabulary.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { ScheduleMemory } from "../schedule/due.ts";

const entrySchema = z.object({
  /** Cron and time zone: a rule that is changed begins anew. */
  rule: z.string(),
  since: z.number(),
  last: z.number().nullable(),
  queued: z.number().nullable(),
  /** Run of its last occurrence that started. */
  runId: z.string().nullable(),
  /** Why its last occurrence did not start; null: it did, or there was none. */
  problem: z.string().nullable(),
  /** When an operator last asked for a run that was begun. */
  askedAt: z.number().nullable(),
  /** The dashboard shows its run as one that is not over. */
  showsActive: z.boolean(),
});
export type BookEntry = z.infer<typeof entrySchema>;

const ruleSchema = z.object({
  name: z.string(),
  cron: z.string(),
  timeZone: z.string(),
  overlap: z.enum(["skip", "queue"]),
  catchUp: z.enum(["latest", "none"]),
  jitterMinutes: z.number(),
});

const bookSchema = z.object({
  /** As it was found last: names change, ids do not. */
  repository: repositorySchema.nullable(),
  dashboard: z.number().int().nullable(),
  /** Rules as they were read last, and when: what is due is known without asking GitHub. */
  rules: z.array(ruleSchema),
  readAt: z.number(),
  /** Events that rules of `triggers` are about. */
  listens: z.array(z.string()),
  entries: z.record(z.string(), entrySchema),
  /** What will hinder all of them soon, as the dashboard says it. */
  notice: z.string().nullable(),
});
export type ScheduleBook = z.infer<typeof bookSchema>;

const controlsSchema = z.object({
  paused: z.record(z.string(), z.object({ by: z.string(), at: z.number() })),
  resumed: z.record(z.string(), z.number()),
  /** Run that a person last started by hand. */
  started: z.record(z.string(), z.string()),
  /** What an operator asked to be run now, and when. */
  asked: z.record(z.string(), z.object({ by: actorSchema, at: z.number() })),
});
export type ScheduleControls = z.infer<typeof controlsSchema>;

const knownName = "schedules/repositories";
const knownSchema = z.object({ readAt: z.number(), repositories: z.array(repositorySchema) });

/** All repositories that an App looks at, as they were listed last; null: they never were. */
export async function knownRepositories(
  store: Pick<Store, "value">,
): Promise<{ readAt: number; repositories: Repository[] } | null> {
  return knownSchema.safeParse(await store.value(knownName)).data ?? null;
}

export async function rememberRepositories(
  store: Values,
  known: { readAt: number; repositories: Repository[] },
): Promise<void> {
  await store.setValue(knownName, known);
}

type Values = Pick<Store, "value" | "setValue">;

export const noBook: ScheduleBook = {
  repository: null,
  dashboard: null,
  rules: [],
  readAt: 0,
  listens: [],
  entries: {},
  notice: null,
};

export async function readBook(store: Pick<Store, "value">, repositoryId: number): Promise<ScheduleBook> {
  // What another version kept is begun anew: an occurrence that ran is known by its key.
  return bookSchema.safeParse(await store.value(bookName(repositoryId))).data ?? noBook;
}

export async function writeBook(store: Values, repositoryId: number, book: ScheduleBook): Promise<void> {
  await store.setValue(bookName(repositoryId), book as unknown as Json);
}

export async function readControls(store: Pick<Store, "value">, repositoryId: number): Promise<ScheduleControls> {
  const found = controlsSchema.safeParse(await store.value(controlsName(repositoryId)));
  return found.data ?? { paused: {}, resumed: {}, started: {}, asked: {} };
}

export async function writeControls(store: Values, repositoryId: number, controls: ScheduleControls): Promise<void> {
  await store.setValue(controlsName(repositoryId), controls as unknown as Json);
}

/** The rules may be others than those that were read last. */
export async function forgetRules(store: Values, repositoryId: number, at: number): Promise<void> {
  await store.setValue(`schedules/${repositoryId}/changed`, at);
}

export async function rulesChangedAt(store: Pick<Store, "value">, repositoryId: number): Promise<number> {
  return z
    .number()
    .catch(0)
    .parse(await store.value(`schedules/${repositoryId}/changed`));
}

export function memoryOf(
  entry: BookEntry | undefined,
  controls: ScheduleControls,
  given: { name: string; now: number; running: boolean },
): ScheduleMemory {
  return {
    since: entry?.since ?? given.now,
    last: entry?.last ?? null,
    queued: entry?.queued ?? null,
    resumedAt: controls.resumed[given.name] ?? null,
    paused: controls.paused[given.name] !== undefined,
    running: given.running,
  };
}

function bookName(repositoryId: number): string {
  return `schedules/${repositoryId}`;
}

function controlsName(repositoryId: number): string {
  return `schedules/${repositoryId}/controls`;
}

/** The default branch moved: `baton.yaml` may have changed. */
export async function noteChange(
  { store, clock }: { store: Store; clock: Clock },
  repository: Repository,
): Promise<void> {
  const known = (await knownRepositories(store)) ?? { readAt: 0, repositories: [] };
  if (!known.repositories.some(({ id }) => id === repository.id))
    await rememberRepositories(store, { ...known, repositories: [...known.repositories, repository] });
  await forgetRules(store, repository.id, clock.now());
}
