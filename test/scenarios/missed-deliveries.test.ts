/** Deliveries that never arrived: Baton finds them in the App's delivery log, asks for them again, and handles each once. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { pollDeliveries } from "../../src/app/poll-deliveries.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { type ObservedWorld, observedWorld, ownComments, say } from "./helpers.ts";

let world: ObservedWorld;
beforeEach(async () => {
  world = await observedWorld();
  // The very first look only remembers where it began.
  await world.until("the first round", () => world.baton.dependencies.store.value("deliveries.seen-until"));
});
afterEach(() => world.close());

/** Dependencies at a later time, so that the test does not wait. */
const later = (ms: number): Dependencies => {
  const { clock } = world.baton.dependencies;
  return { ...world.baton.dependencies, clock: { ...clock, now: () => clock.now() + ms } };
};
const attempts = (): number => world.github.log.filter(({ path }) => path.endsWith("/attempts")).length;

it("a dropped delivery is asked for again once it is old enough, and its command is done once", async () => {
  world.github.faults.addWebhook({ kind: "drop", match: { event: "issue_comment" } });
  say(world, "/baton help");
  expect(await pollDeliveries(later(1_000)), "it may still be on its way").toBeNull();
  expect(await pollDeliveries(later(60_000))).toEqual({ asked: 1 });
  await world.until("the help", () => ownComments(world).length === 1);
  expect(await pollDeliveries(later(120_000)), "it is known now").toBeNull();
  expect(attempts()).toBe(1);
  expect(ownComments(world)).toHaveLength(1);
});

it("events that mean nothing are not asked for; a delivery that always fails is given up", async () => {
  const { github } = world.baton.dependencies;
  const failed = (id: number, event: string, guid: string) => ({
    id,
    guid,
    event,
    deliveredAt: new Date().toISOString(),
    ok: false,
    installationId: 1,
  });
  const asked: number[] = [];
  const log = [
    failed(1, "watch", "a"),
    ...[2, 3, 4, 5, 6].map((id) => failed(id, "issue_comment", "b")),
    failed(7, "status", "c"),
  ];
  const dependencies: Dependencies = {
    ...later(60_000),
    github: {
      identity: () => github.identity(),
      installation: (id) => github.installation(id),
      deliveries: async () => ({ deliveries: log, nextCursor: null }),
      redeliver: async (id) => void asked.push(id),
      repositories: () => github.repositories(),
    },
  };
  expect(await pollDeliveries(dependencies)).toEqual({ asked: 1 });
  expect(asked).toEqual([7]);
});
