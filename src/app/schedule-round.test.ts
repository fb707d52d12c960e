/** One round over several repositories, one of which cannot be served. */
import { expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { BatonError, type ErrorCode } from "../core/errors.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { knownRepositories, noteChange, rememberRepositories } from "../runner/schedule-book.ts";
import { runSchedules } from "./schedule-round.ts";

const hour = 3_600_000;
const config =
  'harness: { default: command }\nschedules:\n  - { name: nightly, cron: "0 3 * * *", process: explore, jitterMinutes: 0 }\n';
const other = { ...repository, id: 8, name: "other", installationId: 9 };

function scene() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(config, () => clock.now());
  const refused = { code: null as ErrorCode | null, listed: [other, repository] };
  const app = github.app();
  const dependencies = {
    store,
    clock,
    log: silentLog,
    owner: "test",
    redact: (text: string) => text,
    processes: builtInProcesses(),
    harnesses: new Map([["command", spy("command", [])]]),
    repositoryCommands: true,
    publicUrl: null,
    github: {
      ...app,
      repositories: async () => refused.listed,
      installation: async (id: number) => {
        if (id === other.installationId && refused.code !== null) throw new BatonError(refused.code, "no");
        return app.installation(id);
      },
    },
  } as unknown as Dependencies;
  const round = () => runSchedules(dependencies, async () => {});
  return { clock, store, refused, round, dependencies };
}

it.each(["BATON_GITHUB_NOT_FOUND", "BATON_GITHUB_DENIED", "BATON_GITHUB_UNAVAILABLE"] as const)(
  "SR2: a repository that moved, is archived or cannot be reached (%s) holds up no other, and is tried again",
  async (code) => {
    const { clock, refused, round } = scene();
    await round();
    clock.advance(3 * hour);
    refused.code = code;
    expect(await round()).toEqual({ "acme/shop": "started nightly" });
    refused.code = null;
    expect(await round()).toEqual({ "acme/other": "started nightly" });
    expect(await round()).toBeNull();
  },
);

it("SR1: a replica that lost its lease stops before the next repository", async () => {
  const { clock, dependencies, round, store } = scene();
  await round();
  clock.advance(3 * hour);
  let asked = 0;
  const lost = new BatonError("BATON_LEASE_LOST", "lost");
  const stillOurs = () => (asked++ === 0 ? Promise.resolve() : Promise.reject(lost));
  await expect(runSchedules(dependencies, stillOurs)).rejects.toBe(lost);
  expect(await store.runs({})).toHaveLength(1);
});

it("a repository that was renamed keeps its schedules, and a rename is known by the next push", async () => {
  const { clock, store, refused, round, dependencies } = scene();
  await round();
  const renamed = { ...repository, name: "store" };
  await noteChange(dependencies, renamed);
  expect((await knownRepositories(store))?.repositories).toEqual([other, renamed]);
  refused.listed = [other, renamed];
  clock.advance(3 * hour);
  // The key of an occurrence has the id, so the occurrence still runs once.
  expect(await round()).toEqual({ "acme/other": "started nightly", "acme/store": "started nightly" });
  expect(await round()).toBeNull();
});

it("a repository that is noted while Baton lists all of them is not forgotten, and one that is gone is", async () => {
  const { store, clock } = scene();
  const place = { store, clock };
  const [fresh, gone] = [
    { ...repository, id: 20, name: "fresh" },
    { ...repository, id: 21, name: "gone" },
  ];
  await rememberRepositories(place, { readAt: 0, repositories: [repository, gone] });
  const before = (await knownRepositories(store))?.repositories;
  await noteChange(place, fresh);
  await rememberRepositories(place, { readAt: 1, repositories: [repository] }, before);
  expect((await knownRepositories(store))?.repositories).toEqual([repository, fresh]);
});

it("repositories that are pushed to at once are all noted", async () => {
  const { store, clock } = scene();
  const place = {
    store,
    // Waiting moves the clock.
    clock: {
      now: () => clock.now(),
      sleepUntil: async (at: number, signal?: AbortSignal) => {
        if (signal !== undefined) return clock.sleepUntil(at, signal);
        clock.advance(at - clock.now());
      },
    },
  };
  const many = Array.from({ length: 8 }, (_, index) => ({ ...repository, id: 100 + index, name: `r${index}` }));
  await Promise.all(many.map((one) => noteChange(place, one)));
  expect((await knownRepositories(store))?.repositories.map(({ id }) => id).sort()).toEqual(many.map(({ id }) => id));
});
