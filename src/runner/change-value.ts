/**
 * Changes a small value that several writers may change at once.
 *
 * CV1 A writer reads and changes the value only under a lease of the value's name.
 * CV2 A writer that was delayed past its lease writes nothing and begins again.
 */
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { readValue, type ValueKey, writeValue } from "../ports/values.ts";

export interface ValuePlace {
  store: Pick<Store, "value" | "setValue" | "acquireLease" | "renewLease" | "releaseLease">;
  clock: Clock;
}

const leaseMs = 10_000;
const retryMs = 50;

/** `change` may run more than once. Returns the stored value. */
export async function changeValue<T>(
  { store, clock }: ValuePlace,
  key: ValueKey<T>,
  change: (before: T | null) => T,
): Promise<T> {
  for (;;) {
    const lease = await store.acquireLease(key.name, "change", clock.now(), leaseMs);
    if (lease === null) {
      await clock.sleepUntil(clock.now() + retryMs);
      continue;
    }
    try {
      const after = change(await readValue(store, key));
      if ((await store.renewLease(lease, clock.now(), leaseMs)) === null) continue;
      await writeValue(store, key, after);
      return after;
    } finally {
      await store.releaseLease(lease);
    }
  }
}
