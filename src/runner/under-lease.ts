/**
 * Work that only one process does at a time, under a lease of the store.
 *
 * UL1 Baton renews the lease for as long as the work takes.
 * UL2 The work calls `demand` before it writes. If another holder has the lease, `demand` throws BATON_LEASE_LOST.
 * UL3 Processes release the lease at the end of the work, also when the work fails.
 */
import { BatonError, hasCode, isBatonError, leaseLost } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Lease, Store } from "../ports/store.ts";

export interface LeasePlace {
  store: Pick<Store, "acquireLease" | "renewLease" | "releaseLease">;
  clock: Clock;
}

export interface LeaseRequest {
  name: string;
  owner: string;
  forMs: number;
}

export interface Held {
  /** As last renewed: a fence for an append. */
  readonly lease: Lease;
  /** UL2 */
  demand(): Promise<void>;
}

/** The share of its time after which a lease is renewed. */
const renewAt = 1 / 3;

/** Waits for the lease. `patienceMs`: afterwards it gives up with BATON_LEASE_LOST. */
export async function underLease<T>(
  place: LeasePlace,
  request: LeaseRequest & { retryMs: number; patienceMs?: number },
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const { store, clock } = place;
  const { name, owner, forMs, retryMs, patienceMs = Number.POSITIVE_INFINITY } = request;
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const lease = await store.acquireLease(name, owner, clock.now(), forMs);
    if (lease !== null) return hold(place, request, lease, work);
    if (clock.now() > deadline)
      throw new BatonError("BATON_LEASE_LOST", `Another process holds the lease ${name}.`, {
        details: { lease: name },
      });
    await clock.sleepUntil(clock.now() + retryMs);
  }
}

/** Like `underLease`, but repeats the work if another holder acquired the lease before the work wrote. */
export async function againUnderLease<T>(
  place: LeasePlace,
  request: LeaseRequest & { retryMs: number },
  work: (held: Held) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await underLease(place, request, work);
    } catch (thrown) {
      // The lost lease may be another one: then its own holder handles the error.
      const isOurs =
        isBatonError(thrown) && thrown.code === "BATON_LEASE_LOST" && thrown.details?.["lease"] === request.name;
      if (!isOurs) throw thrown;
    }
  }
}

/** UL1, UL3. `releases` false: the lease stays until it expires. */
export async function hold<T>(
  { store, clock }: LeasePlace,
  { forMs }: LeaseRequest,
  acquired: Lease,
  work: (held: Held) => Promise<T>,
  releases = true,
): Promise<T> {
  let lease = acquired;
  const held: Held = {
    get lease() {
      return lease;
    },
    async demand() {
      const renewed = await store.renewLease(lease, clock.now(), forMs);
      if (renewed === null) throw leaseLost(lease);
      lease = renewed;
    },
  };
  const done = new AbortController();
  const renewing = renew(clock, forMs * renewAt, () => held.demand(), done.signal);
  try {
    return await work(held);
  } finally {
    done.abort();
    await renewing;
    if (releases) await store.releaseLease(lease);
  }
}

async function renew(clock: Clock, everyMs: number, demand: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleepUntil(clock.now() + everyMs, signal);
      await demand();
    } catch (thrown) {
      // The store may answer next time. The next `demand` of the work reports a lost lease.
      if (signal.aborted || hasCode(thrown, "BATON_LEASE_LOST")) return;
    }
  }
}
