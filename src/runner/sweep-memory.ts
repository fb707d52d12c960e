/**
 * The memory of a repository's findings, from one sweep to the next.
 *
 * SM1 It is written at the end of a sweep from its journal, and read when a sweep begins: between them nothing is lost.
 * SM3 Two simultaneous sweeps lose nothing of each other: their findings are merged one by one.
 * SM2 GitHub's state of a proposal's pull request shows what people made of it.
 */
import { z } from "zod";
import type { Settings } from "../config/schema.ts";
import { hasCode } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Clock } from "../ports/clock.ts";
import type { Github } from "../ports/github.ts";
import type { Store } from "../ports/store.ts";
import { defineValues, readValue } from "../ports/values.ts";
import { type SweepFacts, sweepFactsSchema, sweepResultSchema } from "../sweep/facts.ts";
import { mergeKnown } from "../sweep/merge.ts";
import { reuseMsOf } from "../sweep/reuse.ts";
import { afterProposal, afterSweep, type KnownFinding, type ProposalEnd } from "../sweep/states.ts";
import { endsOf } from "../sweep/stats.ts";
import { proposalsCounted } from "../sweep/throttle.ts";
import { changeValue, type ValuePlace } from "./change-value.ts";
import { dayLeft } from "./day-budget.ts";
import { type BookPlace, endProposal, readSweepBook, type SweepBook } from "./sweep-book.ts";

const keptSchema = sweepFactsSchema
  .pick({ known: true, ends: true })
  .extend({ notes: z.array(z.string()).default([]) });
const kept = defineValues("findings/", keptSchema);

/** The newest findings stay. */
const knownMax = 500;
const notesMax = 20;

async function read(store: Pick<Store, "value">, repositoryId: number): Promise<z.infer<typeof keptSchema>> {
  return (await readValue(store, kept.at(repositoryId))) ?? { known: [], ends: {}, notes: [] };
}

/** For the input of a sweep: earlier findings, and people's decisions about them. */
export async function sweepFacts(
  { store, github, clock }: BookPlace & { github: Github; store: Pick<Store, "ledger" | "run"> },
  repository: Repository,
  settings: Pick<Settings, "sweep" | "budget">,
): Promise<SweepFacts> {
  const now = clock.now();
  const { sweep } = settings;
  let { known, ends } = await read(store, repository.id);
  const book = await decided({ store, github, clock }, repository);
  let openPullRequests = 0;
  const proposed = known.filter(({ state, pullRequest }) => state === "proposed" && pullRequest !== null);
  for (const number of new Set(proposed.map(({ pullRequest }) => pullRequest as number))) {
    const state = await stateOf(github, repository, number);
    if (state === "open") {
      openPullRequests += 1;
      continue;
    }
    const mine = proposed.filter(({ pullRequest }) => pullRequest === number);
    const end: ProposalEnd = state === "merged" ? "merged" : "closed";
    known = afterProposal(
      known,
      mine.map(({ fingerprint }) => fingerprint),
      {
        state: end === "merged" ? "accepted" : "rejected",
        pullRequest: number,
        now,
      },
    );
    for (const detector of new Set(mine.map((one) => one.detector)))
      ends = { ...ends, [detector]: [...(ends[detector] ?? []), end].slice(-proposalsCounted) };
  }
  const open = book.proposals.filter(({ end }) => end === null);
  // Their runs have not ended, so the memory of findings does not name them yet.
  for (const { fingerprints, pullRequest } of open.filter(
    (one) => !proposed.some(({ pullRequest: number }) => number === one.pullRequest),
  )) {
    openPullRequests += 1;
    known = afterProposal(known, fingerprints, { state: "proposed", pullRequest, now });
  }
  const ignored = Object.keys(book.ignored);
  known = known.map((one) =>
    one.state === "new" && ignored.includes(one.fingerprint) ? { ...one, state: "ignored", since: now } : one,
  );
  const counted = new Set(book.proposals.map(({ detector }) => detector));
  for (const detector of new Set([...counted, ...Object.keys(book.resumed)]))
    ends = {
      ...ends,
      [detector]: endsOf(book.proposals, detector, book.resumed[detector]?.at).slice(-proposalsCounted),
    };
  const remembered = new Set(known.map(({ fingerprint }) => fingerprint));
  const notRemembered = book.proposals.flatMap(({ fingerprints, pullRequest, end }) =>
    end === "merged"
      ? []
      : fingerprints
          .filter((one) => !remembered.has(one))
          .map((fingerprint) => ({
            fingerprint,
            state: end === null ? ("proposed" as const) : ("rejected" as const),
            pullRequest,
          })),
  );
  return {
    known,
    ends,
    openPullRequests,
    decided: notRemembered.slice(-knownMax),
    wanted: Object.keys(book.wanted),
    detectors: sweep.detectors.map((one) => ({ ...one, reuseMs: reuseMsOf(one) })),
    reuses: true,
    changedLinesMax: sweep.changedLines,
    leftUsd: await sweepLeftUsd({ store, clock }, repository.id, settings),
    openPullRequestsMax: sweep.openPullRequests,
    findingsMax: sweep.findings,
  };
}

/** The rest of `sweep.dayUsd` or `sweep.monthUsd`, whichever is smaller. null: neither is set. */
export async function sweepLeftUsd(
  place: { store: Pick<Store, "ledger" | "run">; clock: Clock },
  repositoryId: number,
  { sweep, budget }: Pick<Settings, "sweep" | "budget">,
): Promise<number | null> {
  if (sweep.dayUsd === null && sweep.monthUsd === null) return null;
  const { leftUsd } = await dayLeft(place, repositoryId, { ...budget, dayUsd: null }, sweep);
  return Math.max(0, leftUsd);
}

/** The book with GitHub's current state of open proposals (SM2). */
async function decided(place: BookPlace & { github: Github }, repository: Repository): Promise<SweepBook> {
  const { store, clock, github } = place;
  const book = await readSweepBook(store, repository.id);
  let changed = false;
  for (const { pullRequest } of book.proposals.filter(({ end }) => end === null)) {
    const state = await stateOf(github, repository, pullRequest);
    if (state === "open") continue;
    changed = (await endProposal(place, repository.id, { pullRequest, end: state, at: clock.now() })) || changed;
  }
  return changed ? readSweepBook(store, repository.id) : book;
}

/** Findings to propose: the last sweep's findings, with people's later ticks. */
export async function openFindings(store: Pick<Store, "value">, repositoryId: number): Promise<KnownFinding[]> {
  const { known } = await read(store, repositoryId);
  const { ignored, proposals } = await readSweepBook(store, repositoryId);
  const isDecided = ({ fingerprint, since }: KnownFinding): boolean =>
    proposals.some(
      ({ end, endedAt, fingerprints }) =>
        fingerprints.includes(fingerprint) && (end === null || (end === "closed" && since <= (endedAt ?? 0))),
    );
  return known.filter((one) => one.state === "new" && !Object.hasOwn(ignored, one.fingerprint) && !isDecided(one));
}

/** The failures of the last sweep's detectors. */
export async function sweepNotes(store: Pick<Store, "value">, repositoryId: number): Promise<string[]> {
  return (await read(store, repositoryId)).notes;
}

async function stateOf(github: Github, repository: Repository, number: number): Promise<"open" | "merged" | "closed"> {
  try {
    const { merged, state } = await github.pullRequest(repository, number);
    return merged ? "merged" : state;
  } catch (thrown) {
    if (hasCode(thrown, "BATON_GITHUB_NOT_FOUND")) return "closed";
    throw thrown;
  }
}

/** At the end of a sweep (SM1). Repeating it changes nothing. */
export async function rememberSweep(place: ValuePlace, state: RunState): Promise<void> {
  const result = sweepResultSchema.safeParse((state.outcome?.output as { sweep?: unknown } | undefined)?.sweep).data;
  const facts = sweepFactsSchema.safeParse((state.input as { sweep?: unknown } | null)?.sweep).data;
  if (result === undefined || facts === undefined || state.outcome === null) return;
  const now = state.outcome.at;
  let mine: KnownFinding[] = afterSweep(facts.known, result.found, {
    detectors: result.ran,
    now,
    decided: facts.decided,
  });
  if (result.pullRequest !== null)
    mine = afterProposal(mine, result.chosen, { state: "proposed", pullRequest: result.pullRequest, now });
  await changeValue(place, kept.at(state.thread.repository.id), (before) => ({
    known: mergeKnown(before?.known ?? [], mine, state.createdAt)
      .toSorted((a, b) => b.since - a.since)
      .slice(0, knownMax),
    ends: longerOf(before?.ends ?? {}, facts.ends),
    notes: (result.notes ?? []).slice(0, notesMax),
  }));
}

/** Both count from the same beginning. */
function longerOf(before: SweepFacts["ends"], mine: SweepFacts["ends"]): SweepFacts["ends"] {
  const longer = Object.entries(before).filter(
    ([detector, ends]) => !Object.hasOwn(mine, detector) || ends.length > (mine[detector]?.length ?? 0),
  );
  return { ...mine, ...Object.fromEntries(longer) };
}
