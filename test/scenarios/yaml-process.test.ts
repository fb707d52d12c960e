/** A process of the repository: the base branch's file runs, whatever a head holds, and whatever the base holds later. */
import { afterEach, expect, it } from "vitest";
import { sampleFiles } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import type { HarnessRequest } from "../../src/ports/harness.ts";
import {
  ends,
  type ObservedWorld,
  observedWorld,
  ownComments,
  pulls,
  reaches,
  repositoryOf,
  say,
  spy,
} from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

const path = ".github/baton/processes/greet.yaml";
const greet = (from: string): string => `summary: Greets, and says what it saw.
inputs:
  name: { type: string }
steps:
  - id: look
    agent:
      role: review
      prompt: Look at \${{ inputs.name }}.
      answer: { type: object, properties: { files: { type: integer } }, required: [files] }
  - id: which
    ask: { question: "Greet \${{ inputs.name }}?", choices: [yes please, no] }
  - id: run
    if: steps.which.outputs.answer == 'yes please'
    shell: [node, -p, "1 + \${{ steps.look.outputs.answer.files }}"]
  - id: tell
    publish: { comment: "${from} greets \${{ inputs.name }}: \${{ instructions }}" }
outputs:
  sum:
    value: \${{ fromJSON(steps.run.outputs.output) }}
    schema: { type: integer }
`;
const script = { review: [{ text: 'Seen.\n\n```json\n{"files": 6}\n```\n' }] };

const push = (branch: string, text: string): Promise<unknown> =>
  world.github.push({ repository: repositoryName, as: "alice", branch, files: { [path]: text }, message: branch });

it("runs from the base branch to its outputs in the thread; a changed head and a changed base are not used, a restart changes nothing", async () => {
  world = await observedWorld({ files: { ...sampleFiles, [path]: greet("Base") }, script });
  await push("change", greet("Head").replace("role: review", "rule: review"));
  const { number } = await world.github.openPullRequest({
    repository: repositoryName,
    as: "alice",
    title: "Greet",
    head: "change",
  });

  // Baton only checks the head's file.
  const check = await world.until("the check run", () =>
    [...repositoryOf(world).checkRuns.values()].find(({ name }) => name === "Baton configuration"),
  );
  expect(check.conclusion).toBe("failure");
  expect(check.annotations).toMatchObject([{ path, start_line: 7, message: expect.stringContaining("`role`") }]);

  say(world, "/baton run greet name=shop good morning", "alice", number);
  const begun = await reaches(world, "which", number);
  expect(begun.process).toMatchObject({ name: "greet", source: { path, uses: [] } });
  await push("main", greet("Later").replace("which", "other"));
  await world.restart();
  say(world, "/baton answer yes please", "alice", number);
  const state = await ends(world, number);
  expect(state.outcome?.verdict).toMatchObject({ status: "passed", evidence: [{ label: "sum", value: "7" }] });
  const said = ownComments(world, number);
  expect(said).toContainEqual(expect.stringContaining("Base greets shop: good morning"));
  expect(said.join("\n")).not.toMatch(/(?:Head|Later) greets/);
  expect(said.join("\n")).toContain(`\`greet\` @${begun.process.source?.hash.slice(0, 7)}`);
  expect(said.join("\n")).toContain("sum");
});

it("help lists those of the repository; a broken one starts nothing and says its lines", async () => {
  world = await observedWorld({
    files: {
      ...sampleFiles,
      [path]: greet("Base"),
      ".github/baton/processes/broken.yaml": "summary: Broken\nsteps:\n  - { id: a, uses: gret }\n",
    },
    script,
  });
  say(world, "/baton help");
  const help = await world.until("help", () => ownComments(world)[0]);
  expect(help).toContain("- `greet`: Greets, and says what it saw.");
  expect(help).toContain("- `broken`: cannot run: .github/baton/processes/broken.yaml:3:");
  say(world, "/baton run broken");
  const refused = await world.until("the refusal", () =>
    ownComments(world).find((body) => body.includes("has errors")),
  );
  expect(refused).toMatch(/broken\.yaml:3:20: There is no process `gret`.*Did you mean `greet`\?/);
  say(world, "/baton run greet");
  await world.until("the missing input", () => ownComments(world).find((body) => body.includes("inputs.name")));
  expect(await world.baton.dependencies.store.runs({})).toEqual([]);
});

it("a file bounds an agent further and never less: of its bounds and the configuration's the smaller count", async () => {
  const requests: HarnessRequest[] = [];
  const wide = `summary: Wide
steps:
  - id: wide
    timeoutMinutes: 300
    agent: { prompt: Do it., profile: full, turns: 400, budgetUsd: 99 }
  - id: narrow
    timeoutMinutes: 1
    agent: { prompt: Do it., profile: own, turns: 3, budgetUsd: 0.25 }
`;
  world = await observedWorld({
    files: { ...sampleFiles, [path]: wide },
    harnesses: new Map([["other", spy("other", requests)]]),
    config: `harness: { default: other, profile: tight }
limits: { turns: 7, agentMinutes: 3, attemptUsd: 0.75 }
profiles: { tight: { access: read-only }, own: { roles: [implement] } }
`,
  });
  say(world, "/baton run greet");
  const state = await ends(world);
  expect(requests).toMatchObject([
    { access: "read-only", maxTurns: 7, timeoutMs: 180_000 },
    { access: "read-only", maxTurns: 3, timeoutMs: 60_000, maxUsd: 0.25 },
  ]);
  const reserved = ["wide", "narrow"].map((key) => state.effects.get(key as never)?.attempts[0]?.reservedUsd);
  expect(reserved).toEqual([0.75, 0.25]);
});

it("a child run is asked and told in its parent's thread: its plan approved, its share in the table, its work counted", async () => {
  const twice = `summary: Makes the change, then says so
steps:
  - { id: make, uses: issue-to-pr, budgetUsd: 1.5 }
  - { id: tell, if: always(), publish: { comment: "It ended as \${{ steps.make.outcome }}." } }
`;
  world = await observedWorld({
    files: { ...sampleFiles, [path]: twice },
    config: "harness: { default: command }\nbreakpoints: { plan: ask }\n",
  });
  say(world, "/baton run greet");
  const plan = await world.until("the child's plan in the parent's comment", () =>
    ownComments(world).find((body) => body.includes("/baton approve") && body.includes("The plan")),
  );
  expect(plan).toContain("Needs people: Run issue-to-pr");
  expect(plan).toMatch(/\$\d\.\d\d of its \$1\.50/);
  await world.restart();
  say(world, "/baton approve", "bob");
  await world.until("the child's pull request", () => pulls(world)[0]);
  say(world, "/baton why", "bob");
  await world.until("the answer", () => ownComments(world).find((body) => body.includes("[Decisions and evidence](")));
  const why = await world.until("the decision", () =>
    ownComments(world).find((body) => /\*\*Asked and decided\*\*[\s\S]*approve/.test(body)),
  );
  expect(why).toContain("Run issue-to-pr");
  say(world, "/baton cancel enough", "bob");
  const rows = await world.until("the end of both", async () => {
    const all = await world.baton.dependencies.store.runs({});
    return all.length === 2 && all.every(({ status }) => status === "cancelled") ? all : null;
  });
  const states = await Promise.all(rows.map(({ runId }) => world.baton.runner.state(runId)));
  const [child, parent] = [states.find((one) => one?.parent !== null), states.find((one) => one?.parent === null)];
  expect(parent?.money.spentUsd).toBeGreaterThan(0);
  expect(parent?.money).toMatchObject({ spentUsd: child?.money.spentUsd, reservedUsd: 0 });
});
