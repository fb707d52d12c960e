/**
 * Chooses the findings for the next proposal.
 *
 * CH1 The choice never exceeds a limit, and the reason names the limit.
 * CH2 A proposal covers one detector and one part of the tree, so that one person can judge it.
 * CH3 The same facts give the same choice.
 * CH4 Ticked findings come first, even those of a throttled detector. Limits hold for them too.
 */
import { worthwhileUsd } from "../money/budget.ts";
import type { KnownFinding } from "./states.ts";
import type { Throttle } from "./throttle.ts";

interface ChooseLimits {
  /** The number of open proposals of sweeps. */
  openPullRequests: number;
  openPullRequestsMax: number;
  /** The most findings in one proposal. */
  findingsMax: number;
  /** The money that sweeps may still spend. null: there is no bound. */
  leftUsd?: number | null | undefined;
  /** Fingerprints of findings that people ticked. */
  wanted?: readonly string[] | undefined;
}

export interface Choice {
  findings: KnownFinding[];
  detector: string | null;
  /** First folder of the paths. Empty: the root, or no file. */
  part: string;
  /** For people: why these findings, or why none. */
  reason: string;
}

const weights = { error: 9, warning: 3, note: 1 } as const;

export function choose(
  known: readonly KnownFinding[],
  limits: ChooseLimits,
  throttles: ReadonlyMap<string, Throttle>,
): Choice {
  const none = (reason: string): Choice => ({ findings: [], detector: null, part: "", reason });
  if (limits.openPullRequests >= limits.openPullRequestsMax)
    return none(
      `${limits.openPullRequests} of ${limits.openPullRequestsMax} pull requests of sweeps are open. Review them first.`,
    );
  const open = known.filter(({ state }) => state === "new");
  if (open.length === 0) return none("There is no finding that could be proposed.");
  if (limits.leftUsd != null && limits.leftUsd < worthwhileUsd)
    return none("Sweeps have spent what `sweep.dayUsd` or `sweep.monthUsd` allows. They go on when the time is over.");
  const rateOf = (detector: string): number => throttles.get(detector)?.rate ?? 1;
  const ticked = new Set(limits.wanted);
  const wanted = open.filter(({ fingerprint }) => ticked.has(fingerprint));
  const allowed = wanted.length > 0 ? wanted : open.filter(({ detector }) => rateOf(detector) > 0);
  if (allowed.length === 0) {
    const reasons = [...new Set(open.map(({ detector }) => throttles.get(detector)?.reason ?? ""))];
    return none(reasons.join(" "));
  }
  const groups = new Map<string, KnownFinding[]>();
  for (const one of allowed) {
    const key = JSON.stringify([one.detector, partOf(one.path)]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const ranked = [...groups]
    .map(([key, findings]) => {
      const [detector = "", part = ""] = JSON.parse(key) as string[];
      const rate = wanted.length > 0 ? 1 : rateOf(detector);
      const max = Math.max(1, Math.floor(limits.findingsMax * rate));
      const best = findings.toSorted(byWeight).slice(0, max);
      const worth =
        best.reduce((sum, { severity }) => sum + weights[severity], 0) * acceptanceOf(throttles.get(detector));
      return { key, detector, part, best, worth };
    })
    .toSorted((a, b) => b.worth - a.worth || (a.key < b.key ? -1 : 1));
  const [first] = ranked;
  if (first === undefined) return none("There is no finding that could be proposed.");
  const where = first.part === "" ? "" : ` in \`${first.part}\``;
  return {
    findings: first.best,
    detector: first.detector,
    part: first.part,
    reason: `${first.best.length} of ${open.length} findings, of \`${first.detector}\`${where}: ${wanted.length > 0 ? "somebody ticked them" : "those with the most weight"}.`,
  };
}

function partOf(path: string | null): string {
  return path?.includes("/") === true ? (path.split("/")[0] ?? "") : "";
}

/** A detector without a record counts as half accepted. */
function acceptanceOf(known: Throttle | undefined): number {
  return known === undefined || known.counted === 0 ? 0.5 : Math.max(0.05, known.merged / known.counted);
}

function byWeight(a: KnownFinding, b: KnownFinding): number {
  return (
    weights[b.severity] - weights[a.severity] ||
    (a.path ?? "").localeCompare(b.path ?? "", "en") ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.fingerprint < b.fingerprint ? -1 : 1)
  );
}
