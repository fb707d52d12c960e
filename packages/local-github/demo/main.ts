/**
 * `npm run demo`: the whole job on this machine, without an account.
 *
 * With ANTHROPIC_API_KEY or OPENAI_API_KEY set and the harness installed, the real harness works. Otherwise a scripted agent
 * edits the files. The option `--story` chooses the story (`stories.ts`). With `--json`, the last line is one summary
 * object, and the exit code is 0 only if the job ended as it should. With `--no-serve`, the demo ends without the page.
 * Nothing outlives it: after a signal or a failure, the world ends before the process.
 */
import { once } from "node:events";
import { claudeCode } from "../../../src/adapters/harness/claude-code/harness.ts";
import { codex } from "../../../src/adapters/harness/codex/harness.ts";
import { forgetEnvironment } from "../../../src/adapters/system/forget-environment.ts";
import { type BatonError, toBatonError } from "../../../src/core/errors.ts";
import { readFlags } from "../../../src/core/flags.ts";
import type { RunState } from "../../../src/core/state.ts";
import { stepStatus, stepVerdict } from "../../../src/core/step-verdict.ts";
import { noTokens, type Verdict } from "../../../src/core/vocabulary.ts";
import type { Harness } from "../../../src/ports/harness.ts";
import { count, duration, totalTokens, usd } from "../../../src/text/format.ts";
import { type Story, stories } from "./stories.ts";
import { repositoryName, startWorld, type World } from "./world.ts";

/** As shells count: 128 and the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type Interruption = keyof typeof exitCodes;

const words = readFlags(process.argv.slice(2), {
  json: {},
  "no-serve": {},
  story: { value: "NAME", among: Object.keys(stories) },
  help: {},
});
const values = {
  json: words.ok && words.flags["json"] !== undefined,
  "no-serve": words.ok && words.flags["no-serve"] !== undefined,
  help: words.ok && words.flags["help"] !== undefined,
  story: ((words.ok ? words.flags["story"]?.[0] : undefined) ?? "job") as keyof typeof stories,
};
const lookIntervalMs = 50;
const patienceMs = 15 * 60_000;

if (!words.ok) {
  console.error(`${words.wrong}\n\`npm run demo -- --help\` lists the flags.`);
  process.exitCode = 2;
} else if (values.help) {
  console.log(
    [
      "npm run demo [-- --story NAME --json | --no-serve]\n",
      "  --story     what is shown:",
      ...Object.entries(stories).map(([name, { summary }]) => `                ${name.padEnd(6)} ${summary}`),
      "  --json      print one summary object as the last line and exit",
      "  --no-serve  end after the job instead of serving the thread as a web page",
    ].join("\n"),
  );
} else {
  process.exitCode = await demo(stories[values.story]);
}

async function demo(story: Story): Promise<number> {
  const startedAt = performance.now();
  const say = (text: string): void => {
    if (!values.json) console.log(text);
    else console.error(text);
  };
  const interruption = heedSignals(say);
  let world: World | null = null;
  let state: RunState | null = null;
  let problem: BatonError | null = null;
  let missing: string | null = null;
  let number = 0;
  try {
    const real = await realHarness();
    say(`Starting a GitHub of your own, a sample repository and Baton (agent: ${real?.name ?? "scripted"}) …`);
    world = await startWorld({
      ...story.world(real?.name ?? "command"),
      logLevel: "error",
      ...(real === null ? {} : { harnesses: new Map([[real.name, real]]) }),
    });
    if (!interruption.aborted) {
      say(`  ${world.github.url}/${repositoryName}/issues/${world.issue}\n`);
      number = await story.begin(world, say, interruption);
      state = await follow(world, say, interruption);
    }
    if (!interruption.aborted) await quiet(world, interruption);
    if (!interruption.aborted && state?.outcome?.verdict.status === "passed") {
      missing = await story.missing(world);
      if (missing !== null) state = { ...state, outcome: { ...state.outcome, verdict: failedBy(missing) } };
    }
  } catch (thrown) {
    // An error that follows from an interruption is not news.
    if (!interruption.aborted) problem = toBatonError(thrown);
  }
  const summary = summarise(world, state, performance.now() - startedAt);
  const over = state?.outcome != null && !interruption.aborted;
  const good = over && summary.verdict === "passed" && summary.pullRequest?.merged === true;
  if (over)
    say(
      `\n${state?.outcome?.verdict.reason}\n${usd(summary.costUsd)}, ${count(totalTokens(summary.tokens))} tokens, ${duration(summary.durationMs)}, ${summary.pushes} pushes, ${summary.comments.total} comments`,
    );
  if (missing !== null) console.error(`\nThe demo did not end as it should: ${missing}`);
  if (problem !== null) console.error(`\n${problem.code}: ${problem.message}\n${problem.remedy}`);
  if (over && world !== null && !values.json && !values["no-serve"]) {
    say(`\nLook at it, Ctrl-C ends:\n  thread        ${world.github.url}/${repositoryName}/issues/${number}`);
    if (summary.pullRequest !== null)
      say(`  pull request  ${world.github.url}/${repositoryName}/pull/${summary.pullRequest.number}`);
    await aborted(interruption);
  }
  if (values.json) console.log(JSON.stringify(summary));
  await world?.close();
  return over || !interruption.aborted ? (good ? 0 : 1) : exitCodes[interruption.reason as Interruption];
}

function failedBy(reason: string): Verdict {
  return { name: "demo", status: "failed", reason, evidence: [], children: [] };
}

/** Prints each step as it happens, and plays the reviewer. Resolves when the run has ended or somebody interrupts. */
async function follow(world: World, say: (text: string) => void, interruption: AbortSignal): Promise<RunState | null> {
  const told = new Map<string, string>();
  const deadline = performance.now() + patienceMs;
  let approved = "";
  for (;;) {
    const state = await newest(world);
    for (const effect of state?.effects.values() ?? []) {
      if (told.get(effect.key) === effect.status) continue;
      told.set(effect.key, effect.status);
      const cost = effect.attempts.flatMap(({ usage }) => usage).reduce((sum, used) => sum + (used.costUsd ?? 0), 0);
      const decided = stepVerdict(effect);
      const verdict = decided === null ? "" : `: ${decided.reason}`;
      say(
        `  ${stepStatus(effect).padEnd(10)} ${effect.title}${verdict}${cost > 0 && effect.endedAt !== null ? ` (${usd(cost)})` : ""}`,
      );
    }
    const review = [...(state?.open ?? [])]
      .map((key) => state?.effects.get(key))
      .find((effect) => effect?.kind === "breakpoint");
    if (review !== undefined && review.key !== approved && isAsked(world, review.key)) {
      const { subject } = review.input;
      if (subject.pullRequest !== undefined) {
        approved = review.key;
        say("@bob reviews: approve");
        world.github.review({
          repository: repositoryName,
          number: subject.pullRequest,
          as: "bob",
          event: "APPROVE",
          body: "Good.",
        });
      }
    }
    if (state?.outcome != null || interruption.aborted) return state;
    if (performance.now() > deadline) throw new Error("The demo took too long.");
    await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
  }
}

/** True if the thread has the comment that asks for an answer. */
function isAsked(world: World, key: string): boolean {
  const repository = [...world.github.state.repositories.values()].find(({ name }) => name === "shop");
  return [...(repository?.comments.values() ?? [])].some(
    ({ body }) => body.includes("baton:op=question:") && body.includes(`:${key} -->`),
  );
}

async function newest(world: World): Promise<RunState | null> {
  const row = (await world.baton.dependencies.store.runs({ limit: 1 }))[0];
  return row === undefined ? null : world.baton.runner.state(row.runId);
}

/** Resolves after Baton has written all its comments. */
async function quiet(world: World, interruption: AbortSignal): Promise<void> {
  await world.baton.runner.idle();
  while (
    !interruption.aborted &&
    (await world.baton.dependencies.store.outboxDue(Number.MAX_SAFE_INTEGER, 1)).length > 0
  )
    await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
  if (!interruption.aborted) await world.github.settle();
}

/** The same shape for every ending, even without a run. */
function summarise(world: World | null, state: RunState | null, durationMs: number) {
  const repositories = world?.github.state.repositories.values() ?? [];
  const repository = [...repositories].find(({ name }) => name === "shop");
  const thread = [...(repository?.threads.values() ?? [])].find(({ pull }) => pull !== null);
  const effects = [...(state?.effects.values() ?? [])];
  const own = [...(repository?.comments.values() ?? [])].filter(({ appId }) => appId !== null);
  return {
    verdict: state?.outcome?.verdict.status ?? null,
    steps: effects.map(({ key, kind, status, attempts }) => ({
      key,
      kind,
      status,
      attempts: attempts.length,
    })),
    pullRequest:
      thread?.pull == null
        ? null
        : { number: thread.number, headSha: thread.pull.headSha, merged: thread.pull.mergedAt !== null },
    checks: [...(repository?.checkRuns.values() ?? [])].map(({ name, headSha, conclusion }) => ({
      name,
      headSha,
      conclusion,
    })),
    comments: { status: own.filter(({ body }) => body.includes("baton:op=status:")).length, total: own.length },
    pushes: effects.filter(
      ({ kind, input, status }) =>
        kind === "publish" &&
        status === "succeeded" &&
        (input as { publish: { operation: string } }).publish.operation === "push",
    ).length,
    // Rounds away the binary residue of decimal sums.
    costUsd: Math.round((state?.money.spentUsd ?? 0) * 1e6) / 1e6,
    tokens: state?.money.tokens ?? noTokens,
    durationMs: Math.round(durationMs),
  };
}

async function realHarness(): Promise<Harness | null> {
  const { ANTHROPIC_API_KEY: anthropic, OPENAI_API_KEY: openai } = process.env;
  const candidates = [
    ...(anthropic
      ? [
          claudeCode({
            binary: process.env["BATON_CLAUDE_BINARY"] ?? "claude",
            apiKey: anthropic,
            baseUrl: process.env["ANTHROPIC_BASE_URL"],
          }),
        ]
      : []),
    ...(openai
      ? [
          codex({
            binary: process.env["BATON_CODEX_BINARY"] ?? "codex",
            apiKey: openai,
            baseUrl: process.env["OPENAI_BASE_URL"],
          }),
        ]
      : []),
  ];
  // The demo's agents run as the same user.
  forgetEnvironment([]);
  for (const harness of candidates) {
    const probe = await harness.probe();
    if (probe.installed) return harness;
    console.error(
      `A key for ${harness.name} is set, but it is not installed (${probe.advice}). The scripted agent works instead.`,
    );
  }
  return null;
}

/** The first signal ends the world, then the process. An impatient person can send a second signal. */
function heedSignals(say: (text: string) => void): AbortSignal {
  const interruption = new AbortController();
  for (const signal of Object.keys(exitCodes) as Interruption[])
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(exitCodes[signal]);
      say("\nStopping, and taking everything away …");
      interruption.abort(signal);
    });
  return interruption.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
