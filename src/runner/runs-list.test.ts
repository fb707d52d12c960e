/** Lists of runs: each filter, together, and over more runs than are read at once. */
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { defineProcess, ProcessRegistry } from "../core/process.ts";
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
let now = 0;
const clock = { now: () => now, sleepUntil: async () => {} };
let runs: Runs;
const ids: string[] = [];

/** 450 runs, one a second: of two repositories by turns, every third of `fix`, the first ten cancelled. */
beforeAll(async () => {
  const { store } = openMemory({ clock, log: silentLog });
  const dependencies = { store, clock, settle: async () => {}, processes };
  runs = new Runs(dependencies, visitor(dependencies));
  for (let index = 0; index < 450; index += 1) {
    now = index * 1_000;
    const repository = { id: 1 + (index % 2), owner: "acme", name: index % 2 === 0 ? "shop" : "shop-two" };
    const { runId } = await runs.create({
      key: `${index}`,
      process: index % 3 === 0 ? "fix" : "look",
      input: {},
      thread: {
        repository: { ...repository, defaultBranch: "main", installationId: 1 },
        number: index + 1,
        kind: "issue",
      },
      requestedBy: alice,
    });
    ids.push(runId);
    if (index < 10) await runs.cancel(runId, alice, "no");
  }
});

const found = async (filter: ListRuns): Promise<number[]> =>
  (await runs.list(filter)).map(({ runId }) => ids.indexOf(runId));

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
    const { status } = await runs.read(ids[0] as string);
    const alike = await found({ status, process: "fix", until: 10_000 });
    expect(alike).toEqual([9, 6, 3, 0]);
    expect(await found({ repository: "acme/shop", number: 1 })).toEqual([0]);
  });

  it("needs the repository of a thread", async () => {
    await expect(runs.list({ number: 7 })).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
  });
});
