/**
 * What is remembered of a repository's findings, from one sweep to the next.
 *
 * SM1 It is written at the end of a sweep from what its journal says, and read when one begins: between them nothing is lost.
 * SM3 Two sweeps at once lose nothing of each other: what they know is merged finding by finding.
 * SM2 What people made of a proposal is what GitHub says of its pull request.
 */
import type { Settings } from "../config/schema.ts";
import { hasCode } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { Store } from "../ports/store.ts";
import { defineValues, readValue } from "../ports/values.ts";
import { type SweepFacts, sweepFactsSchema, sweepResultSchema } from "../sweep/facts.ts";
import { mergeKnown } from "../sweep/merge.ts";
import { afterProposal, afterSweep, type KnownFinding, type ProposalEnd } from "../sweep/states.ts";
import { proposalsCounted } from "../sweep/throttle.ts";
import { changeValue, type ValuePlace } from "./change-value.ts";

const kept = defineValues("findings/", sweepFactsSchema.pick({ known: true, ends: true }));

/** The newest stay. */
const knownMax = 500;

/** For the input of a sweep: what was found before, and what people made of it. */
export async function sweepFacts(
  { store, github, now }: { store: Pick<Store, "value">; github: Github; now: number },
  repository: Repository,
  { sweep }: Pick<Settings, "sweep">,
): Promise<SweepFacts> {
  let { known, ends } = (await readValue(store, kept.at(repository.id))) ?? { known: [], ends: {} };
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
  return {
    known,
    ends,
    openPullRequests,
    detectors: sweep.detectors,
    openPullRequestsMax: sweep.openPullRequests,
    findingsMax: sweep.findings,
  };
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

/** At the end of a sweep (SM1); repeating it changes nothing. */
export async function rememberSweep(place: ValuePlace, state: RunState): Promise<void> {
  const result = sweepResultSchema.safeParse((state.outcome?.output as { sweep?: unknown } | undefined)?.sweep).data;
  const facts = sweepFactsSchema.safeParse((state.input as { sweep?: unknown } | null)?.sweep).data;
  if (result === undefined || facts === undefined || state.outcome === null) return;
  const now = state.outcome.at;
  let mine: KnownFinding[] = afterSweep(facts.known, result.found, { detectors: result.ran, now });
  if (result.pullRequest !== null)
    mine = afterProposal(mine, result.chosen, { state: "proposed", pullRequest: result.pullRequest, now });
  await changeValue(place, kept.at(state.thread.repository.id), (before) => ({
    known: mergeKnown(before?.known ?? [], mine, state.createdAt)
      .toSorted((a, b) => b.since - a.since)
      .slice(0, knownMax),
    ends: longerOf(before?.ends ?? {}, facts.ends),
  }));
}

/** Both counted from the same beginning. */
function longerOf(before: SweepFacts["ends"], mine: SweepFacts["ends"]): SweepFacts["ends"] {
  const longer = Object.entries(before).filter(
    ([detector, ends]) => !Object.hasOwn(mine, detector) || ends.length > (mine[detector]?.length ?? 0),
  );
  return { ...mine, ...Object.fromEntries(longer) };
}
