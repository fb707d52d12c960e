/**
 * What runs of a process came to in a repository, stage by stage, and which agents worked in it: read when a run begins, added to when one has passed.
 * Two runs that end at the same moment may lose one of both: a range is then of one run less.
 */
import { z } from "zod";
import { stageSampleSchema } from "../core/event.ts";
import { type StageHistory, samplesOfRun } from "../core/progress.ts";
import type { RunState } from "../core/state.ts";
import type { Json } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";

/** Older ones say little of how long it takes today. */
const runsKept = 12;

const keptSchema = z.array(
  z.object({
    runId: z.string(),
    stages: z.record(z.string(), stageSampleSchema),
  }),
);

/** null: no run of it has passed here yet. */
export async function stageHistory(
  store: Pick<Store, "value">,
  repositoryId: number,
  process: { name: string; stages: readonly string[] },
): Promise<StageHistory | null> {
  const runs = await read(store, nameOf(repositoryId, process.name));
  const same = runs.filter(({ stages }) => process.stages.every((stage) => stages[stage] !== undefined));
  if (same.length === 0) return null;
  return Object.fromEntries(
    process.stages.map((stage) => [
      stage,
      same.flatMap(({ stages }) => (stages[stage] === undefined ? [] : [stages[stage]])),
    ]),
  );
}

/** Once a run, however often its end is written. Runs that failed stopped early and would promise too much. */
export async function rememberStages(store: Pick<Store, "value" | "setValue">, state: RunState): Promise<void> {
  if (state.outcome?.verdict.status !== "passed" || state.process.stages.length === 0) return;
  const name = nameOf(state.thread.repository.id, state.process.name);
  const runs = await read(store, name);
  if (runs.some(({ runId }) => runId === state.runId)) return;
  await store.setValue(
    name,
    [...runs, { runId: state.runId, stages: samplesOfRun(state) }].slice(-runsKept) as unknown as Json,
  );
}

function nameOf(repositoryId: number, process: string): string {
  return `stages/${repositoryId}/${process}`;
}

async function read(store: Pick<Store, "value">, name: string): Promise<z.infer<typeof keptSchema>> {
  // What an older or newer version kept, or nobody, is as good as nothing.
  return keptSchema.safeParse(await store.value(name)).data ?? [];
}
