/**
 * A run of 20 agents' turns through the real Runner: plan, implement, then repairs and reviews in turn. One of these crashes
 * and runs again. The benchmark reads each prompt back from the store.
 */
import { z } from "zod";
import type { Prompted } from "../../src/core/instructions.ts";
import type { Json } from "../../src/core/vocabulary.ts";
import { defineProcess, handoff, outcomesOf, parsePlan, prompts, renderPlan } from "../../src/index.ts";
import type { Github } from "../../src/ports/github.ts";
import type { Harness } from "../../src/ports/harness.ts";
import type { ModelAccess, ModelProxy } from "../../src/ports/model-proxy.ts";
import type { Database } from "../../src/ports/store.ts";
import type { Workspaces } from "../../src/ports/workspace.ts";
import { type PromptDocument, readDocument } from "../../src/prompt/document.ts";
import type { PromptFacts } from "../../src/prompt/prompts.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { threadKeyOf } from "../../src/runner/ledger-rows.ts";
import { Runner } from "../../src/runner/runner.ts";
import { absent, dependenciesOn } from "./dependencies.ts";
import { createdEvent, runIdOf } from "./run.ts";

export const turnsCount = 20;
const model = "claude-sonnet-5-5";
const sha = (digit: number): string => digit.toString(16).padStart(40, "0");

/** As in issues of real projects: some text, a conversation, instructions of a page. */
const facts: PromptFacts = {
  thread: {
    number: 12,
    kind: "issue",
    title: "The sum of a cart ignores the count",
    body: "Two items at 3 cost 3, not 6.\n\n".repeat(20),
    author: "carol",
    authorPermission: "read",
    comments: Array.from({ length: 6 }, (_, index) => ({
      author: "bob",
      permission: "write",
      body: `I saw it as well, in case ${index}. `.repeat(10),
    })),
  },
  instructions: "Keep the API.",
  projectInstructions: [{ path: "AGENTS.md", text: "- Run `npm test` before you end.\n- Two spaces.\n".repeat(30) }],
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
};

const planned = [
  "The sum adds prices and never looks at the count. Multiply, and test an empty cart as well.",
  "```json",
  '{"steps": [{"id": "sum", "title": "Multiply price by count", "effort": "small", "risk": "low", "outcomes": ["Two items at 3 cost 6", "An empty cart costs nothing"]}]}',
  "```",
].join("\n");

const turns = defineProcess<object, { turns: number }>({
  name: "turns",
  version: 1,
  summary: "Plans, implements, repairs and addresses reviews.",
  stages: ["Work"],
  input: z.object({}),
  output: z.object({ turns: z.number() }),
  verdict: () => ({ name: "turns", status: "passed", reason: "Done.", evidence: [], children: [] }),
  async run(ctx) {
    const common = { stage: "Work", baseSha: sha(1) };
    const first = await ctx.agent("plan", {
      ...common,
      title: "Plan the change",
      role: "plan",
      access: "read-only",
      prompt: prompts.plan({ ...facts, feedback: "" }),
    });
    const plan = parsePlan(first.text);
    const given = { ...facts, plan: renderPlan(plan), outcomes: outcomesOf(plan) };
    let last = await ctx.agent("implement", {
      ...common,
      title: "Implement the plan",
      role: "implement",
      access: "write",
      prompt: prompts.implement(given),
    });
    for (let turn = 3; turn <= turnsCount; turn += 1) {
      const role = turn % 2 === 0 ? "address" : "repair";
      const left = handoff({ role: turn === 3 ? "implement" : "repair", title: `Turn ${turn - 1}` }, role, last);
      const handoffs = left === null ? [] : [left];
      last = await ctx.agent(
        role,
        {
          ...common,
          title: `Turn ${turn}`,
          role,
          access: "write",
          prompt:
            role === "address"
              ? prompts.address({ ...given, handoffs, feedback: `In turn ${turn}: say why.` })
              : prompts.repair({ ...given, handoffs, checks: redAt(turn) }),
          ...(last.sessionId === null ? {} : { resumeSessionId: last.sessionId }),
        },
        { retry: { pauseMs: 0 } },
      );
    }
    return { turns: turnsCount };
  },
});

function redAt(turn: number) {
  const log = { label: "log", value: `AssertionError: expected ${turn}, found ${turn + 1}` };
  const test = { name: "test", status: "failed" as const, reason: "It failed.", evidence: [log], children: [] };
  return { name: "checks", status: "failed" as const, reason: "One is red.", evidence: [], children: [test] };
}

/** One conversation for its whole duration. */
function scripted({ crashesAt, requests }: { crashesAt: number | null; requests: number }): Harness {
  let calls = 0;
  const tokens = { input: 10, output: 10, cacheRead: 0, cacheWrite: 0 };
  return {
    name: "claude-code",
    capabilities: {
      resume: true,
      readOnly: true,
      systemPrompt: true,
      maxTurns: true,
      maxUsd: true,
      reportsUsage: true,
      reportsCost: true,
      toolServers: false,
    },
    tools: { "read-only": ["read", "search"], write: ["read", "search", "edit", "shell"] },
    defaultModel: "scripted",
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run({ models }) {
      calls += 1;
      const crashed = calls === crashesAt;
      for (let request = 0; request < requests; request += 1) await askModel(models?.anthropic);
      return {
        ok: !crashed,
        error: crashed ? { code: "BATON_HARNESS_CRASHED", message: "It fell." } : null,
        text: calls === 1 ? planned : `### Intent\nTurn ${calls}.\n### Discoveries\nCase ${calls} was not tested.`,
        sessionId: "5e551017",
        usage: [{ model: "scripted", tokens, costUsd: 0.001 }],
        turns: 1,
        exitCode: crashed ? 1 : 0,
        signal: null,
        transcript: "",
        transcriptTruncated: false,
        durationMs: 1,
      };
    },
  };
}

let commits = 1;
const workspaces = absent<Workspaces>("workspace", {
  fetch: async (_, ref) => ref,
  create: async (_, { name, baseSha }) => ({
    path: `/${name}`,
    homePath: `/${name}/home`,
    baseSha,
    writable: [`/${name}`],
    readable: [],
  }),
  import: async () => {
    commits += 1;
    return {
      headSha: sha(commits),
      commits: 1,
      files: [{ path: `src/file-${commits}.js`, added: commits, removed: 1 }],
      rescued: false,
    };
  },
  remove: async () => {},
});

export interface ToldTurn {
  prompted: Prompted;
  document: PromptDocument;
}

async function askModel(access: ModelAccess | undefined): Promise<void> {
  const answer = await fetch(`${access?.baseUrl}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": access?.key ?? "", "content-type": "application/json" },
    body: JSON.stringify({ model, max_tokens: 100, messages: [{ role: "user", content: "Go on." }] }),
  });
  if (!answer.ok) throw new Error(`The proxy answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

export interface TurnsOptions {
  /** The call of the agent that crashes. null: none does. */
  crashesAt?: number | null;
  /** Requests to the model in each turn, through this proxy. */
  requests?: number;
  models?: ModelProxy;
}

/** The prompts of the agents, in order, including a crashed attempt. */
export async function driveTurns(
  database: Database,
  { crashesAt = 7, requests = 0, models }: TurnsOptions = {},
): Promise<ToldTurn[]> {
  const base = dependenciesOn(database);
  base.processes.register(turns);
  const dependencies: Dependencies = {
    ...base,
    workspaces,
    harnesses: new Map([["claude-code", scripted({ crashesAt, requests })]]),
    ...(models === undefined ? {} : { models }),
    github: {
      ...base.github,
      installation: async () =>
        absent<Github>("call of GitHub", { gitAccess: async () => ({ url: "https://git.example", token: null }) }),
    },
  };
  const runId = runIdOf(`turns ${crashesAt} ${requests}`);
  const now = Date.now();
  const event = { ...createdEvent(runId, turns.name, {}), settings: { budget: { runUsd: 50 } } as Json, budgetUsd: 50 };
  const run = {
    runId,
    threadKey: threadKeyOf(event),
    process: turns.name,
    status: "running" as const,
    position: 1,
    createdAt: now,
    updatedAt: now,
    wakeAt: null,
    watches: [],
  };
  await database.store.append({ runId, expectedPosition: 0, events: [event], now, also: { run } });
  // Not started: a queue looks for work by time, and a count must not depend on the time that the machine takes.
  const runner = new Runner(dependencies);
  try {
    await runner.wake(runId, false);
    await runner.idle();
  } finally {
    await runner.stop();
  }
  const events = (await database.store.read(runId)).map(({ event: one }) => one);
  const last = events.at(-1);
  if (last?.type !== "run.completed") throw new Error(`The run ended with ${JSON.stringify(last)}.`);
  const told: ToldTurn[] = [];
  for (const prompted of events) {
    if (prompted.type !== "effect.prompted") continue;
    const document = readDocument((await database.store.blob(prompted.promptId)) ?? "");
    if (document === null) throw new Error(`The prompt of ${prompted.key} is not kept.`);
    told.push({ prompted, document });
  }
  return told;
}
