/**
 * Changes a small value that several writers may change at once.
 *
 * CV1 A writer reads and changes the value only under a lease of the value's name.
 * CV2 A writer that was delayed past its lease writes nothing and begins again.
 */
import type { Store } from "../ports/store.ts";
import { readValue, type ValueKey, writeValue } from "../ports/values.ts";
import { againUnderLease, type LeasePlace } from "./under-lease.ts";

export interface ValuePlace extends LeasePlace {
  store: LeasePlace["store"] & Pick<Store, "value" | "setValue">;
}

const leaseMs = 10_000;
const retryMs = 50;

/** `change` may run more than once. Returns the stored value. */
export async function changeValue<T>(place: ValuePlace, key: ValueKey<T>, change: (before: T | null) => T): Promise<T> {
  const { store } = place;
  const lease = { name: key.name, owner: "change", forMs: leaseMs, retryMs };
  return againUnderLease(place, lease, async (held) => {
    const after = change(await readValue(store, key));
    await held.demand();
    await writeValue(store, key, after);
    return after;
  });
}
