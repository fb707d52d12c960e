/**
 * The day's budget of a repository (`budget.dayUsd`), according to the ledger.
 *
 * DB1 All replicas handle requests and reservations for a repository one at a time. Two runs never get the same money.
 * DB2 A decision is appended only under its lease, and only to the ledger that it was based on. A holder that was
 *     delayed past its lease appends nothing and asks again. In git refs, threads do not see each other's leases, so
 *     only the ledger decides.
 */
import type { Settings } from "../config/schema.ts";
import { BatonError, isBatonError } from "../core/errors.ts";
import { type Allowance, dayAllowance, dayOf, openAttemptMsMax } from "../money/allowance.ts";
import { worthwhileUsd } from "../money/budget.ts";
import type { TransactionWrites } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";

type Needs = Pick<Dependencies, "store" | "clock" | "owner">;
type Budget = Settings["budget"];
/** Appends before it resolves, and includes `also` in the append (DB2). */
type DecideDay<T> = (allowance: Allowance, also: TransactionWrites) => Promise<T>;

const leaseMs = 20_000;
const retryMs = 50;

export async function dayLeft(needs: Needs, repositoryId: number, budget: Budget): Promise<Allowance> {
  return (await readDay(needs, repositoryId, budget)).allowance;
}

async function readDay(
  { store, clock }: Needs,
  repositoryId: number,
  budget: Budget,
): Promise<{ allowance: Allowance; ledgerSeen: NonNullable<TransactionWrites["ledgerSeen"]> }> {
  const now = clock.now();
  const since = dayOf(now, budget.timeZone).from - openAttemptMsMax;
  const lines = budget.dayUsd === null ? [] : await store.ledger({ repositoryId, since });
  return {
    allowance: dayAllowance(lines, repositoryId, budget, now),
    ledgerSeen: { repositoryId, since, rows: lines.length },
  };
}

/** Before any paid work. The error names the next steps and who can take them. */
export function demandDayLeft(allowance: Allowance): void {
  if (allowance.leftUsd >= worthwhileUsd) return;
  throw new BatonError("BATON_DAY_BUDGET", allowance.reason);
}

const queues = new WeakMap<Needs["store"], Map<number, Promise<unknown>>>();

/** Decides with the rest of the day's budget. */
export async function withDay<T>(needs: Needs, repositoryId: number, budget: Budget, decide: DecideDay<T>): Promise<T> {
  if (budget.dayUsd === null) return decide(await dayLeft(needs, repositoryId, budget), {});
  const queue = queues.get(needs.store) ?? new Map<number, Promise<unknown>>();
  queues.set(needs.store, queue);
  const turn = (queue.get(repositoryId) ?? Promise.resolve()).then(() => alone(needs, repositoryId, budget, decide));
  queue.set(
    repositoryId,
    turn.catch(() => {}),
  );
  return turn;
}

async function alone<T>(needs: Needs, repositoryId: number, budget: Budget, decide: DecideDay<T>): Promise<T> {
  const { store, clock, owner } = needs;
  const name = `budget/${repositoryId}`;
  for (;;) {
    const lease = await store.acquireLease(name, owner, clock.now(), leaseMs);
    if (lease === null) {
      await clock.sleepUntil(clock.now() + retryMs);
      continue;
    }
    try {
      const { allowance, ledgerSeen } = await readDay(needs, repositoryId, budget);
      return await decide(allowance, { holds: lease, ledgerSeen });
    } catch (thrown) {
      // The lost lease may be the run's own: then its driver handles the error.
      const isOurs = isBatonError(thrown) && thrown.code === "BATON_LEASE_LOST" && thrown.details?.["lease"] === name;
      if (!isOurs) throw thrown;
    } finally {
      await store.releaseLease(lease);
    }
  }
}
