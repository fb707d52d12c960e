/**
 * The winner of a race: a pure function of the measurements of each contestant.
 *
 * Owns: the order and its reason in words. Does not own: measuring (checks by the gate, lines by git, money by the ledger),
 * the table.
 * K1 Green checks take precedence over everything else. Among red contestants, the one with fewer failed checks leads.
 * K2 Then the smaller change leads, then the cheaper one, then the first in the list: never a coin.
 * K3 A contestant that did not finish has no place and never wins. An unknown figure counts as the largest.
 */

/** A contestant's result. `out`: no commit to judge. */
export type Finish =
  | { state: "out"; reason: string }
  | { state: "judged"; green: boolean; failedChecks: number; lines: number; sha: string };

export interface Entry {
  /** Harness and model as requested: `claude-code` or `codex:gpt-5`. */
  name: string;
  /** null: unknown. */
  costUsd: number | null;
  finish: Finish;
}

export interface Judged {
  entry: Entry;
  /** 1 is the best. null: out. */
  place: number | null;
  /** Why it has this place, in half a sentence. */
  reason: string;
}

export interface Judgement {
  /** In the order of the entries. */
  judged: Judged[];
  /** null: no contestant finished. */
  winner: Judged | null;
  /** One sentence: the winner, and why. */
  sentence: string;
}

type Runner = Entry & { finish: Extract<Finish, { state: "judged" }>; order: number };

/** The measures, in this order (K1, K2): each says by how much the second is worse. */
const measures: { of(runner: Runner): number; says(better: Runner, worse: Runner): string }[] = [
  {
    of: ({ finish }) => (finish.green ? 0 : 1 + Math.max(0, finish.failedChecks - 1)),
    says: (better, worse) =>
      better.finish.green
        ? "its checks are green"
        : `fewer of its checks failed (${better.finish.failedChecks} against ${worse.finish.failedChecks})`,
  },
  {
    of: ({ finish }) => finish.lines,
    says: (better, worse) => `its change is smaller (${lines(better.finish.lines)} against ${worse.finish.lines})`,
  },
  {
    of: ({ costUsd }) => costUsd ?? Number.POSITIVE_INFINITY,
    says: (better, worse) =>
      `it was cheaper (${usd(better.costUsd)} against ${worse.costUsd === null ? "an unknown price" : usd(worse.costUsd)})`,
  },
  { of: ({ order }) => order, says: () => "they are equal, and it was named first" },
];

export function judge(entries: readonly Entry[]): Judgement {
  const runners = entries
    .map((entry, order) => ({ ...entry, order }))
    .filter((runner): runner is Runner => runner.finish.state === "judged")
    .toSorted((a, b) => {
      const { of } = decides(a, b);
      return difference(of(a), of(b));
    });
  const judged = entries.map((entry, order): Judged => {
    if (entry.finish.state === "out") return { entry, place: null, reason: entry.finish.reason };
    const at = runners.findIndex((runner) => runner.order === order);
    const [own, ahead] = [runners[at] as Runner, runners[at - 1]];
    return {
      entry,
      place: at + 1,
      reason:
        ahead === undefined ? why(own, runners[1]) : `behind ${ahead.name}: ${decides(ahead, own).says(ahead, own)}`,
    };
  });
  const winner = judged.find(({ place }) => place === 1) ?? null;
  return { judged, winner, sentence: sentenceOf(winner, entries) };
}

function why(winner: Runner, second: Runner | undefined): string {
  if (second === undefined)
    return winner.finish.green
      ? "the only one that finished, with green checks"
      : "the only one that finished; its checks are red";
  const reason = decides(winner, second).says(winner, second);
  const ahead = `ahead of ${second.name}: ${reason}`;
  return winner.finish.green ? ahead : `${ahead}; all are red`;
}

function sentenceOf(winner: Judged | null, entries: readonly Entry[]): string {
  if (winner === null)
    return `Nobody finished: ${entries.map(({ name, finish }) => `${name}: ${finish.state === "out" ? finish.reason : ""}`).join("; ")}`;
  const { finish } = winner.entry;
  return finish.state === "judged" && finish.green
    ? `${winner.entry.name} wins: ${winner.reason}.`
    : `No contestant is green. ${winner.entry.name} is the best of them and goes into repair: ${winner.reason}.`;
}

/** The first measure in which two contestants differ. They always differ in the last one. */
function decides(a: Runner, b: Runner): (typeof measures)[number] {
  return measures.find(({ of }) => of(a) !== of(b)) ?? (measures.at(-1) as (typeof measures)[number]);
}

function difference(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function lines(count: number): string {
  return `${count} line${count === 1 ? "" : "s"}`;
}

function usd(amount: number | null): string {
  return amount === null ? "unknown" : `$${amount.toFixed(amount !== 0 && amount < 0.1 ? 4 : 2)}`;
}
