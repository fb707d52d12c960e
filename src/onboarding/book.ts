/**
 * The memory of the set-up pull requests of one account: the repositories that wait for one, and what came of the others.
 * Pure: the same book, time and rules give the same choice.
 *
 * OB1 A repository gets one set-up pull request in its life. Only a person asks for another, by `/baton setup`.
 * OB2 An account gets at most `perDay` of them on one day in UTC. The others wait, oldest first.
 * OB3 A repository that Baton left out waits again when the reason may be gone.
 */
import { z } from "zod";
import type { RepositoryTraits } from "../ports/repository-setup.ts";

const endSchema = z.enum([
  /** Its pull request is open, or was when Baton last looked. */
  "opened",
  /** Somebody closed the pull request. */
  "declined",
  /** The files are there. */
  "set-up",
  "archived",
  "disabled",
  "empty",
  "fork",
  "template",
  /** The App does not reach it any more. */
  "gone",
  /** GitHub refused a part of the work. */
  "refused",
]);
export type SetupEnd = z.infer<typeof endSchema>;

/** OB1: nothing but a person's own request changes these. */
const forGood: ReadonlySet<SetupEnd> = new Set(["opened", "declined", "set-up"]);

const entrySchema = z.object({
  name: z.string(),
  installationId: z.number().int(),
  /** When it came in. */
  at: z.number(),
  /** An operator asked for it, by `baton onboard`. */
  asked: z.boolean(),
  /** null: it waits. */
  end: endSchema.nullable(),
  endedAt: z.number().nullable(),
  /** GitHub's or Baton's own words, if the end needs them. */
  why: z.string().nullable(),
  pullRequest: z.number().int().nullable(),
  tries: z.number().int(),
  /** Not before this time. 0: at once. */
  notBefore: z.number(),
});
export type SetupEntry = z.infer<typeof entrySchema>;

export const setupBookSchema = z.object({
  /** By id, because names change. */
  entries: z.record(z.string(), entrySchema),
  /** An operator's own number for this account. null: the setting. */
  perDay: z.number().int().nullable(),
});
export type SetupBook = z.infer<typeof setupBookSchema>;

export const emptySetupBook: SetupBook = { entries: {}, perDay: null };

export interface NewRepository {
  id: number;
  name: string;
}

export interface Arrival {
  installationId: number;
  repositories: readonly NewRepository[];
  at: number;
  asked: boolean;
}

const entriesMax = 20_000;

/** New repositories wait. Known ones keep their end (OB1), or wait again (OB3). */
export function withArrived(book: SetupBook, { installationId, repositories, at, asked }: Arrival): SetupBook {
  const entries = { ...book.entries };
  let count = Object.keys(entries).length;
  for (const { id, name } of repositories) {
    const known = entries[id];
    if (known === undefined && count >= entriesMax) continue;
    if (known === undefined) count += 1;
    const fresh = { end: null, endedAt: null, why: null, pullRequest: null, tries: 0, notBefore: 0 };
    if (known === undefined) entries[id] = { name, installationId, at, asked, ...fresh };
    else if (known.end !== null && forGood.has(known.end)) entries[id] = { ...known, name, installationId };
    else if (known.end === null)
      entries[id] = { ...known, name, installationId, asked: known.asked || asked, notBefore: 0 };
    else entries[id] = { ...known, name, installationId, at, asked: known.asked || asked, ...fresh };
  }
  return { ...book, entries };
}

/** The App lost these repositories. null: the whole installation. */
export function withGone(
  book: SetupBook,
  { installationId, ids, at }: { installationId: number; ids: readonly number[] | null; at: number },
): SetupBook {
  const lost = (id: string, entry: SetupEntry): boolean =>
    entry.end === null && (ids === null ? entry.installationId === installationId : ids.includes(Number(id)));
  return mapped(book, (id, entry) => (lost(id, entry) ? { ...entry, end: "gone", endedAt: at } : entry));
}

/** OB3: the reason of these ends may be gone. */
export function withRevived(
  book: SetupBook,
  { ends, id = null, at }: { ends: readonly SetupEnd[]; id?: number | null; at: number },
): SetupBook {
  return mapped(book, (one, entry) =>
    entry.end !== null && ends.includes(entry.end) && (id === null || Number(one) === id)
      ? { ...entry, at, end: null, endedAt: null, why: null, tries: 0, notBefore: 0 }
      : entry,
  );
}

function mapped(book: SetupBook, change: (id: string, entry: SetupEntry) => SetupEntry): SetupBook {
  return {
    ...book,
    entries: Object.fromEntries(Object.entries(book.entries).map(([id, entry]) => [id, change(id, entry)])),
  };
}

export interface SetupRules {
  /** False: only repositories that an operator asked for. */
  atInstall: boolean;
  perDay: number;
}

/** The next repository, if one may have its pull request now (OB2). null: none. */
export function nextSetup(book: SetupBook, now: number, rules: SetupRules): { id: number; entry: SetupEntry } | null {
  const perDay = book.perDay ?? rules.perDay;
  if (openedOn(book, dayIn(now)) >= perDay) return null;
  const [first] = waiting(book, rules).filter(({ entry }) => entry.notBefore <= now);
  return first ?? null;
}

/** Repositories that wait, in their order. */
export function waiting(book: SetupBook, { atInstall }: Pick<SetupRules, "atInstall">) {
  return Object.entries(book.entries)
    .filter(([, { end, asked }]) => end === null && (atInstall || asked))
    .map(([id, entry]) => ({ id: Number(id), entry }))
    .toSorted((a, b) => a.entry.at - b.entry.at || a.id - b.id);
}

function openedOn({ entries }: SetupBook, day: string): number {
  return Object.values(entries).filter(
    ({ end, endedAt, pullRequest }) =>
      end !== null && forGood.has(end) && pullRequest !== null && endedAt !== null && dayIn(endedAt) === day,
  ).length;
}

function dayIn(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

export function withEnd(
  book: SetupBook,
  id: number,
  given: { end: SetupEnd; at: number; pullRequest?: number | null; why?: string | null },
): SetupBook {
  const { end, at: endedAt, pullRequest = null, why = null } = given;
  return mapped(book, (one, entry) => (Number(one) === id ? { ...entry, end, endedAt, pullRequest, why } : entry));
}

const firstPauseMs = 5 * 60_000;
const pauseMsMax = 6 * 3_600_000;

/** GitHub failed. The others do not wait for this one. */
export function withFailure(book: SetupBook, id: number, now: number): SetupBook {
  return mapped(book, (one, entry) =>
    Number(one) === id
      ? { ...entry, tries: entry.tries + 1, notBefore: now + Math.min(pauseMsMax, firstPauseMs * 2 ** entry.tries) }
      : entry,
  );
}

/** A kind of repository that gets no pull request by itself. null: it may get one. */
export function endOfTraits({ archived, disabled, fork, template }: RepositoryTraits): SetupEnd | null {
  if (archived) return "archived";
  if (disabled) return "disabled";
  if (fork) return "fork";
  return template ? "template" : null;
}

/** For people. */
export const endWords: Readonly<Record<SetupEnd, string>> = {
  opened: "pull request opened",
  declined: "declined: its pull request was closed",
  "set-up": "set up already",
  archived: "left out: the repository is archived",
  disabled: "left out: GitHub disabled the repository",
  empty: "waits for the first commit: an empty repository has no branch to change",
  fork: "left out: it is a fork. `/baton setup` opens the pull request",
  template: "left out: repositories made from this template would get the files. `/baton setup` opens the pull request",
  gone: "the App no longer reaches it",
  refused: "GitHub refused it",
};
