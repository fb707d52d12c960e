/**
 * `npm run demo`: the whole job on this machine, without an account.
 *
 * With ANTHROPIC_API_KEY or OPENAI_API_KEY set and the harness installed, the real harness works. Otherwise a scripted agent
 * edits the files. The option `--story` chooses the story (`stories.ts`). With `--play`, a person is the reviewer, in the
 * local pages. With `--json`, the last line is one summary object (`ending.ts`). With `--no-serve`, the demo ends without
 * the page. Nothing outlives it: after a signal or a failure, the world ends before the process.
 */
import { once } from "node:events";
import { claudeCode } from "../../../src/adapters/harness/claude-code/harness.ts";
import { codex } from "../../../src/adapters/harness/codex/harness.ts";
import { forgetEnvironment } from "../../../src/adapters/system/forget-environment.ts";
import { type BatonError, toBatonError } from "../../../src/core/errors.ts";
import { readFlags } from "../../../src/core/flags.ts";
import type { RunState } from "../../../src/core/state.ts";
import { stepStatus, stepVerdict } from "../../../src/core/step-verdict.ts";
import { noTokens } from "../../../src/core/vocabulary.ts";
import type { Harness } from "../../../src/ports/harness.ts";
import { count, duration, totalTokens, usd } from "../../../src/text/format.ts";
import { endingOf, type Interruption, signalCodes } from "./ending.ts";
import { createScreen, type Screen, type Tone } from "./screen.ts";
import { play, type Story, stories } from "./stories.ts";
import { repositoryName, startWorld, type World } from "./world.ts";

const words = readFlags(process.argv.slice(2), {
  json: {},
  "no-serve": {},
  play: {},
  story: { value: "NAME", among: Object.keys(stories) },
  help: {},
});
const values = {
  json: words.ok && words.flags["json"] !== undefined,
  "no-serve": words.ok && words.flags["no-serve"] !== undefined,
  play: words.ok && words.flags["play"] !== undefined,
  help: words.ok && words.flags["help"] !== undefined,
  story: ((words.ok ? words.flags["story"]?.[0] : undefined) ?? "job") as keyof typeof stories,
};
const lookIntervalMs = 50;
const patienceMs = 15 * 60_000;
/** A player may think. */
const playMs = 8 * 3_600_000;

if (!words.ok) {
  console.error(`${words.wrong}\n\`npm run demo -- --help\` lists the flags.`);
  process.exitCode = 2;
} else if (values.help) {
  console.log(
    [
      "npm run demo [-- --story NAME --json | --no-serve | --play]\n",
      "  --story     what is shown:",
      ...Object.entries(stories).map(([name, { summary }]) => `                ${name.padEnd(6)} ${summary}`),
      "  --play      you are the reviewer, in the pages of the local GitHub: approve the plan, request changes, run out of budget",
      "  --json      print one summary object as the last line and exit",
      "  --no-serve  end after the job instead of serving the thread as a web page",
    ].join("\n"),
  );
} else {
  process.exitCode = await demo(values.play ? play : stories[values.story]);
}

async function demo(story: Story): Promise<number> {
  const startedAt = performance.now();
  // With `--json`, standard output is for the summary alone.
  const screen = createScreen(values.json ? process.stderr : process.stdout, () => performance.now() - startedAt);
  const interruption = heedSignals(screen);
  let world: World | null = null;
  let state: RunState | null = null;
  let problem: BatonError | null = null;
  let missing: string | null = null;
  let number = 0;
  try {
    const real = await realHarness(screen);
    screen.say(`Starting a GitHub of your own, a sample repository and Baton (agent: ${real?.name ?? "scripted"}) …`);
    world = await startWorld({
      ...story.world(real?.name ?? "command"),
      logLevel: "error",
      ...(real === null ? {} : { harnesses: new Map([[real.name, real]]) }),
    });
    if (!interruption.aborted) {
      screen.say(`${world.github.url}/${repositoryName}/issues/${world.issue}\n`);
      number = await story.begin(world, (text) => screen.step("person", text), interruption);
      state = await follow(world, story, screen, interruption);
    }
    if (!interruption.aborted) await quiet(world, interruption);
    if (!interruption.aborted && state?.outcome?.verdict.status === "passed")
      missing = (await story.missing(world)) ?? (story.merges === false ? null : notMerged(world));
  } catch (thrown) {
    // An error that follows from an interruption is not news.
    if (!interruption.aborted) problem = toBatonError(thrown);
  }
  const ending = endingOf({
    run: state?.outcome?.verdict.status ?? null,
    missing,
    failed: problem !== null,
    interruption: interruption.aborted ? (interruption.reason as Interruption) : null,
  });
  const summary = summarise(world, state, ending.verdict, performance.now() - startedAt);
  if (state?.outcome != null && !interruption.aborted) {
    screen.say("");
    screen.step(ending.verdict === "passed" ? "good" : "bad", state.outcome.verdict.reason);
    screen.say(
      `${usd(summary.costUsd)}, ${count(totalTokens(summary.tokens))} tokens, ${duration(summary.durationMs)}, ${summary.pushes} pushes, ${summary.comments.total} comments`,
    );
  }
  if (missing !== null) console.error(`\nThe demo did not end as it should: ${missing}`);
  if (problem !== null) console.error(`\n${problem.code}: ${problem.message}\n${problem.remedy}`);
  const serves = state?.outcome != null && !interruption.aborted && !values.json && !values["no-serve"];
  if (serves && world !== null) {
    screen.say(`\nOpen it, Ctrl-C ends:\n  thread        ${world.github.url}/${repositoryName}/issues/${number}`);
    if (summary.pullRequest !== null)
      screen.say(`  pull request  ${world.github.url}/${repositoryName}/pull/${summary.pullRequest.number}`);
    await aborted(interruption);
  }
  if (values.json) console.log(JSON.stringify(summary));
  await world?.close();
  return ending.exitCode;
}

/** Prints each step as it ends, and plays the reviewer unless a person does. Resolves when the run has ended or somebody interrupts. */
async function follow(
  world: World,
  { player }: Story,
  screen: Screen,
  interruption: AbortSignal,
): Promise<RunState | null> {
  const told = new Set<string>();
  const deadline = performance.now() + (player === undefined ? patienceMs : playMs);
  let approved = "";
  let comment = 0;
  for (;;) {
    const state = await newest(world);
    const effects = [...(state?.effects.values() ?? [])];
    for (const effect of effects) {
      const id = `${effect.key}@${effect.endedAt}`;
      if (effect.endedAt === null || told.has(id)) continue;
      told.add(id);
      const cost = effect.attempts.flatMap(({ usage }) => usage).reduce((sum, used) => sum + (used.costUsd ?? 0), 0);
      const decided = stepVerdict(effect);
      const verdict =
        decided === null ? (effect.error === null ? "" : `: ${effect.error.message}`) : `: ${decided.reason}`;
      screen.step(toneOf(stepStatus(effect)), `${effect.title}${verdict}${cost > 0 ? ` (${usd(cost)})` : ""}`);
    }
    const running = effects.filter(({ key }) => state?.open.has(key)).map(({ title }) => title);
    if (running.length > 0) screen.now(running.join(", "));
    if (player !== undefined) comment = tellNews(world, player.login, screen, comment);
    const review = [...(state?.open ?? [])]
      .map((key) => state?.effects.get(key))
      .find((effect) => effect?.kind === "breakpoint");
    if (player === undefined && review !== undefined && review.key !== approved && isAsked(world, review.key)) {
      const { subject } = review.input;
      if (subject.pullRequest !== undefined) {
        approved = review.key;
        screen.step("person", "@bob reviews: approve");
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

function toneOf(status: ReturnType<typeof stepStatus>): Tone {
  if (status === "succeeded") return "good";
  return status === "failed" ? "bad" : "wait";
}

/** New comments of Baton, with their pages. Returns the newest comment's id. */
function tellNews({ github }: World, login: string, screen: Screen, since: number): number {
  const shop = shopOf(github);
  const news = [...(shop?.comments.values() ?? [])].filter(({ id, appId }) => id > since && appId !== null);
  for (const { id, body, threadNumber } of news) {
    // The status comment changes with every step, which has its own line.
    if (body.includes("baton:op=status:")) continue;
    const isAsked = body.includes("baton:op=question:") || body.includes(`@${login}`);
    const [first = ""] = body
      .replaceAll(/<!--[\s\S]*?-->/g, "")
      .trim()
      .split("\n");
    screen.step("person", `${isAsked ? "Your turn" : "Baton says"}: ${first.replaceAll("**", "")}`);
    const kind = shop?.threads.get(threadNumber)?.pull == null ? "issues" : "pull";
    screen.say(`        ${github.url}/${repositoryName}/${kind}/${threadNumber}#issuecomment-${id}`);
  }
  return Math.max(since, ...news.map(({ id }) => id));
}

function shopOf(github: World["github"]) {
  return [...github.state.repositories.values()].find(({ name }) => name === "shop");
}

function notMerged({ github }: World): string | null {
  const merged = [...(shopOf(github)?.threads.values() ?? [])].some(({ pull }) => pull?.mergedAt != null);
  return merged ? null : "The pull request was not merged.";
}

/** True if the thread has the comment that asks for an answer. */
function isAsked(world: World, key: string): boolean {
  return [...(shopOf(world.github)?.comments.values() ?? [])].some(
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
function summarise(
  world: World | null,
  state: RunState | null,
  verdict: ReturnType<typeof endingOf>["verdict"],
  durationMs: number,
) {
  const repository = world === null ? undefined : shopOf(world.github);
  const thread = [...(repository?.threads.values() ?? [])].find(({ pull }) => pull !== null);
  const effects = [...(state?.effects.values() ?? [])];
  const own = [...(repository?.comments.values() ?? [])].filter(({ appId }) => appId !== null);
  return {
    verdict,
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

async function realHarness(screen: Screen): Promise<Harness | null> {
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
    screen.say(
      `A key for ${harness.name} is set, but it is not installed (${probe.advice}). The scripted agent works instead.`,
    );
  }
  return null;
}

/** The first signal ends the world, then the process. An impatient person can send a second signal. */
function heedSignals(screen: Screen): AbortSignal {
  const interruption = new AbortController();
  for (const signal of Object.keys(signalCodes) as Interruption[])
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(signalCodes[signal]);
      screen.say("\nStopping, and taking everything away …");
      interruption.abort(signal);
    });
  return interruption.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
