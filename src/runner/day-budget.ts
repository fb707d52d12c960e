/**
 * The day's budget of a repository (`budget.dayUsd`), as the ledger has it.
 *
 * DB1 Who asks and who sets aside is one at a time for a repository, on all replicas: two runs never get the same money.
 */
import type { Settings } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import { type Allowance, dayAllowance, dayOf, openAttemptMsMax } from "../money/allowance.ts";
import { worthwhileUsd } from "../money/budget.ts";
import type { Dependencies } from "./dependencies.ts";

type Needs = Pick<Dependencies, "store" | "clock" | "owner">;
type Budget = Settings["budget"];

const leaseMs = 20_000;
const retryMs = 50;

export async function dayLeft({ store, clock }: Needs, repositoryId: number, budget: Budget): Promise<Allowance> {
  const now = clock.now();
  const since = dayOf(now, budget.timeZone).from - openAttemptMsMax;
  const lines = budget.dayUsd === null ? [] : await store.ledger({ repositoryId, since });
  return dayAllowance(lines, repositoryId, budget, now);
}

/** Before any paid work: who can do what next. */
export function demandDayLeft(allowance: Allowance): void {
  if (allowance.leftUsd >= worthwhileUsd) return;
  throw new BatonError("BATON_DAY_BUDGET", allowance.reason);
}

const queues = new WeakMap<Needs["store"], Map<number, Promise<unknown>>>();

/** Decides with what the day has left; `decide` appends before it resolves (DB1). */
export async function withDay<T>(
  needs: Needs,
  repositoryId: number,
  budget: Budget,
  decide: (allowance: Allowance) => Promise<T>,
): Promise<T> {
  if (budget.dayUsd === null) return decide(await dayLeft(needs, repositoryId, budget));
  const queue = queues.get(needs.store) ?? new Map<number, Promise<unknown>>();
  queues.set(needs.store, queue);
  const turn = (queue.get(repositoryId) ?? Promise.resolve()).then(() => alone(needs, repositoryId, budget, decide));
  queue.set(
    repositoryId,
    turn.catch(() => {}),
  );
  return turn;
}

async function alone<T>(
  needs: Needs,
  repositoryId: number,
  budget: Budget,
  decide: (allowance: Allowance) => Promise<T>,
): Promise<T> {
  const { store, clock, owner } = needs;
  const name = `budget/${repositoryId}`;
  let lease = await store.acquireLease(name, owner, clock.now(), leaseMs);
  while (lease === null) {
    await clock.sleepUntil(clock.now() + retryMs);
    lease = await store.acquireLease(name, owner, clock.now(), leaseMs);
  }
  try {
    return await decide(await dayLeft(needs, repositoryId, budget));
  } finally {
    await store.releaseLease(lease);
  }
}
