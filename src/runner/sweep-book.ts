/**
 * The proposals of sweeps in a repository, their results, and the boxes that people ticked in the dashboard issue.
 *
 * SW1 Baton records a proposal once its pull request exists, by the run that made it. GitHub's state of the pull
 *     request gives the result.
 * SW2 Changes of the book run one at a time, so that two simultaneous ticks both count.
 */
import { z } from "zod";
import type { EffectInput } from "../core/effect.ts";
import type { RunState } from "../core/state.ts";
import { actorSchema, runIdSchema } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";
import { defineValues, readValue } from "../ports/values.ts";
import type { ProposalEnd } from "../sweep/states.ts";
import type { Proposal } from "../sweep/stats.ts";
import { proposalSchema } from "../sweep/stats.ts";
import type { Tick } from "../thread/dashboard-ticks.ts";
import { changeValue, type ValuePlace } from "./change-value.ts";

const tickedSchema = z.record(z.string(), z.object({ by: z.string(), at: z.number() }));
const bookSchema = z.object({
  /** Oldest first. */
  proposals: z.array(proposalSchema),
  /** Findings by fingerprint. */
  ignored: tickedSchema,
  wanted: tickedSchema,
  /** Detectors by name: earlier decisions about them no longer count. */
  resumed: tickedSchema,
  /** A sweep that an operator asked for, and its result. null: nobody asked. */
  asked: z
    .object({
      by: actorSchema,
      at: z.number(),
      /** The sweep's share of one budget. */
      budgetUsd: z.number(),
      /** Absent until the App has begun the sweep. */
      became: z.string().optional(),
      /** Its run. Absent if the App refused it. */
      runId: runIdSchema.optional(),
    })
    .nullable()
    .default(null),
});
export type SweepBook = z.infer<typeof bookSchema>;

const books = defineValues("sweeps/", bookSchema);
const proposalsMax = 400;
const ticksMax = 500;

type Reads = Pick<Store, "value">;
export type BookPlace = ValuePlace;

const emptyBook: SweepBook = { proposals: [], ignored: {}, wanted: {}, resumed: {}, asked: null };

export async function readSweepBook(store: Reads, repositoryId: number): Promise<SweepBook> {
  return (await readValue(store, books.at(repositoryId))) ?? emptyBook;
}

/** SW2 */
export async function changeSweepBook(
  place: BookPlace,
  repositoryId: number,
  change: (book: SweepBook) => SweepBook,
): Promise<SweepBook> {
  return changeValue(place, books.at(repositoryId), (before) => change(before ?? emptyBook));
}

/** At every status of a sweep's run. Without news it writes nothing (SW1). */
export async function noteProposal(place: BookPlace, state: RunState): Promise<void> {
  const made = proposalOf(state);
  if (made === null) return;
  const { id } = state.thread.repository;
  const isKnown = ({ proposals }: SweepBook): boolean =>
    proposals.some(
      ({ runId, pullRequest, costUsd }) =>
        runId === made.runId && pullRequest === made.pullRequest && costUsd === made.costUsd,
    );
  if (isKnown(await readSweepBook(place.store, id))) return;
  await changeSweepBook(place, id, (book) => {
    const before = book.proposals.find(({ runId }) => runId === made.runId);
    const rest = book.proposals.filter((one) => one !== before);
    const { at, end, endedAt } = before ?? made;
    // A tick is used up by the proposal that it led to.
    const wanted = Object.fromEntries(Object.entries(book.wanted).filter(([one]) => !made.fingerprints.includes(one)));
    return { ...book, wanted, proposals: [...rest, { ...made, at, end, endedAt }].slice(-proposalsMax) };
  });
}

/** Returns true if it was an open proposal. */
export async function endProposal(
  place: BookPlace,
  repositoryId: number,
  { pullRequest, end, at }: { pullRequest: number; end: ProposalEnd; at: number },
): Promise<boolean> {
  const isMeant = (one: Proposal): boolean => one.pullRequest === pullRequest && one.end === null;
  if (!(await readSweepBook(place.store, repositoryId)).proposals.some(isMeant)) return false;
  await changeSweepBook(place, repositoryId, (book) => ({
    ...book,
    proposals: book.proposals.map((one) => (isMeant(one) ? { ...one, end, endedAt: at } : one)),
  }));
  return true;
}

/** Applies the ticks of a permitted person. */
export function withTicks(book: SweepBook, ticks: readonly Tick[], by: string, at: number): SweepBook {
  const next = { ...book, ignored: { ...book.ignored }, wanted: { ...book.wanted }, resumed: { ...book.resumed } };
  for (const { action, id } of ticks) {
    if (action === "resume") next.resumed[id] = { by, at };
    else if (action === "propose") {
      next.wanted[id] = { by, at };
      delete next.ignored[id];
    } else {
      next.ignored[id] = { by, at };
      delete next.wanted[id];
    }
  }
  for (const key of ["ignored", "wanted", "resumed"] as const)
    next[key] = Object.fromEntries(
      Object.entries(next[key])
        .toSorted((a, b) => a[1].at - b[1].at)
        .slice(-ticksMax),
    );
  return next;
}

/** The pull request of a sweep's run, the findings that its agent was asked to fix, and its cost so far. */
function proposalOf(state: RunState): Proposal | null {
  if (state.process.name !== "sweep") return null;
  let [pullRequest, at] = [null as number | null, 0];
  let fixes: EffectInput<"agent">["fixes"];
  for (const effect of state.effects.values()) {
    if (effect.kind === "agent") fixes ??= effect.input.fixes;
    if (effect.kind !== "publish" || effect.input.publish.operation !== "pull-request") continue;
    pullRequest = effect.output?.number ?? pullRequest;
    at = effect.endedAt ?? at;
  }
  if (pullRequest === null || fixes === undefined) return null;
  const { detector, fingerprints } = fixes;
  const { spentUsd: costUsd } = state.money;
  return { runId: state.runId, detector, pullRequest, fingerprints, at, end: null, endedAt: null, costUsd };
}
