import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { RateBudget } from "../../adapters/github/rate-budget.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import type { Dependencies } from "../dependencies.ts";
import { OutboxPump } from "./pump.ts";
import { outboxRow } from "./row.ts";

it("a stop does not wait for GitHub's limit: the row stays, and goes after the next start", async () => {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
  const sent: string[] = [];
  const started = (owner: string) => {
    const stopping = new AbortController();
    const budget = new RateBudget(clock, stopping.signal);
    const asked = Promise.withResolvers<void>();
    const ensureComment = async (_: unknown, _number: number, _key: string, body: string) => {
      asked.resolve();
      await budget.admit(true);
      sent.push(body);
      return { id: 1, url: "" };
    };
    const github = { installation: async () => ({ ensureComment }) };
    const pump = new OutboxPump({ store, clock, log: silentLog, owner, github } as unknown as Dependencies);
    return { pump, budget, stopping, asked: asked.promise };
  };
  const first = started("first");
  first.budget.block(3_600_000);
  const payload = { number: 7, body: "hello" };
  await store.write({
    outbox: [outboxRow({ operationKey: "reply:1", repository, kind: "comment", payload, priority: 1 })],
  });
  first.pump.start();
  await first.asked;
  first.stopping.abort();
  await first.pump.stop();
  expect(await store.outboxRow("reply:1")).toMatchObject({ state: "pending" });
  expect(sent).toEqual([]);
  clock.advance(3_600_000);
  const second = started("second");
  expect(await second.pump.pump()).toBe(1);
  await second.pump.stop();
  expect(sent).toEqual(["hello"]);
  expect(await store.outboxRow("reply:1")).toMatchObject({ state: "done" });
});
