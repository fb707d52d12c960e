/** The contents of the store after the death of every Baton: readable journals, ledger, unsent rows. */
import { setTimeout as delay } from "node:timers/promises";
import { openDatabase } from "../../../src/adapters/database/open.ts";
import { silentLog } from "../../../src/adapters/system/log.ts";
import { toBatonError } from "../../../src/core/errors.ts";
import { fold } from "../../../src/core/fold.ts";
import type { Store } from "../../../src/ports/store.ts";
import type { Facts, RunFacts } from "./oracle.ts";

export interface StoredFactsOptions {
  /** null: the embedded database in `dataDir`. */
  databaseUrl: string | null;
  dataDir: string;
  acknowledged: ReadonlyMap<string, RunFacts["acknowledged"]>;
  issueOf(threadKey: string): number;
}

export async function storedFacts(options: StoredFactsOptions): Promise<Pick<Facts, "runs" | "unsent">> {
  const { databaseUrl, dataDir, acknowledged, issueOf } = options;
  const database = await openDatabase({ databaseUrl, dataDir, log: silentLog });
  const { store } = database;
  try {
    const runs: RunFacts[] = [];
    for (const { runId, threadKey } of await store.runs({}))
      runs.push({
        issue: issueOf(threadKey),
        runId,
        acknowledged: acknowledged.get(runId) ?? [],
        ledger: await store.ledger({ runId }),
        ...(await journalFacts(store, runId)),
      });
    const unsent = (await store.outboxDue(Number.MAX_SAFE_INTEGER, 1_000)).map(({ operationKey }) => operationKey);
    return { runs, unsent };
  } finally {
    await database.close();
  }
}

/** Asks every second until nothing is left to send, or the time is over. Only a server's database is readable next to a Baton. */
export async function allSent(databaseUrl: string, withinMs: number): Promise<void> {
  const database = await openDatabase({ databaseUrl, dataDir: "", log: silentLog });
  try {
    for (const until = performance.now() + withinMs; performance.now() < until; await delay(1_000))
      if ((await database.store.outboxDue(Number.MAX_SAFE_INTEGER, 1)).length === 0) return;
  } finally {
    await database.close();
  }
}

type JournalFacts = Omit<RunFacts, "issue" | "runId" | "acknowledged" | "ledger">;

/** `read` checks schema, count and hash chain of every event. */
async function journalFacts(store: Store, runId: Parameters<Store["read"]>[0]): Promise<JournalFacts> {
  try {
    const events = await store.read(runId);
    const { money, outcome, effects } = fold(events);
    const heads = [...effects.values()].flatMap(({ kind, output }) =>
      kind === "agent" ? [(output as { headSha?: string | null } | null)?.headSha ?? null] : [],
    );
    return {
      events,
      broken: null,
      reservedUsd: money.reservedUsd,
      spentUsd: money.spentUsd,
      outcome: outcome === null ? null : outcome.verdict.status,
      reason: outcome?.verdict.reason ?? "",
      headSha: heads.findLast((head) => head !== null) ?? null,
    };
  } catch (thrown) {
    const broken = toBatonError(thrown).message;
    return { events: null, broken, reservedUsd: 0, spentUsd: 0, outcome: null, reason: "", headSha: null };
  }
}
