/**
 * The results of a process's runs in a repository, stage by stage, with their agents. A run reads them at its start,
 * and adds its own after it passed.
 * Two runs that end at the same moment may lose one result. A range then has one run less.
 */
import { z } from "zod";
import { stageSampleSchema } from "../core/event.ts";
import { type StageHistory, samplesOfRun } from "../core/progress.ts";
import type { RunState } from "../core/state.ts";
import type { Store } from "../ports/store.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";

/** Older runs say little about today's durations. */
const runsKept = 12;

const keptRuns = defineValues(
  "stages/",
  z.array(z.object({ runId: z.string(), stages: z.record(z.string(), stageSampleSchema) })),
);
const keyOf = (repositoryId: number, process: string) => keptRuns.at(`${repositoryId}/${process}`);

/** null: no run of it has passed here yet. */
export async function stageHistory(
  store: Pick<Store, "value">,
  repositoryId: number,
  process: { name: string; stages: readonly string[] },
): Promise<StageHistory | null> {
  const runs = (await readValue(store, keyOf(repositoryId, process.name))) ?? [];
  const same = runs.filter(({ stages }) => process.stages.every((stage) => stages[stage] !== undefined));
  if (same.length === 0) return null;
  return Object.fromEntries(
    process.stages.map((stage) => [
      stage,
      same.flatMap(({ stages }) => (stages[stage] === undefined ? [] : [stages[stage]])),
    ]),
  );
}

/**
 * Once for each run, even if its end is written again. Failed runs stopped early, so their durations would be too
 * short.
 */
export async function rememberStages(store: Pick<Store, "value" | "setValue">, state: RunState): Promise<void> {
  if (state.outcome?.verdict.status !== "passed" || state.process.stages.length === 0) return;
  const key = keyOf(state.thread.repository.id, state.process.name);
  const runs = (await readValue(store, key)) ?? [];
  if (runs.some(({ runId }) => runId === state.runId)) return;
  await writeValue(store, key, [...runs, { runId: state.runId, stages: samplesOfRun(state) }].slice(-runsKept));
}
