/** The engine over its ports: the shared part of the App and the Action. Builds no adapter. */

import type { RunId } from "./core/vocabulary.ts";
import { handleDelivery } from "./intake/handle-delivery.ts";
import { staysAsItIs, threadClosed } from "./runner/closed-thread.ts";
import type { Dependencies } from "./runner/dependencies.ts";
import { OutboxPump } from "./runner/outbox/pump.ts";
import { Runner } from "./runner/runner.ts";

export interface Engine {
  runner: Runner;
  outbox: OutboxPump;
}

const deliveriesAtOnce = 4;

export async function startEngine(dependencies: Dependencies): Promise<Engine> {
  const runner = new Runner(dependencies, { speaks: true });
  const outbox = new OutboxPump(dependencies, async (row, said) => {
    const runId = row.runId as RunId;
    const state = await runner.state(runId);
    await threadClosed(dependencies, row, said, async (decide) =>
      state !== null && staysAsItIs(state) ? state : (await runner.change(runId, decide)).state,
    );
  });
  await runner.start();
  outbox.start();
  await dependencies.queue.work("delivery", deliveriesAtOnce, async (job) => {
    await handleDelivery(dependencies, runner, job);
    outbox.poke();
  });
  return { runner, outbox };
}
