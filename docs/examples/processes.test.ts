/** The YAML example as a story, with a crash before every answer; every file of the folder is a process that Baton takes. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { RepositoryProcesses } from "../../src/begin/load-processes.ts";
import type { Json } from "../../src/core/vocabulary.ts";
import { bob, RunWorld } from "../../test/fakes/run-world.ts";

const folder = new URL("processes/", import.meta.url);
const repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const own = new RepositoryProcesses(
  builtInProcesses(),
  {
    directory: async () => readdirSync(folder),
    file: async (_, path) => readFileSync(new URL(path.split("/").at(-1) ?? "", folder), "utf8"),
  },
  repository,
  "a".repeat(40),
);

const first = "1".repeat(40);
const agent = (text: string, headSha: string | null = null): Json => ({
  harness: "command",
  model: "m",
  text,
  sessionId: null,
  baseSha: "a".repeat(40),
  headSha,
  commits: 0,
  files: [],
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
});
const published = (number: number | null = null): Json => ({ number, url: null, sha: null });

const input = {
  thread: {
    number: 12,
    kind: "issue",
    title: "Slow",
    body: "It is.",
    author: "alice",
    authorPermission: "write",
    comments: [],
  },
  instructions: "",
  projectInstructions: "",
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
  baseSha: "a".repeat(40),
  branch: "baton/issue-12-slow",
  branchSha: null,
  choice: {},
  settings: {
    planBreakpoint: "auto",
    reviewBreakpoint: "ask",
    protectedPaths: [],
    protectedPathsBreakpoint: "ask",
    checksTimeoutMs: 60_000,
    reviewers: [],
    teams: [],
  },
  pullRequest: null,
  inputs: { focus: "speed" },
};

const story: [open: string[], key: string, answer: Json][] = [
  [["careful", "bold"], "bold", agent("Rewrite it.")],
  [["careful"], "careful", agent("Add an index.")],
  [["show"], "show", published(1)],
  [["choice"], "choice", { answer: "bold", by: bob as unknown as Json }],
  [["change"], "change", agent("Done.", first)],
  [["test"], "test", { exitCode: 1, signal: null, output: "", durationMs: 1 }],
  [["test/pause"], "test/pause", { wokeAt: 2_000_000 }],
  [["test#2"], "test#2", { exitCode: 0, signal: null, output: "", durationMs: 1 }],
  [["propose/push"], "propose/push", published()],
  [["propose"], "propose", published(5)],
  [["finish/checks"], "finish/checks", { name: "checks", status: "passed", reason: "", evidence: [], children: [] }],
  [
    ["finish/review"],
    "finish/review",
    { decision: "approved", by: bob as unknown as Json, feedback: "", sha: first, reviewId: 1 },
  ],
];

describe.each([false, true])("second-opinion.yaml, with a crash before every answer: %s", (crashes) => {
  it("plans twice, asks, works, proposes, and passes with the evidence", async () => {
    const found = await own.find("second-opinion");
    if (found === null) throw new Error("not found");
    const world = await RunWorld.start(found.definition, input);
    for (const [open, key, answer] of story) {
      if (crashes) await world.crash();
      expect(world.open()).toEqual(open);
      await world.succeed(key, answer);
    }
    expect(world.state.outcome?.verdict).toMatchObject({ status: "passed" });
    expect(world.state.outcome?.output).toMatchObject({ outputs: { chosen: "bold", by: "bob", pullRequest: 5 } });
    const work = world.state.effects.get("change" as never)?.input as unknown as {
      prompt: { facts: { work: string } };
    };
    expect(work.prompt.facts.work).toContain("Rewrite it.");
  });
});

it.each(readdirSync(folder))("%s has no mistake", async (file) => {
  const { parsed } = await own.check(file.replace(/\.yaml$/, ""));
  expect(parsed.problems).toEqual([]);
});
