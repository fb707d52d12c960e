/**
 * Journals as a Baton stored them, with the state that they came to: `<version>/<name>.jsonl` and `<name>.end.json`.
 * A kept journal never changes. `keep.ts` writes them, `journals.test.ts` reads them with the Baton of today.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SealedEvent, StoredRow } from "../../src/core/chain.ts";
import type { RunState } from "../../src/core/state.ts";
import type { RunId } from "../../src/core/vocabulary.ts";

export const keptDirectory = fileURLToPath(new URL("./", import.meta.url));

export interface KeptJournal {
  name: string;
  stream: RunId;
  rows: StoredRow[];
  end: unknown;
}

export function keptJournals(): KeptJournal[] {
  return readdirSync(keptDirectory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".jsonl"))
    .sort()
    .map((path) => {
      const [head = "", ...lines] = readFileSync(`${keptDirectory}${path}`, "utf8").trimEnd().split("\n");
      const { stream } = JSON.parse(head) as { stream: RunId };
      const end: unknown = JSON.parse(readFileSync(`${keptDirectory}${path.replace(/\.jsonl$/, ".end.json")}`, "utf8"));
      return {
        name: path.replace(/\.jsonl$/, ""),
        stream,
        rows: lines.map((line) => JSON.parse(line) as StoredRow),
        end,
      };
    });
}

export function journalText(journal: readonly SealedEvent[]): string {
  const rows = journal.map(({ stream: _stream, event: _event, ...row }) => row);
  return [{ stream: journal[0]?.stream }, ...rows].map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** Facts that a later Baton must still find in it. */
export function endOf(state: RunState): unknown {
  const { process, status, money, position, hash, outcome } = state;
  return JSON.parse(
    JSON.stringify({
      process: { name: process.name, version: process.version },
      status,
      position,
      hash,
      thread: state.thread,
      requestedBy: state.requestedBy,
      money: { budgetUsd: money.budgetUsd, spentUsd: money.spentUsd, reservedUsd: money.reservedUsd },
      steps: [...state.effects.values()].map(({ key, kind, title, status: step, attempts, error }) => ({
        key,
        kind,
        title,
        status: step,
        attempts: attempts.length,
        error: error?.code ?? null,
      })),
      open: [...state.open],
      decisions: state.decisions.map(({ action, verdict }) => ({ action, status: verdict.status })),
      outcome: outcome === null ? null : { status: outcome.verdict.status, reason: outcome.verdict.reason },
    }),
  ) as unknown;
}
