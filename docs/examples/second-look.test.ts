import { expect, it } from "vitest";
import type { Json } from "../../src/core/vocabulary.ts";
import { smallFacts, told } from "../../test/fakes/prompt.ts";
import { RunWorld } from "../../test/fakes/run-world.ts";
import { secondLook } from "./second-look.ts";

const baseSha = "a".repeat(40);
const outcomes = [
  { id: "sum.1", statement: "Two items at 3 cost 6" },
  { id: "sum.2", statement: "An empty cart costs nothing" },
];
const looked = (answers: Json): Json => ({
  harness: "codex",
  model: "m",
  text: `\`\`\`json\n${JSON.stringify({ answers })}\n\`\`\``,
  sessionId: null,
  baseSha,
  headSha: null,
  commits: 0,
  files: [],
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
});

it("what is not answered with evidence fails it, and the thread sees which", async () => {
  const world = await RunWorld.start(secondLook, { ...smallFacts, baseSha, outcomes });
  const prompt = told(world.state.effects.get("look" as never)?.input);
  expect(prompt.system).toContain("- sum.2: An empty cart costs nothing");
  expect(prompt.user).toContain("Answer every expected outcome by its id.");
  await world.succeed("look", looked([{ id: "sum.1", met: true, evidence: "npm test: 2 passed" }]));
  const { publish } = world.state.effects.get("show" as never)?.input as { publish: { body: string } };
  expect(publish.body).toContain("| ❔ | `sum.2` | An empty cart costs nothing | Not answered. |");
  await world.succeed("show", { number: 1, url: null, sha: null });
  expect(world.state.outcome?.verdict).toMatchObject({
    status: "failed",
    reason: expect.stringMatching(/1 of 2 .* codex: sum\.2/),
  });
});

it("its hook adds to what the agent is told", () => {
  const loaded = { runId: "r", process: "second-look", effect: "look", attempt: 1, role: "verify" } as const;
  const added = secondLook.onInstructionsLoaded?.({
    ...loaded,
    access: "read-only",
    harness: "codex",
    instructions: [],
  });
  expect(added).toMatchObject([{ name: "doubt", stratum: "turn" }]);
});
