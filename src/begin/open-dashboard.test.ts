import { expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import type { Json } from "../core/vocabulary.ts";
import type { SharedValues } from "../runner/dependencies.ts";
import { openDashboard, openDashboardInJob } from "./open-dashboard.ts";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A GitHub whose list shows a new issue late, as the real one does. */
function scene() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub("", () => clock.now());
  github.ownIssue = async (_repository, _marker, known: number | null = null) => {
    await tick();
    return known !== null && github.issues.has(known) ? known : null;
  };
  let last = 100;
  github.ensureIssue = async (_repository, { title, body }) => {
    await tick();
    last += 1;
    github.issues.set(last, { title, body });
    return { number: last, url: `https://github.test/${last}` };
  };
  const values = new Map<string, Json>();
  const shared: SharedValues = {
    value: async (name) => values.get(name) ?? null,
    change: async (name, apply) => void values.set(name, apply(values.get(name) ?? null)),
  };
  /** Moves time until everything has ended. */
  const all = async <T>(work: Promise<T>[]): Promise<T[]> => {
    let done = false;
    const ended = Promise.all(work).finally(() => (done = true));
    ended.catch(() => {});
    while (!done) {
      clock.advance(1_000);
      await tick();
    }
    return ended;
  };
  return { clock, store, github, shared, values, all };
}

const owners = ["a", "b", "c"];

it("OD1, OD2: three replicas that need the dashboard issue at once open one", async () => {
  const { clock, store, github, all } = scene();
  const numbers = await all(owners.map((owner) => openDashboard({ store, clock, owner }, github, repository, null)));
  expect(new Set(numbers).size).toBe(1);
  expect(github.issues.size).toBe(1);
});

it("OD1, OD2: three jobs of Actions that need it at once open one", async () => {
  const { clock, github, shared, all } = scene();
  const numbers = await all(
    owners.map((owner) => openDashboardInJob({ clock, owner, shared }, github, repository, null)),
  );
  expect(new Set(numbers).size).toBe(1);
  expect(github.issues.size).toBe(1);
});

it.each<[string, Json, boolean]>([
  ["ended a minute ago", { by: "gone", at: Date.UTC(2026, 0, 1) - 61_000 }, true],
  ["cannot be read", "x", true],
  ["works now", { by: "other", at: Date.UTC(2026, 0, 1) + 3_600_000 }, false],
])("a claim of a job that %s: %j", async (_, claim, opens) => {
  const { clock, github, shared, values, all } = scene();
  values.set("schedules.dashboard-opening", claim);
  const opened = all([openDashboardInJob({ clock, owner: "me", shared }, github, repository, null)]);
  if (opens) expect(await opened).toHaveLength(1);
  else await expect(opened).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
  expect(github.issues.size).toBe(opens ? 1 : 0);
});

it("a dashboard issue that somebody deleted is opened again", async () => {
  const { clock, store, github, all } = scene();
  const place = { store, clock, owner: "a" };
  const [first] = await all([openDashboard(place, github, repository, null)]);
  github.issues.clear();
  const [second] = await all([openDashboard(place, github, repository, first ?? null)]);
  expect(second).not.toBe(first);
  expect(github.issues.size).toBe(1);
});
