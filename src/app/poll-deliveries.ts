/**
 * Finds deliveries that GitHub sent and Baton never kept, and asks for them again. GitHub does not do so by itself.
 *
 * PD1 Baton searches for deliveries that the store does not know. GitHub's own status does not count: either side may lose
 *     an answer.
 * PD2 The first start of a database asks for nothing: a lost database must not repeat old commands.
 * PD3 Baton gives up a delivery that failed `attemptsMax` times, and reports that in the log.
 */
import { z } from "zod";
import { limits } from "../core/limits.ts";
import { meaningfulEvents } from "../intake/events.ts";
import type { GithubDeliverySummary } from "../ports/github.ts";
import { defineValue, readValue, writeValue } from "../ports/values.ts";
import type { Dependencies } from "../runner/dependencies.ts";

const seenUntilValue = defineValue("deliveries.seen-until", z.number());
/** Younger deliveries may still be on their way. */
const settleMs = 30_000;
/** Read again although already seen: attempts from the round before, and clocks that differ. */
const overlapMs = 15 * 60_000;
const attemptsMax = 5;
const pagesMax = 50;

export async function pollDeliveries(
  dependencies: Pick<Dependencies, "store" | "clock" | "github" | "log">,
): Promise<Record<string, unknown> | null> {
  const { store, clock, github, log } = dependencies;
  const now = clock.now();
  const seenUntil = await readValue(store, seenUntilValue);
  if (seenUntil === null) {
    await writeValue(store, seenUntilValue, now);
    return null;
  }
  const since = Math.max(seenUntil - overlapMs, now - limits.deliveryLookBackMs);
  const attempts = await attemptsSince(dependencies, since, now - settleMs);
  const known = await store.knownGuids([...attempts.keys()]);
  let asked = 0;
  for (const [guid, list] of attempts) {
    const newest = list[0];
    if (newest === undefined || known.has(guid)) continue;
    if (list.length >= attemptsMax) {
      log.error("A delivery fails every time it is sent; `/baton refresh` reads the thread again", {
        guid,
        event: newest.event,
        attempts: list.length,
      });
      continue;
    }
    await github.redeliver(newest.id);
    asked += 1;
  }
  await writeValue(store, seenUntilValue, now);
  return asked === 0 ? null : { asked };
}

/** Attempts by GUID, the newest first, and only those that can matter. */
async function attemptsSince(
  { github }: Pick<Dependencies, "github">,
  since: number,
  until: number,
): Promise<Map<string, GithubDeliverySummary[]>> {
  const attempts = new Map<string, GithubDeliverySummary[]>();
  const young = new Set<string>();
  let cursor: string | null = null;
  for (let page = 1; page <= pagesMax; page += 1) {
    const { deliveries, nextCursor } = await github.deliveries(cursor);
    for (const delivery of deliveries) {
      const at = Date.parse(delivery.deliveredAt);
      if (at > until) young.add(delivery.guid);
      if (at < since || !meaningfulEvents.has(delivery.event)) continue;
      attempts.set(delivery.guid, [...(attempts.get(delivery.guid) ?? []), delivery]);
    }
    const oldest = deliveries.at(-1);
    if (nextCursor === null || oldest === undefined || Date.parse(oldest.deliveredAt) < since) break;
    cursor = nextCursor;
  }
  for (const guid of young) attempts.delete(guid);
  return attempts;
}
