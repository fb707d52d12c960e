/** Waits for visible events of the world, and reads its threads. */
import { setTimeout as delay } from "node:timers/promises";
import { planOf } from "../../packages/local-github/demo/sample.ts";
import { repositoryName, startWorld, type World, type WorldOptions } from "../../packages/local-github/demo/world.ts";
import type { EffectState, RunState } from "../../src/core/state.ts";
import type { Harness, HarnessRequest } from "../../src/ports/harness.ts";
import { readDocument, wholeOf } from "../../src/prompt/document.ts";
import { patienceMs } from "../patience.ts";

type Listener = () => void;

export interface ObservedWorld extends World {
  /** The login that speaks for Baton. Default: the App's bot. */
  bot?: string;
  /** Resolves with the first truthy answer. It asks again whenever anything crosses to or from GitHub, or is in the feed. */
  until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>>;
}

/** The interval for facts that do not cross to GitHub and are not in the feed, such as a file or a lease. */
const lookIntervalMs = 500;
/** A look reads the whole journal, so events in quick succession share one. */
const restMs = 150;

export async function observedWorld(options: WorldOptions = {}): Promise<ObservedWorld> {
  if (process.env["BATON_TEST_MODE"] === "actions") return inJobs(options);
  const listeners = new Set<Listener>();
  const world = await startWorld({
    ...options,
    github: {
      ...options.github,
      onExchange: (exchange) => {
        options.github?.onExchange?.(exchange);
        listeners.forEach((listener) => listener());
      },
    },
  });
  /** Resolves with the next event, at the latest after a while. */
  const listen = (): { news: Promise<void>; end: Listener } => {
    const { promise: news, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, lookIntervalMs);
    const unwatch = world.baton.dependencies.feed?.watch(() => resolve());
    listeners.add(resolve);
    const end = (): void => {
      clearTimeout(timer);
      unwatch?.();
      listeners.delete(resolve);
    };
    return { news, end };
  };
  return Object.assign(world, {
    async until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
      const deadline = AbortSignal.timeout(patienceMs);
      for (;;) {
        // An event during a look counts, too.
        const { news, end } = listen();
        try {
          const answer = await condition();
          if (answer) return answer;
          if (deadline.aborted) throw new Error(`Waited ${patienceMs} ms for: ${what}\n${await describeWorld(world)}`);
          await Promise.all([news, delay(restMs)]);
        } finally {
          end();
        }
      }
    },
  });
}

/** Parts that a world can replace in an App and not in a job. */
const partsOfApp = ["harnesses", "processes", "agentSandbox", "environment", "grants", "repositoryCommands"] as const;
export const notForJobs = "No job has such parts:";

/** `npm run prove -- modes` runs scenarios of the App in jobs. */
async function inJobs(options: WorldOptions): Promise<ObservedWorld> {
  const own = partsOfApp.filter((name) => options[name] !== undefined);
  if (own.length > 0) throw new Error(`${notForJobs} ${own.join(", ")}`);
  const { actionsWorld } = await import("./actions-world.ts");
  return actionsWorld(options);
}

export async function describeWorld(world: World): Promise<string> {
  const { store } = world.baton.dependencies;
  const [newest] = await store.runs({ limit: 1 });
  if (newest === undefined) return ["no run", ...world.github.deliveries.map(told), ...asked(world)].join("\n");
  const state = await world.baton.runner.state(newest.runId);
  if (state === null) return `nothing of ${newest.runId}`;
  const effects = [...state.effects.values()].map(
    ({ key, status, error }) => `${key}: ${status}${error === null ? "" : ` (${error.code}: ${error.message})`}`,
  );
  return [
    state.status,
    state.outcome?.verdict.reason ?? "",
    ...effects,
    ...comments(world, state.thread.number).map(({ body }) => body.slice(0, 300)),
  ].join("\n");
}

function told({ event, action, statusCode, response }: World["github"]["deliveries"][number]): string {
  return `webhook ${event}.${action}: ${statusCode} ${JSON.stringify(response.payload)}`;
}

/** The last requests that GitHub got. */
function asked(world: World): string[] {
  const shownMax = 20;
  return world.github.log.slice(-shownMax).map(({ at, method, path, status }) => `${at} ${method} ${path}: ${status}`);
}

/** The last state of a run at each position of its journal. Tests look more often than anything changes. */
const states = new WeakMap<World, { runId: string; position: number; state: RunState | null }>();

/** State of the newest run of the issue, or of another thread. */
export async function runState(world: World, number = world.issue): Promise<RunState | null> {
  const repository = repositoryOf(world);
  const row = (await world.baton.dependencies.store.runs({ threadKey: `${repository.id}#${number}`, limit: 1 }))[0];
  if (row === undefined) return null;
  const { runId, position } = row;
  const known = states.get(world);
  if (known?.runId === runId && known.position === position) return known.state;
  const state = await world.baton.runner.state(runId);
  if (state?.position === position) states.set(world, { runId, position, state });
  return state;
}

export function repositoryOf(world: World) {
  const found = [...world.github.state.repositories.values()].find(({ name }) => name === "shop");
  if (found === undefined) throw new Error("no repository");
  return found;
}

export function comments(world: World, number: number): { id: number; body: string; login: string }[] {
  return [...repositoryOf(world).comments.values()]
    .filter(({ threadNumber }) => threadNumber === number)
    .map((comment) => ({
      id: comment.id,
      body: comment.body,
      login: world.github.state.accounts.get(comment.authorId)?.login ?? "",
    }));
}

/** All comments except questions, which `questions` returns. */
export function ownComments(world: World & { bot?: string }, number = world.issue): string[] {
  return comments(world, number)
    .filter(({ login, body }) => login === (world.bot ?? "baton[bot]") && !isQuestion(body))
    .map(({ body }) => body);
}

function isQuestion(body: string): boolean {
  return body.includes("<!-- baton:op=question:");
}

export function say(world: World, body: string, as = "alice", number = world.issue): number {
  return world.github.comment({ repository: repositoryName, number, as, body }).id;
}

export async function reaches(world: ObservedWorld, key: string, number = world.issue): Promise<RunState> {
  return world.until(`the run to be at ${key}`, async () => {
    const state = await runState(world, number);
    const open = state?.effects.get(key as never);
    if (open === undefined || state?.open.has(open.key) !== true) return null;
    return isAnsweredByCommand(open) && !hasQuestion(world, state, key) ? null : state;
  });
}

/** As `reaches`, for questions with an answer in the thread: nobody answers a question before it exists. */
function isAnsweredByCommand({ kind, input }: EffectState): boolean {
  return (
    kind === "ask" || (kind === "breakpoint" && (input as { subject?: { sha?: string } }).subject?.sha === undefined)
  );
}

/** True if the comment with the question exists. */
function hasQuestion(world: World, { runId, thread }: RunState, key: string): boolean {
  return questions(world, thread.number).some(({ body }) => body.includes(`baton:op=question:${runId}:${key} `));
}

/** Questions of a thread. Folded ones are `minimized`. */
export function questions(world: World, number = world.issue) {
  return [...repositoryOf(world).comments.values()].filter(
    ({ threadNumber, body }) => threadNumber === number && isQuestion(body),
  );
}

export async function ends(world: ObservedWorld, number = world.issue): Promise<RunState> {
  const { store } = world.baton.dependencies;
  // The row ends together with the last words (V2), the journal before them.
  const state = await world.until("the run to end", async () => {
    const now = await runState(world, number);
    if (now?.outcome == null) return null;
    const row = (await store.runs({})).find(({ runId }) => runId === now.runId);
    return row?.status === now.status ? now : null;
  });
  await world.until("the last words", async () => (await store.outboxDue(Number.MAX_SAFE_INTEGER, 100)).length === 0);
  return state;
}

export function pulls(world: World) {
  return [...repositoryOf(world).threads.values()].flatMap((thread) =>
    thread.pull === null ? [] : [{ ...thread, pull: thread.pull }],
  );
}

/** The exact prompt of a step's newest attempt, as Baton keeps it. */
export async function kept(world: World, state: RunState, key: string): Promise<string> {
  const id = state.effects.get(key as never)?.attempts.at(-1)?.promptId ?? "";
  const document = readDocument((await world.baton.dependencies.store.blob(id)) ?? "");
  if (document === null) throw new Error(`No prompt of ${key} is kept.`);
  return wholeOf(document);
}

/** A harness that keeps its requests and does nothing. */
export function spy(name: string, requests: HarnessRequest[]): Harness {
  return {
    name,
    capabilities: {
      resume: false,
      readOnly: false,
      systemPrompt: false,
      maxTurns: true,
      maxUsd: true,
      reportsUsage: true,
      reportsCost: true,
      toolServers: true,
    },
    defaultModel: "own-default",
    probe: async () => ({ installed: true, version: "1", authenticated: true, advice: null }),
    async run(request) {
      requests.push(request);
      return {
        ok: true,
        error: null,
        text: planOf("Nothing to do."),
        sessionId: null,
        usage: [],
        turns: 1,
        exitCode: 0,
        signal: null,
        transcript: "",
        transcriptTruncated: false,
        durationMs: 1,
      };
    },
  };
}
