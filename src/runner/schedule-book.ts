/**
 * The memory of a repository's schedules.
 *
 * SB1 Only the starter of due schedules writes the book, one at a time. In the App it holds a lease; in Actions mode it
 *     drives the dashboard's thread. People's pauses have their own value, which only commands write. So neither
 *     overwrites the other.
 * SB2 An unreadable pause is a pause: a broken record starts nothing.
 * SB3 Commands change pauses one at a time.
 */
import { z } from "zod";
import { actorSchema, type Repository, repositorySchema } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";
import { defineValue, defineValues, readValue, writeValue } from "../ports/values.ts";
import type { ScheduleMemory } from "../schedule/due.ts";
import { changeValue, type ValuePlace } from "./change-value.ts";

const entrySchema = z.object({
  /** Cron and time zone: a changed rule starts again. */
  rule: z.string(),
  since: z.number(),
  last: z.number().nullable(),
  queued: z.number().nullable(),
  /** Run of the last occurrence that started. */
  runId: z.string().nullable(),
  /** Why the last occurrence did not start. null: it did, or there was none. */
  problem: z.string().nullable(),
  /** When an operator last asked for a run that has begun. */
  askedAt: z.number().nullable(),
  /** The dashboard shows its run as active. */
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
  /** The repository at the last check: names change, ids do not. */
  repository: repositorySchema.nullable(),
  dashboard: z.number().int().nullable(),
  /** The rules and time of the last read: Baton finds due rules without asking GitHub. */
  rules: z.array(ruleSchema),
  readAt: z.number(),
  /** The events of the `triggers` rules. */
  listens: z.array(z.string()),
  entries: z.record(z.string(), entrySchema),
  /** A problem that will soon block all rules, in the dashboard's words. */
  notice: z.string().nullable(),
  /** The active runs that the dashboard shows, and since when. */
  shows: z.object({ work: z.string(), at: z.number() }).default({ work: "", at: 0 }),
});
export type ScheduleBook = z.infer<typeof bookSchema>;

const pauseSchema = z.object({ by: z.string(), at: z.number() });

/** SB2: each field and each entry is read separately. */
const controlsSchema = z.object({
  /** An unreadable entry counts as a pause. */
  paused: recordOf(pauseSchema.catch({ by: "a record that Baton cannot read", at: 0 })),
  resumed: recordOf(z.number()),
  /** The run that a person last started by hand. */
  started: recordOf(z.string()),
  /** An operator's requests to run a schedule now, with their times. */
  asked: recordOf(z.object({ by: actorSchema, at: z.number() })),
  /** The pauses could not be read: every rule is paused that was not resumed since. */
  isUnknown: z.boolean().default(false).catch(true),
});
export type ScheduleControls = z.infer<typeof controlsSchema>;

/** Omits entries that do not fit. */
function recordOf<T extends z.ZodType>(entry: T) {
  return z.record(z.string(), z.unknown()).transform((found): Record<string, z.infer<T>> => {
    const read = Object.entries(found).map(([name, one]) => ({ name, ...entry.safeParse(one) }));
    return Object.fromEntries(
      read.filter(({ success }) => success).map(({ name, data }) => [name, data as z.infer<T>]),
    );
  });
}

/** Reads an entry by a name that people chose. `constructor` is a valid name, and every object has that property. */
export function namedIn<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

const known = defineValue(
  "schedule-repositories",
  z.object({ readAt: z.number(), repositories: z.array(repositorySchema) }),
);
/** A book of another version starts again: the key of an occurrence shows that it ran. */
const books = defineValues("schedule-book/", bookSchema);
/** SB2: reads any stored value. */
const controlValues = defineValues("schedules/", z.unknown().transform(controlsIn), "/controls");
/** When the rules may have changed since the last read. */
const changes = defineValues("schedules/", z.number(), "/changed");

/** All repositories of the App at the last listing. null: there was none. */
export async function knownRepositories(
  store: Pick<Store, "value">,
): Promise<{ readAt: number; repositories: Repository[] } | null> {
  return readValue(store, known);
}

/** After a listing that began with `before`. A repository that was noted meanwhile stays until the next listing. */
export async function rememberRepositories(
  place: ValuePlace,
  listed: { readAt: number; repositories: readonly Repository[] },
  before: readonly Repository[] = [],
): Promise<Repository[]> {
  const named = new Set([...before, ...listed.repositories].map(({ id }) => id));
  const { repositories } = await changeValue(place, known, (now) => ({
    readAt: listed.readAt,
    repositories: [...listed.repositories, ...(now?.repositories ?? []).filter(({ id }) => !named.has(id))],
  }));
  return repositories;
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
  shows: { work: "", at: 0 },
};

export async function readBook(store: Pick<Store, "value">, repositoryId: number): Promise<ScheduleBook> {
  return (await readValue(store, books.at(repositoryId))) ?? noBook;
}

export async function writeBook(store: Values, repositoryId: number, book: ScheduleBook): Promise<void> {
  await writeValue(store, books.at(repositoryId), book);
}

export async function readControls(store: Pick<Store, "value">, repositoryId: number): Promise<ScheduleControls> {
  return (await readValue(store, controlValues.at(repositoryId))) ?? controlsIn(null);
}

function controlsIn(value: unknown): ScheduleControls {
  const found = z.record(z.string(), z.unknown()).safeParse(value ?? { paused: {} }).data;
  const { paused, resumed, started, asked, isUnknown } = controlsSchema.shape;
  const pauses = paused.safeParse(found?.["paused"]).data;
  const read = <T>(schema: z.ZodType<Record<string, T>>, field: string) =>
    schema.safeParse(found?.[field] ?? {}).data ?? {};
  const lost = found === undefined || pauses === undefined;
  return {
    paused: pauses ?? {},
    // A resume may be older than the loss.
    resumed: lost ? {} : read(resumed, "resumed"),
    started: read(started, "started"),
    asked: read(asked, "asked"),
    isUnknown: lost || isUnknown.parse(found["isUnknown"]),
  };
}

/** The person who paused the schedule. null: nobody did. */
export function pausedBy({ paused, resumed, isUnknown }: ScheduleControls, name: string): string | null {
  const known = namedIn(paused, name)?.by;
  if (known !== undefined) return known;
  const isLost = isUnknown && namedIn(resumed, name) === undefined;
  return isLost ? "a record that Baton cannot read" : null;
}

type ControlsChange = (controls: ScheduleControls) => ScheduleControls;

/** SB3. Returns the stored value. */
export async function changeControls(
  place: ValuePlace,
  repositoryId: number,
  change: ControlsChange,
): Promise<ScheduleControls> {
  return changeValue(place, controlValues.at(repositoryId), (before) => change(before ?? controlsIn(null)));
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

export async function forgetRules(store: Values, repositoryId: number, at: number): Promise<void> {
  await writeValue(store, changes.at(repositoryId), at);
}

export async function rulesChangedAt(store: Pick<Store, "value">, repositoryId: number): Promise<number> {
  return (await readValue(store, changes.at(repositoryId))) ?? 0;
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

/** The default branch moved: `baton.yaml` may have changed. A repository may be new, or have another name now. */
export async function noteChange(place: ValuePlace, repository: Repository): Promise<void> {
  const isNoted = (one: Repository): boolean => JSON.stringify(one) === JSON.stringify(repository);
  if ((await knownRepositories(place.store))?.repositories.some(isNoted) !== true)
    await changeValue(place, known, (before) => {
      const { readAt, repositories } = before ?? { readAt: 0, repositories: [] };
      return { readAt, repositories: [...repositories.filter(({ id }) => id !== repository.id), repository] };
    });
  await forgetRules(place.store, repository.id, place.clock.now());
}
