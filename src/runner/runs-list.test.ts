/** Lists of runs: each filter, filters together, and more runs than one read returns. */
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import type { RunState } from "../core/state.ts";
import type { RunId, RunStatus } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";
import { defineProcess, ProcessRegistry } from "../process/process.ts";
import { type ListRuns, Runs } from "./runs.ts";
import { visitor } from "./visitor.ts";

const names = ["look", "fix"] as const;
const processes = names.reduce(
  (registry, name) =>
    registry.register(
      defineProcess({
        name,
        version: 1,
        summary: "Nothing.",
        stages: ["One"],
        input: z.object({}),
        output: z.object({}),
        verdict: () => ({ name: "result", status: "passed", reason: "", evidence: [], children: [] }),
        run: async () => ({}),
      }),
    ),
  new ProcessRegistry(),
);
const alice = { id: 1, login: "alice", kind: "user", permission: "write" } as const;
const clock = { now: () => 0, sleepUntil: async () => {} };
const total = 450;
const ids = Array.from({ length: total }, (_, index) => `run_${`${index}`.padStart(26, "0")}` as RunId);
const indexOf = (runId: string): number => ids.indexOf(runId as RunId);
const repositoryOf = (index: number) => ({
  id: 1 + (index % 2),
  owner: "acme",
  name: index % 2 === 0 ? "shop" : "shop-two",
});
const statusOf = (index: number): RunStatus => (index < 10 ? "cancelled" : "waiting");
let runs: Runs;
/** Journals that were read. */
const read: number[] = [];

/**
 * 450 runs, one a second: alternating between two repositories, every third of `fix`, the first ten cancelled. All
 * resemble one real run.
 */
beforeAll(async () => {
  const { store } = openMemory({ clock, log: silentLog });
  const real = { store, clock, settle: async () => {}, processes };
  const driving = visitor(real);
  const { runId } = await new Runs(real, driving).create({
    key: "one",
    process: "look",
    input: {},
    thread: {
      repository: { ...repositoryOf(0), defaultBranch: "main", installationId: 1 },
      number: 1,
      kind: "issue",
    },
    requestedBy: alice,
  });
  const state = (await driving.state(runId)) as RunState;
  const rows = ids.map((id, index) => ({
    position: 1,
    updatedAt: 0,
    wakeAt: null,
    watches: [],
    runId: id,
    threadKey: `${repositoryOf(index).id}#${index + 1}`,
    process: index % 3 === 0 ? "fix" : "look",
    status: statusOf(index),
    createdAt: index * 1_000,
  }));
  const listed: Pick<Store, "run" | "runs"> = {
    run: async (id) => rows[indexOf(id)] ?? null,
    runs: async ({ threadKey, idStart = "", before, limit = 1_000 }) =>
      rows
        .toReversed()
        .filter((row) => row.runId.startsWith(idStart))
        .filter((row) => threadKey === undefined || row.threadKey === threadKey)
        .filter((row) => before === undefined || row.createdAt < before.createdAt)
        .slice(0, limit),
  };
  runs = new Runs(
    { store: { ...store, ...listed }, clock, processes },
    {
      ...driving,
      async state(id) {
        const index = indexOf(id);
        read.push(index);
        const repository = { ...state.thread.repository, ...repositoryOf(index) };
        return { ...state, runId: id, thread: { ...state.thread, repository, number: index + 1 } };
      },
    },
  );
});

const found = async (filter: ListRuns): Promise<number[]> =>
  (await runs.list(filter)).map(({ runId }) => indexOf(runId));

describe("lists of runs", () => {
  it.each<[string, ListRuns, number[]]>([
    ["newest first", { limit: 3 }, [449, 448, 447]],
    ["one repository by name, in any case", { repository: "Acme/Shop", limit: 2 }, [448, 446]],
    ["a name that only begins like it", { repository: "acme/shop-t", limit: 2 }, []],
    ["by id", { repositoryId: 2, limit: 2 }, [449, 447]],
    ["a thread by name", { repository: "acme/shop", number: 7 }, [6]],
    ["a thread of another repository", { repository: "acme/shop-two", number: 7 }, []],
    ["a thread by id", { repositoryId: 2, number: 8 }, [7]],
    ["a process", { process: "fix", limit: 2 }, [447, 444]],
    ["since", { since: 447_000 }, [449, 448, 447]],
    ["until", { until: 3_000, limit: 2 }, [2, 1]],
    ["a span", { since: 5_000, until: 8_000 }, [7, 6, 5]],
    ["a process of a repository in a span", { process: "fix", repository: "acme/shop", until: 13_000 }, [12, 6, 0]],
  ])("%s", async (_, filter, expected) => {
    expect(await found(filter)).toEqual(expected);
  });

  it("finds old ones beyond what is read at once", async () => {
    expect(await found({ status: "cancelled", process: "fix" })).toEqual([9, 6, 3, 0]);
    expect(await found({ repository: "acme/shop", number: 1 })).toEqual([0]);
  });

  it("a repository by its name costs one journal of each other repository", async () => {
    read.length = 0;
    expect(await found({ repository: "acme/shop-two", limit: 3 })).toEqual([449, 447, 445]);
    expect(await found({ repository: "acme/none" })).toEqual([]);
    expect(read).toEqual([449, 448, 447, 445, 449, 448]);
  });

  it("a run is named by the beginning of its id, if only one has it", async () => {
    const zeros = "0".repeat(23);
    expect((await runs.read(`${zeros}400`)).runId).toBe(ids[400]);
    await expect(runs.read(`run_${zeros}40`)).rejects.toMatchObject({
      code: "BATON_INPUT_INVALID",
      message: expect.stringContaining("Several runs begin with"),
    });
    for (const word of [`${zeros}9`, "0000", "run_%%%%%%%", ""])
      await expect(runs.read(word)).rejects.toMatchObject({ code: "BATON_NO_RUN" });
  });

  it("needs the repository of a thread", async () => {
    await expect(runs.list({ number: 7 })).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
  });
});
