/** Two versions of Baton on one store. If only the newer one knows an event, the older one stops that run, and no other. */
import { expect, it } from "vitest";
import { sha256 } from "../../src/adapters/system/sha256.ts";
import { canonicalJson } from "../../src/core/canonical.ts";
import type { SealedEvent } from "../../src/core/chain.ts";
import { eventSchemaVersion, type RunEvent } from "../../src/core/event.ts";
import { fold } from "../../src/core/fold.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import { Simulation } from "./simulation-world.ts";

/** The append of a future Baton, as its store would write it: a row with a true hash, and the count. */
function appendFromTomorrow(world: Simulation, runId: RunId, schemaVersion = eventSchemaVersion): void {
  const journal = world.tables.events.get(runId) as SealedEvent[];
  const last = journal.at(-1) as SealedEvent;
  const event = { type: "run.reviewed-by-tomorrow", grade: 1 } as unknown as RunEvent;
  const text = canonicalJson(event);
  const position = journal.length + 1;
  const at = world.clock.now();
  const previousHash = last.hash;
  const hashed = canonicalJson({ event, personal: [] });
  const hash = sha256(`${previousHash}\n${runId}\n${position}\n${at}\n${hashed}`);
  const row = { stream: runId, position, at, schemaVersion, event, previousHash, hash, text, salts: {} };
  world.tables.events.set(runId, [...journal, row]);
  const index = world.tables.runRows.get(runId);
  if (index !== undefined) world.tables.runRows.set(runId, { ...index, position });
}

const known = (world: Simulation) =>
  [...world.tables.events.values()]
    .filter((journal) => !journal.some(({ text }) => text.includes("by-tomorrow")))
    .map((journal) => fold(journal));

/** Two replicas, which know each other only by leases. */
async function begun(): Promise<{ world: Simulation; runId: RunId }> {
  const world = new Simulation(3);
  world.wild = false;
  await world.pass(1_000);
  world.github.say(11, "alice", "/baton run");
  for (let turn = 0; turn < 100; turn += 1) {
    await world.pass(1_000);
    const running = known(world).find(({ effects }) =>
      [...effects.values()].some(({ status }) => status === "running"),
    );
    if (running !== undefined) return { world, runId: running.runId };
  }
  throw new Error("It never began.");
}

it.each([
  ["an unknown event", eventSchemaVersion],
  ["a newer schema version", eventSchemaVersion + 1],
])(
  "%s stops the run while it is driven; other threads go on, and the newer Baton finds it free",
  async (_, version) => {
    const { world, runId } = await begun();
    appendFromTomorrow(world, runId, version);
    const { length } = world.tables.events.get(runId) as SealedEvent[];
    world.github.say(12, "bob", "/baton run");
    for (let turn = 0; turn < 120; turn += 1) {
      await world.pass(5_000);
      for (const { sha } of world.github.ci.values()) world.github.conclude(sha, true);
    }
    // The other thread's run came as far as it can without people.
    expect(known(world).map(({ thread, open }) => [thread.number, [...open]])).toEqual([[12, ["review"]]]);
    // Baton added nothing after the unknown event, decided nothing about the run, and does not hold it.
    expect(world.tables.events.get(runId)).toHaveLength(length);
    expect(world.tables.runRows.get(runId)?.status).toMatch(/running|waiting/);
    const { tables, clock } = world;
    expect(tables.acquireLease(`run:${runId}`, "tomorrow", clock.now() + 31_000, 30_000)).not.toBeNull();
    // N4: a Baton that knows the event will hear of it.
    expect([...tables.jobs.values()].some(({ data }) => (data as { runId?: string }).runId === runId)).toBe(true);
    expect(() => tables.read(runId, 0)).toThrow(expect.objectContaining({ code: "BATON_EVENT_NEWER" }));
  },
);

it("a command to such a run is kept for the newer Baton, and one to another thread is answered", async () => {
  const { world, runId } = await begun();
  appendFromTomorrow(world, runId);
  world.github.say(11, "bob", "/baton pause");
  const other = world.github.say(12, "bob", "/baton help");
  for (let turn = 0; turn < 20; turn += 1) await world.pass(2_000);
  const received = [...world.tables.deliveries.values()].filter(({ state }) => state === "received");
  expect(received.map(({ payload }) => (JSON.parse(payload) as { issue: { number: number } }).issue.number)).toEqual([
    11,
  ]);
  expect([...world.github.said.values()].some(({ body }) => body.includes(`reply:${other} `))).toBe(true);
});
