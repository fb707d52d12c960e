/**
 * The day's budget of a repository (`budget.dayUsd`), as the ledger has it.
 *
 * DB1 Who asks and who sets aside is one at a time for a repository, on all replicas: two runs never get the same money.
 * DB2 What is decided is appended only while the lease is held that it was decided under, and to the ledger that it knew. A
 *     holder that was delayed past its lease appends nothing and asks again. In refs of git, where threads do not see each
 *     other's leases, the ledger alone says so.
 */
import type { Settings } from "../config/schema.ts";
import { BatonError, isBatonError } from "../core/errors.ts";
import { type Allowance, dayAllowance, dayOf, openAttemptMsMax } from "../money/allowance.ts";
import { worthwhileUsd } from "../money/budget.ts";
import type { TransactionWrites } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";

type Needs = Pick<Dependencies, "store" | "clock" | "owner">;
type Budget = Settings["budget"];
/** Appends before it resolves, with `also` in the append (DB2). */
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

/** Before any paid work: who can do what next. */
export function demandDayLeft(allowance: Allowance): void {
  if (allowance.leftUsd >= worthwhileUsd) return;
  throw new BatonError("BATON_DAY_BUDGET", allowance.reason);
}

const queues = new WeakMap<Needs["store"], Map<number, Promise<unknown>>>();

/** Decides with what the day has left. */
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
      // The run's own lease may be the one that is lost: that is for its driver.
      const isOurs = isBatonError(thrown) && thrown.code === "BATON_LEASE_LOST" && thrown.details?.["lease"] === name;
      if (!isOurs) throw thrown;
    } finally {
      await store.releaseLease(lease);
    }
  }
}
