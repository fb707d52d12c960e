/**
 * The obvious way to be durable, as the baseline: at each step read the whole journal, fold it, replay the process from its start,
 * perform what it asks for, append. The same store, checks, process and instantaneous effect; no status, no lease: it does less.
 */
import { turnEvents } from "../../src/core/decide.ts";
import type { RunEvent } from "../../src/core/event.ts";
import { fold } from "../../src/core/fold.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import { replay } from "../../src/process/replay.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { repository } from "./run.ts";

export async function driveNaively(dependencies: Dependencies, runId: RunId): Promise<void> {
  const { store, processes, settle, owner, github } = dependencies;
  for (;;) {
    const events = await store.read(runId);
    const state = fold(events);
    if (state.outcome !== null) return;
    const definition = processes.exact(state.process.name, state.process.version);
    const { turn } = await replay(definition, events, settle);
    const append = (news: RunEvent[]) =>
      store.append({ runId, expectedPosition: state.position, events: news, now: Date.now() });
    const asked = turnEvents(state, definition, turn);
    if (asked.length > 0) {
      await append(asked);
      continue;
    }
    const effect = [...state.open].map((key) => state.effects.get(key)).find((open) => open !== undefined);
    if (effect === undefined) throw new Error(`Nothing is open in ${runId}.`);
    if (effect.status === "requested") {
      await append([{ type: "effect.started", key: effect.key, attempt: 1, worker: owner, reservedUsd: 0 }]);
      continue;
    }
    await (await github.installation(repository.installationId)).ensureReviewRequest(repository, 1, ["bob"], []);
    const output = { number: 1, url: null, sha: null };
    await append([{ type: "effect.succeeded", key: effect.key, attempt: 1, output, usage: [] }]);
  }
}
