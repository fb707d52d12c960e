/** The rounds of the App: one line each. */
import { openWaitingSetups } from "../begin/onboard.ts";
import { limits } from "../core/limits.ts";
import { isActiveStatus, type RunId, runIdSchema } from "../core/vocabulary.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { pollDeliveries } from "./poll-deliveries.ts";
import { runSchedules } from "./schedule-round.ts";
import type { Round } from "./timetable.ts";

export const rounds: readonly Round[] = [
  { name: "missed-deliveries", by: "one", intervalMs: limits.deliveryPollIntervalMs, work: pollDeliveries },
  { name: "schedules", by: "one", intervalMs: limits.scheduleRoundMs, work: runSchedules },
  { name: "onboarding", by: "one", intervalMs: limits.onboardingRoundMs, work: openWaitingSetups },
  { name: "workspaces", by: "each", intervalMs: limits.garbageIntervalMs, work: collectGarbage },
  { name: "old-rows", by: "one", intervalMs: limits.garbageIntervalMs, work: prune },
];

async function collectGarbage({
  workspaces,
  store,
  packageCaches,
  clock,
}: Pick<Dependencies, "workspaces" | "store" | "packageCaches" | "clock">): Promise<Record<string, unknown> | null> {
  const isActive = async (runId: RunId): Promise<boolean> => {
    const run = await store.run(runIdSchema.parse(runId));
    return run !== null && isActiveStatus(run.status);
  };
  await packageCaches?.prune(new Date(clock.now() - limits.packageCacheUnusedMs));
  const { removed, kept } = await workspaces.collectGarbage(isActive);
  return removed.length + kept.length === 0 ? null : { removed: removed.length, kept: kept.length };
}

async function prune({ store, clock }: Pick<Dependencies, "store" | "clock">): Promise<Record<string, unknown> | null> {
  const now = clock.now();
  const pruned = await store.prune({
    deliveriesBefore: now - limits.deliveryRetentionMs,
    outboxBefore: now - limits.outboxRetentionMs,
  });
  return pruned.deliveries + pruned.outbox + pruned.values === 0 ? null : { ...pruned };
}
