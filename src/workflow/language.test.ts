/** The requests of a file with every key, pinned by version of the language. A change here changes runs that are under way. */
import { expect, it } from "vitest";
import { bob, RunWorld } from "../../test/fakes/run-world.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { canonicalJson } from "../core/canonical.ts";
import type { EffectKind } from "../core/effect.ts";
import type { Json } from "../core/vocabulary.ts";
import { compileSource, languageVersion } from "./compile.ts";
import { stepKinds } from "./schema.ts";

/** A new version gets a new line. The old lines are history. */
const asked: Record<number, string> = {
  1: "a8e1491edba018af",
  // Its questions about protected paths now name their commit. `replay.ts` reads older journals without the commit.
  2: "388e8c3d094176ef",
};

const text = `summary: Everything
inputs: { who: { type: string, default: them } }
steps:
  - { id: plan, stage: Plan, agent: { role: plan, prompt: "Plan for \${{ inputs.who }}.", harness: h, model: m, profile: p, budgetUsd: 1, turns: 3, answer: { type: object } } }
  - { id: yes, breakpoint: { kind: plan, text: "\${{ steps.plan.outputs.text }}" } }
  - { id: work, timeoutMinutes: 5, retry: { attempts: 2 }, agent: { prompt: Work. } }
  - { id: again, needs: [work], if: "steps.work.outcome == 'success' || always()", retry: { attempts: 2, pauseSeconds: 1 }, shell: [make, "\${{ steps.work.outputs.headSha }}"] }
  - { id: at, at: "\${{ base.sha }}", shell: [make], continueOnError: true }
  - { id: size, gate: { name: diff-size, options: { linesMax: 10 } } }
  - { id: judge, agent: { role: review, prompt: Judge. } }
  - { id: which, ask: { question: "Which, \${{ thread.author }}?", choices: [a, b] } }
  - { id: nap, sleep: { minutes: 1 } }
  - { id: child, uses: leaf, with: { n: 1 }, budgetUsd: 2, harness: h, model: m }
  - { id: say, publish: { comment: "Said \${{ steps.which.outputs.answer }}" }, outputs: { id: "\${{ result.number }}" } }
  - { id: open, publish: { pullRequest: { title: T, body: B, draft: true } } }
  - { id: green, gate: checks-green }
  - { id: ask-review, publish: request-review }
  - { id: seen, breakpoint: { kind: review } }
outputs: { which: "\${{ steps.which.outputs.answer }}" }
`;
const leaf = "summary: Leaf\nbudgetUsd: 1\ninputs: { n: { type: integer } }\nsteps: [{ id: a, shell: [x] }]\n";
const [base, head] = ["a".repeat(40), "1".repeat(40)];

const facts = {
  thread: { number: 1, kind: "issue", title: "T", body: "B", author: "a", authorPermission: "write", comments: [] },
  instructions: "now",
  projectInstructions: "",
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
  baseSha: base,
  branch: "baton/1",
  branchSha: null,
  choice: {},
  settings: {
    planBreakpoint: "ask",
    reviewBreakpoint: "ask",
    protectedPaths: ["cart.js"],
    protectedPathsBreakpoint: "ask",
    checksTimeoutMs: 1_000,
    reviewers: ["bob"],
    teams: [],
  },
  pullRequest: null,
};

const verdict = { name: "v", status: "passed", reason: "ok", evidence: [], children: [] };
const answers: Record<EffectKind, Json> = {
  agent: {
    harness: "h",
    model: "m",
    text: '```json\n{"a": 1}\n```',
    sessionId: null,
    baseSha: base,
    headSha: head,
    commits: 1,
    files: [{ path: "cart.js", added: 1, removed: 0 }],
    rescued: false,
    turns: 1,
    transcriptId: null,
    promptId: null,
  },
  shell: { exitCode: 0, signal: null, output: "1", durationMs: 1 },
  join: { headSha: head, joined: 1, conflict: null },
  base: { branch: "main", sha: base, settings: {}, settingsSha: null, reviewIds: [] },
  place: { placed: [], outside: [], left: [], gone: [] },
  gate: verdict,
  breakpoint: { decision: "approved", by: bob as unknown as Json, feedback: "", sha: head, reviewId: null },
  ask: { answer: "a", by: bob as unknown as Json },
  sleep: { wokeAt: 2_000_000 },
  subprocess: {
    runId: "run_0123456789abcdeg",
    verdict,
    output: { verdict, outputs: {}, pullRequest: null, headSha: null },
  },
  publish: { number: 5, url: null, sha: head },
};

it("a change of what a file asks for comes with another version of the language", async () => {
  const definition = compileSource("all", {
    path: "all.yaml",
    hash: "h",
    text,
    uses: [{ name: "leaf", path: "leaf.yaml", hash: "l", text: leaf }],
  });
  const world = await RunWorld.start(definition, facts as never);
  for (let key = world.open()[0]; key !== undefined; key = world.open()[0])
    await world.succeed(key, answers[world.state.effects.get(key as never)?.kind as EffectKind]);
  expect(world.state.outcome?.verdict).toMatchObject({ status: "passed" });
  const requests = world.journal.flatMap(({ event }) =>
    event.type === "effect.requested" ? [{ ...event, cause: 0 }] : [],
  );
  // The text covers every kind of step.
  expect(stepKinds.filter((kind) => !text.includes(`${kind}:`))).toEqual([]);
  expect(new Set(requests.map(({ kind }) => kind)).size).toBe(8);
  const short = requests.map(({ key, kind }) => `${key} ${kind}`).join("\n");
  const hash = sha256(canonicalJson(requests as unknown as Json)).slice(0, 16);
  expect(
    `${languageVersion}: ${hash}`,
    `Files ask for other effects than before. Raise languageVersion in compile.ts and write its line here:\n${short}`,
  ).toBe(`${languageVersion}: ${asked[languageVersion]}`);
});
