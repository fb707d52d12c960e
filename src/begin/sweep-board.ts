/** The dashboard's part about sweeps. */
import type { Settings } from "../config/schema.ts";
import type { Repository } from "../core/vocabulary.ts";
import { dayLeft } from "../runner/day-budget.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { readSweepBook } from "../runner/sweep-book.ts";
import { openFindings, sweepNotes } from "../runner/sweep-memory.ts";
import { endsOf } from "../sweep/stats.ts";
import { throttle } from "../sweep/throttle.ts";
import type { DashboardSweeps } from "../thread/render/dashboard.ts";

const shownMax = 20;

/** null: the repository has no sweeps. */
export async function sweepBoard(
  dependencies: Pick<Dependencies, "store" | "clock" | "owner">,
  { id }: Pick<Repository, "id">,
  { sweep, budget }: Pick<Settings, "sweep" | "budget">,
): Promise<DashboardSweeps | null> {
  if (sweep.detectors.length === 0) return null;
  const { store } = dependencies;
  const book = await readSweepBook(store, id);
  const findings = await openFindings(store, id);
  const weight = { error: 0, warning: 1, note: 2 } as const;
  const sorted = findings.toSorted(
    (a, b) => weight[a.severity] - weight[b.severity] || (a.path ?? "").localeCompare(b.path ?? "", "en"),
  );
  const { leftUsd } = await dayLeft(dependencies, id, budget, sweep);
  return {
    detectors: [...new Set(sweep.detectors.map(({ use }) => use))].map((name) => {
      const ends = endsOf(book.proposals, name, book.resumed[name]?.at);
      const { rate, reason } = throttle(name, ends);
      return { name, rate, reason };
    }),
    open: book.proposals.filter(({ end }) => end === null).length,
    openMax: sweep.openPullRequests,
    leftTodayUsd: Number.isFinite(leftUsd) ? leftUsd : null,
    findings: sorted.slice(0, shownMax).map(({ fingerprint, rule, path, line, message }) => ({
      fingerprint,
      rule,
      place: path === null ? "" : `${path}${line === null ? "" : `:${line}`}`,
      message,
      wanted: book.wanted[fingerprint]?.by ?? null,
    })),
    more: Math.max(0, sorted.length - shownMax),
    notes: await sweepNotes(store, id),
  };
}
