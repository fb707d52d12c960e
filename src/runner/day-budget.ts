/**
 * The money that a run may still reserve: the day's budget of its repository (`budget.dayUsd`). For a sweep, the limits of all sweeps
 * count, too (`sweep.dayUsd`, `sweep.monthUsd`). The ledger decides.
 *
 * DB1 All replicas handle requests and reservations for a repository one at a time. Two runs never get the same money.
 * DB2 A decision is appended only under its lease, and only to the ledger that it was based on. A holder that was
 *     delayed past its lease appends nothing and asks again. In git refs, threads do not see each other's leases, so
 *     only the ledger decides.
 */
import type { Settings } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import {
  type Allowance,
  dayAllowance,
  dayOf,
  lesser,
  monthOf,
  openAttemptMsMax,
  type SweepBudget,
  sweepAllowance,
} from "../money/allowance.ts";
import { worthwhileUsd } from "../money/budget.ts";
import type { Clock } from "../ports/clock.ts";
import type { LedgerRow, Store, TransactionWrites } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { settingsOf } from "./settings-of.ts";
import { againUnderLease } from "./under-lease.ts";

type Needs = Pick<Dependencies, "store" | "clock" | "owner">;
interface Reads {
  store: Pick<Store, "ledger" | "run">;
  clock: Clock;
}
type Budget = Settings["budget"];
/** The limits of all sweeps together. null: the run is not a sweep. */
type SweepLimits = SweepBudget | null;
/** Appends before it resolves, and includes `also` in the append (DB2). */
type DecideDay<T> = (allowance: Allowance, also: TransactionWrites) => Promise<T>;

const leaseMs = 20_000;
const retryMs = 50;

export function sweepLimitsOf(state: Pick<RunState, "process" | "settings">): SweepLimits {
  const { sweep } = settingsOf(state);
  return state.process.name === "sweep" && (sweep.dayUsd !== null || sweep.monthUsd !== null) ? sweep : null;
}

export async function dayLeft(
  needs: Reads,
  repositoryId: number,
  budget: Budget,
  sweep: SweepLimits = null,
): Promise<Allowance> {
  return (await readDay(needs, repositoryId, budget, sweep)).allowance;
}

async function readDay(
  { store, clock }: Reads,
  repositoryId: number,
  budget: Budget,
  sweep: SweepLimits,
): Promise<{ allowance: Allowance; ledgerSeen: NonNullable<TransactionWrites["ledgerSeen"]> }> {
  const now = clock.now();
  const day = dayOf(now, budget.timeZone).from;
  const since = (sweep === null ? day : Math.min(day, monthOf(now).from)) - openAttemptMsMax;
  const lines = budget.dayUsd === null && sweep === null ? [] : await store.ledger({ repositoryId, since });
  let allowance = dayAllowance(lines, repositoryId, budget, now);
  if (sweep !== null)
    allowance = lesser(allowance, sweepAllowance(await linesOfSweeps(store, lines), repositoryId, sweep, now));
  return { allowance, ledgerSeen: { repositoryId, since, rows: lines.length } };
}

/**
 * A row of an older Baton does not name its process, and one thread of Actions does not see the run of another. Such money
 * counts: a limit holds too early, never too late.
 */
async function linesOfSweeps(store: Pick<Store, "run">, lines: readonly LedgerRow[]): Promise<LedgerRow[]> {
  const unnamed = new Set(lines.flatMap(({ runId, process }) => (process === undefined ? [runId] : [])));
  const known = processes.get(store) ?? new Map<string, string>();
  processes.set(store, known);
  for (const runId of unnamed) {
    if (known.has(runId)) continue;
    const run = await store.run(runId);
    if (run !== null) known.set(runId, run.process);
  }
  return lines.filter(({ runId, process = known.get(runId) ?? "sweep" }) => process === "sweep");
}

/** A run keeps its process, so each run of an older Baton is asked for once. */
const processes = new WeakMap<object, Map<string, string>>();

/** Before any paid work. The error names the next steps and who can take them. */
export function demandDayLeft(allowance: Allowance): void {
  if (allowance.leftUsd >= worthwhileUsd) return;
  throw new BatonError("BATON_DAY_BUDGET", allowance.reason);
}

const queues = new WeakMap<Needs["store"], Map<number, Promise<unknown>>>();

/** Decides with the rest of the day's budget, and for a sweep with the rest of the sweeps' limits. */
export async function withDay<T>(
  needs: Needs,
  repositoryId: number,
  budget: Budget,
  decide: DecideDay<T>,
  sweep: SweepLimits = null,
): Promise<T> {
  if (budget.dayUsd === null && sweep === null) return decide(await dayLeft(needs, repositoryId, budget), {});
  const queue = queues.get(needs.store) ?? new Map<number, Promise<unknown>>();
  queues.set(needs.store, queue);
  const { store, clock, owner } = needs;
  const lease = { name: `budget/${repositoryId}`, owner, forMs: leaseMs, retryMs };
  const turn = (queue.get(repositoryId) ?? Promise.resolve()).then(() =>
    againUnderLease({ store, clock }, lease, async (held) => {
      const { allowance, ledgerSeen } = await readDay(needs, repositoryId, budget, sweep);
      return decide(allowance, { holds: held.lease, ledgerSeen });
    }),
  );
  queue.set(
    repositoryId,
    turn.catch(() => {}),
  );
  return turn;
}
