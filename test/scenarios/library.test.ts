/** Runs without a thread command: the library's door (JSON-001), with branches that really work at once (PAR-001). */
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { defineProcess, ProcessRegistry, type Verdict } from "../../src/index.ts";
import type { CreateRun } from "../../src/library.ts";
import { runSummarySchema } from "../../src/summary/summary.ts";
import { type ObservedWorld, observedWorld, repositoryOf } from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

const passed = (reason: string): Verdict => ({ name: "result", status: "passed", reason, evidence: [], children: [] });

/** Two shells that each wait until the other has begun: one after the other they would never end. */
const meeting = defineProcess({
  name: "meeting",
  version: 1,
  summary: "Two steps that meet.",
  stages: ["Meet"],
  input: z.object({ sha: z.string(), place: z.string() }),
  output: z.object({ exitCodes: z.array(z.number().nullable()) }),
  async run(ctx, { sha, place }) {
    const meet = (mine: string, other: string) => (branch: typeof ctx) =>
      branch.shell("meet", {
        title: `Meet as ${mine}`,
        sha,
        command: [
          process.execPath,
          "-e",
          `const fs = require("fs"); fs.writeFileSync("${place}/${mine}", "");
           const look = () => fs.existsSync("${place}/${other}") ? process.exit(0) : setTimeout(look, 10); look();`,
        ],
      });
    const met = await ctx.parallel("both", { left: meet("left", "right"), right: meet("right", "left") });
    return { exitCodes: [met.left.exitCode, met.right.exitCode] };
  },
  verdict: () => passed("They met."),
});

const question = defineProcess({
  name: "question",
  version: 1,
  summary: "Asks and waits.",
  stages: ["Ask"],
  input: z.object({ text: z.string().min(1) }),
  output: z.object({ answer: z.string() }),
  async run(ctx, { text }) {
    const { answer } = await ctx.ask("ask", { title: "A question", question: text, answerKind: "text" });
    return { answer };
  },
  verdict: () => passed("Answered."),
});

const registry = (): ProcessRegistry => new ProcessRegistry().register(meeting).register(question);

function request(key: string, process: string, input: CreateRun["input"]): CreateRun {
  const { id } = repositoryOf(world);
  const installationId = [...world.github.state.installations.keys()][0] as number;
  return {
    key,
    process,
    input,
    thread: {
      repository: { id, owner: "acme", name: "shop", defaultBranch: "main", installationId },
      number: world.issue,
      kind: "issue",
    },
    requestedBy: { id: 1, login: "alice", kind: "user", permission: "write" },
  };
}

it("creates, advances and reads a run whose branches work at once; the same key is the same run", async () => {
  // The two meet in a directory that no sandbox shows them.
  world = await observedWorld({ processes: registry(), environment: { BATON_SANDBOX: "off" } });
  const { runs } = world.baton;
  const sha = repositoryOf(world).refs.get("refs/heads/main") as string;
  const created = await runs.create(request("a", "meeting", { sha, place: world.directory }));
  const again = await runs.create(request("a", "meeting", { sha, place: join(world.directory, "elsewhere") }));
  expect(again.runId).toBe(created.runId);
  const done = await runs.advance(created.runId);
  expect(done).toMatchObject({ status: "completed", verdict: { status: "passed" }, output: { exitCodes: [0, 0] } });
  expect(runSummarySchema.parse(done)).toEqual(done);
  expect(await runs.list({ repositoryId: repositoryOf(world).id, number: world.issue })).toEqual([
    { ...done, updatedAt: expect.any(Number) },
  ]);
});

it("waits for people, is cancelled with a reason, and is retried once", async () => {
  world = await observedWorld({ processes: registry() });
  const { runs } = world.baton;
  const { runId } = await runs.create(request("b", "question", { text: "Which colour?" }));
  const waiting = await runs.advance(runId);
  expect(waiting).toMatchObject({ status: "waiting", waitsFor: [{ kind: "people", key: "ask" }] });
  await expect(runs.create(request("c", "question", { text: "x" }))).rejects.toMatchObject({
    code: "BATON_RUN_ACTIVE",
  });
  await expect(runs.retry(runId, waiting.requestedBy)).rejects.toMatchObject({ code: "BATON_RUN_ACTIVE" });
  await runs.cancel(runId, waiting.requestedBy, "not needed");
  expect(await runs.advance(runId)).toMatchObject({ status: "cancelled" });
  const retried = await runs.retry(runId, waiting.requestedBy);
  expect(retried).toMatchObject({ retryOf: runId, status: expect.stringMatching(/running|waiting/) });
  expect((await runs.retry(runId, waiting.requestedBy)).runId).toBe(retried.runId);
  expect(await runs.list({ active: true })).toHaveLength(1);
});

it.each([
  ["an input that the process does not take", "BATON_INPUT_INVALID", /question.*text/, { text: "" }, "question"],
  ["a process that is not there", "BATON_PROCESS_UNKNOWN", /Known: meeting, question/, {}, "questoin"],
])("refuses %s", async (_, code, message, input, process) => {
  world = await observedWorld({ processes: registry() });
  await expect(world.baton.runs.create(request("d", process, input))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  await expect(world.baton.runs.read("run_x")).rejects.toMatchObject({ code: "BATON_NO_RUN" });
  await expect(world.baton.runs.list({ number: 3 })).rejects.toMatchObject({ code: "BATON_INPUT_INVALID" });
});
