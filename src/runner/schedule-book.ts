/**
 * What is remembered of a repository's schedules.
 *
 * SB1 The book is written by who starts what is due, one at a time (a lease of the App, the driver of the dashboard's thread in
 *     Actions mode). People's pauses stand in a value of their own, which only commands write: neither overwrites the other.
 * SB2 A pause that cannot be read is a pause: nothing starts because a record is broken.
 * SB3 Commands change pauses one at a time.
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

const pauseSchema = z.object({ by: z.string(), at: z.number() });

/** SB2: each field and each entry is read for itself. */
const controlsSchema = z.object({
  /** What cannot be read pauses. */
  paused: recordOf(pauseSchema.catch({ by: "a record that Baton cannot read", at: 0 })),
  resumed: recordOf(z.number()),
  /** Run that a person last started by hand. */
  started: recordOf(z.string()),
  /** What an operator asked to be run now, and when. */
  asked: recordOf(z.object({ by: actorSchema, at: z.number() })),
  /** Who paused what could not be read: every rule is paused that was not resumed since. */
  isUnknown: z.boolean().default(false).catch(true),
});
export type ScheduleControls = z.infer<typeof controlsSchema>;

/** Entries that do not fit are left out. */
function recordOf<T extends z.ZodType>(entry: T) {
  return z.record(z.string(), z.unknown()).transform((found): Record<string, z.infer<T>> => {
    const read = Object.entries(found).map(([name, one]) => ({ name, ...entry.safeParse(one) }));
    return Object.fromEntries(
      read.filter(({ success }) => success).map(({ name, data }) => [name, data as z.infer<T>]),
    );
  });
}

/** By a name that people chose: `constructor` is one, and every object has that. */
export function namedIn<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

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
  const value = await store.value(controlsName(repositoryId));
  const found = z.record(z.string(), z.unknown()).safeParse(value ?? { paused: {} }).data;
  const { paused, resumed, started, asked, isUnknown } = controlsSchema.shape;
  const pauses = paused.safeParse(found?.["paused"]).data;
  const read = <T>(schema: z.ZodType<Record<string, T>>, field: string) =>
    schema.safeParse(found?.[field] ?? {}).data ?? {};
  const lost = found === undefined || pauses === undefined;
  return {
    paused: pauses ?? {},
    // Older than the loss, for all that is known.
    resumed: lost ? {} : read(resumed, "resumed"),
    started: read(started, "started"),
    asked: read(asked, "asked"),
    isUnknown: lost || isUnknown.parse(found["isUnknown"]),
  };
}

/** Who paused it; null: nobody. */
export function pausedBy({ paused, resumed, isUnknown }: ScheduleControls, name: string): string | null {
  const known = namedIn(paused, name)?.by;
  if (known !== undefined) return known;
  const isLost = isUnknown && namedIn(resumed, name) === undefined;
  return isLost ? "a record that Baton cannot read" : null;
}

type ControlsChange = (controls: ScheduleControls) => ScheduleControls;

const controlsLeaseMs = 10_000;
const controlsRetryMs = 50;

/** SB3: what it changes is read when nobody else changes it. Returns what is kept now. */
export async function changeControls(
  { store, clock }: { store: Values & Pick<Store, "acquireLease" | "releaseLease">; clock: Clock },
  repositoryId: number,
  change: ControlsChange,
): Promise<ScheduleControls> {
  const name = controlsName(repositoryId);
  for (;;) {
    const lease = await store.acquireLease(name, "controls", clock.now(), controlsLeaseMs);
    if (lease === null) {
      await clock.sleepUntil(clock.now() + controlsRetryMs);
      continue;
    }
    try {
      const controls = change(await readControls(store, repositoryId));
      await store.setValue(name, controls as unknown as Json);
      return controls;
    } finally {
      await store.releaseLease(lease);
    }
  }
}

export function pauseOf(name: string, by: string, at: number): ControlsChange {
  return (controls) => ({ ...controls, paused: { ...controls.paused, [name]: { by, at } } });
}

export function resumeOf(name: string, at: number): ControlsChange {
  return (controls) => {
    const { [name]: _gone, ...paused } = controls.paused;
    return { ...controls, paused, resumed: { ...controls.resumed, [name]: at } };
  };
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
    resumedAt: namedIn(controls.resumed, given.name) ?? null,
    paused: pausedBy(controls, given.name) !== null,
    running: given.running,
  };
}

function bookName(repositoryId: number): string {
  return `schedules/${repositoryId}`;
}

function controlsName(repositoryId: number): string {
  return `schedules/${repositoryId}/controls`;
}
