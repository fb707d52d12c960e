import { expect, it } from "vitest";
import { silentLog } from "../adapters/system/log.ts";
import { BatonError } from "../core/errors.ts";
import { switchOn, wakeUp } from "./wake-up.ts";

const settings = { wakeUp: "baton-wake-up.yml", workflow: "baton.yml" };
const repository = { id: 1, owner: "acme", name: "shop", defaultBranch: "main", installationId: 0 };

/** `on`: workflows by file name. One that is not named does not exist. `onSwitch`: the deeds of other jobs meanwhile. */
function place({ on, onSwitch = () => {} }: { on: Record<string, boolean>; onSwitch?: () => void }) {
  const did: string[] = [];
  const github = {
    isWorkflowOn: async (_: object, name: string) => on[name] ?? null,
    switchWorkflow: async (_: object, name: string, to: boolean) => {
      if (on[name] === undefined) throw new BatonError("BATON_GITHUB_NOT_FOUND", "Not Found");
      on[name] = to;
      did.push(`${name} ${to ? "on" : "off"}`);
      onSwitch();
    },
    // As GitHub does: 404 without the file, 422 for one that is off.
    dispatch: async (_: object, name: string) => {
      if (on[name] !== true) throw new BatonError("BATON_GITHUB_CONFLICT", "Cannot trigger a disabled workflow");
      did.push(`${name} started`);
    },
  };
  return { did, on, place: { github, repository: async () => repository, settings, log: silentLog } };
}

it.each<[string, Record<string, boolean>, string | null, boolean, string[], RegExp]>([
  ["due", { "baton.yml": true }, "2 threads are due.", true, ["baton.yml started"], /`baton.yml` is started/],
  ["not yet due", { "baton.yml": true }, null, true, [], /Nothing is due yet/],
  ["nothing waits", { "baton.yml": true }, null, false, ["baton-wake-up.yml off"], /Nothing waits.*switched off/],
  ["WU3: due, workflow disabled", { "baton.yml": false }, "Due.", true, ["baton-wake-up.yml off"], /enable both/],
])("%s", async (_, workflows, due, awaited, did, says) => {
  const world = place({ on: { "baton-wake-up.yml": true, ...workflows } });
  expect(await wakeUp(world.place, { due, isAwaited: async () => awaited })).toMatch(says);
  expect(world.did).toEqual(did);
});

it("WU3: without the workflow it fails once, with the input that names it", async () => {
  const world = place({ on: { "baton-wake-up.yml": true } });
  const woken = wakeUp(world.place, { due: "Due.", isAwaited: async () => true });
  await expect(woken).rejects.toThrow(/input `workflow`/);
  expect(world.did).toEqual(["baton-wake-up.yml off"]);
});

it("WU2: a run that begins to wait while the wake-up switches itself off switches it on again", async () => {
  let isAwaited = false;
  const world = place({
    on: { "baton.yml": true, "baton-wake-up.yml": true },
    // The job that left it saw the wake-up on.
    onSwitch: () => void (isAwaited = true),
  });
  await wakeUp(world.place, { due: null, isAwaited: async () => isAwaited });
  expect(world.did).toEqual(["baton-wake-up.yml off", "baton-wake-up.yml on"]);
});

it.each<[string, Record<string, boolean>, string[]]>([
  ["off", { "baton-wake-up.yml": false }, ["baton-wake-up.yml on"]],
  ["on", { "baton-wake-up.yml": true }, []],
  ["absent", {}, []],
])("WU1: a wake-up that is %s", async (_, on, did) => {
  const world = place({ on });
  await switchOn(world.place);
  expect(world.did).toEqual(did);
});
