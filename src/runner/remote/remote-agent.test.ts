/** Runners that never come, fall silent, or are cancelled, by a clock of the test. */
import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { defaultSettings } from "../../config/schema.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { PerformContext } from "../perform/performer.ts";
import { forget, performRemotely } from "./remote-agent.ts";

const sha = "a".repeat(40);
const made = "b".repeat(40);
const operation = "effect:run_0123456789abcdef/plan/1";
const failed = {
  ok: false,
  error: { code: "BATON_HARNESS_AUTH", message: "no" },
  usage: [],
  kept: null,
  blobs: [],
};
const input = {
  title: "Plan",
  role: "implement",
  prompt: { system: "", user: "" },
  access: "write",
  baseSha: sha,
};

interface Imported {
  baseSha: string;
  headSha: string;
}

function remote() {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const dispatched: string[] = [];
  const imported: Imported[] = [];
  const controller = new AbortController();
  const workspaces = {
    fetch: async () => sha,
    importBundle: async (_: unknown, { baseSha, headSha }: Imported) => {
      imported.push({ baseSha, headSha });
      return { headSha, files: [{ path: "a.js", added: 1, removed: 0 }] };
    },
  };
  const context = {
    dependencies: {
      store,
      clock,
      log: silentLog,
      owner: "app",
      publicUrl: "https://baton.example",
      redact: (text: string) => text,
      github: { identity: async () => ({ bot: { id: 1, login: "baton[bot]" } }) },
      harnesses: new Map([["codex", {}]]),
      workspaces,
    },
    state: {
      runId: "run_0123456789abcdef",
      process: { name: "issue-to-pr", version: 1 },
      requestedBy: { id: 2, login: "ann" },
      settings: {},
      thread: { repository: { id: 5, defaultBranch: "main" } },
    },
    effect: { key: "plan", attempts: [], input },
    attempt: 1,
    github: {
      dispatchWorkflow: async (_: unknown, workflow: string) => {
        dispatched.push(workflow);
        return null;
      },
      gitAccess: async () => ({ url: "https://github.example/a/b", token: null }),
    },
    signal: controller.signal,
    report() {},
  } as unknown as PerformContext;
  /** Lets time pass in steps that the waiting side notices. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= limits.remoteLookMs) {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(limits.remoteLookMs);
    }
  };
  return { clock, store, dispatched, imported, controller, context, pass };
}

it("a runner that never comes is given up, and another attempt may begin", async () => {
  const { context, dispatched, pass } = remote();
  const performing = performRemotely(context);
  await pass(limits.remoteClaimMs + 2 * limits.remoteLookMs);
  expect(await performing).toMatchObject({ ok: false, error: { code: "BATON_ATTEMPT_LOST" } });
  expect(dispatched).toEqual(["baton-runner.yml"]);
});

it("`runnerWorkflow` names the workflow that is started", async () => {
  const { context, dispatched, controller, pass } = remote();
  const settings = { ...defaultSettings, executor: "actions", runnerWorkflow: "agents.yml" };
  const performing = performRemotely({ ...context, state: { ...context.state, settings } as never });
  await pass(1_000);
  controller.abort("left");
  await pass(2_000);
  await performing;
  expect(dispatched).toEqual(["agents.yml"]);
});

it.each([
  ["BATON_GITHUB_DENIED", "403", "BATON_GITHUB_DENIED", /baton-runner\.yml: the App lacks .*`actions: write`/],
  ["BATON_GITHUB_NOT_FOUND", "Not Found", "BATON_RUNNER_ABSENT", /no `\.github\/workflows\/baton-runner\.yml` on main/],
  [
    "BATON_GITHUB_CONFLICT",
    "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
    "BATON_RUNNER_ABSENT",
    /disabled.*gh workflow enable baton-runner\.yml/,
  ],
  [
    "BATON_GITHUB_CONFLICT",
    "Workflow does not have 'workflow_dispatch' trigger",
    "BATON_RUNNER_ABSENT",
    /no `on: workflow_dispatch`/,
  ],
  ["BATON_GITHUB_CONFLICT", 'Unexpected inputs provided: ["effect"]', "BATON_RUNNER_ABSENT", /no input `effect`/],
  ["BATON_GITHUB_CONFLICT", "No ref found for: main", "BATON_GITHUB_CONFLICT", /^No ref found/],
  ["BATON_GITHUB_UNAVAILABLE", "502", "BATON_GITHUB_UNAVAILABLE", /^502$/],
] as const)("a workflow that cannot be started, %s %s: what is missing is said", async (code, said, told, words) => {
  const { context, store } = remote();
  const dispatchWorkflow = async (): Promise<never> => Promise.reject(new BatonError(code, said));
  const asked = performRemotely({ ...context, github: { ...context.github, dispatchWorkflow } });
  await expect(asked).rejects.toMatchObject({ code: told, message: expect.stringMatching(words) });
  expect(await store.value(`${operation}/asked`)).toBeNull();
});

it("a job that ends without asking for the step is not waited for: its page and the usual reason are named", async () => {
  const { context, clock, pass } = remote();
  let isOver = false;
  const started = { id: "7", url: "https://github.example/a/b/actions/runs/7" };
  const github = {
    ...context.github,
    dispatchWorkflow: async () => started,
    workflowRunIsOver: async (_: unknown, id: string) => id === "7" && isOver,
  };
  const performing = performRemotely({ ...context, github });
  await pass(3 * limits.remoteJobLookMs);
  isOver = true;
  const before = clock.now();
  await pass(limits.remoteJobLookMs + limits.remoteLookMs);
  expect(await performing).toMatchObject({
    ok: false,
    error: { code: "BATON_ATTEMPT_LOST", message: expect.stringMatching(/actions\/runs\/7.*id-token: write/s) },
  });
  expect(clock.now() - before).toBeLessThan(limits.remoteClaimMs);
});

it("RA2: a Baton that was away for long gives a runner its time again, from its start on", async () => {
  const { clock, context, store, pass } = remote();
  await store.setValue(`${operation}/asked`, { at: clock.now() });
  const lease = await store.acquireLease(operation, "job:7", clock.now(), limits.remoteLeaseMs);
  await store.setValue(`${operation}/seen`, { at: clock.now(), job: "7", epoch: 1 });
  clock.advance(20 * limits.remoteLeaseMs);
  const performing = performRemotely(context);
  await pass(limits.remoteLeaseMs - 5_000);
  // The worker sends a request again, so its claim is valid again.
  expect(lease === null ? null : await store.renewLease(lease, clock.now(), limits.remoteLeaseMs)).not.toBeNull();
  await store.setValue(`${operation}/seen`, { at: clock.now(), job: "7", epoch: 1 });
  await pass(limits.remoteLeaseMs - 5_000);
  await store.setValue(`${operation}/result`, { epoch: 1, result: failed, bundle: null } as never);
  await pass(2 * limits.remoteLookMs);
  expect(await performing).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_AUTH" } });
});

it("what came of attempts on runners is learned for this repository's runners, and for nobody else", async () => {
  const { context, store, pass } = remote();
  const ran = { harness: "codex", model: null, durationMs: 5_000, code: "BATON_HARNESS_AUTH" };
  for (const harness of ["codex", "codex", "codex", "unheard-of"]) {
    const result = { ...failed, ran: { ...ran, harness } };
    await store.setValue(`${operation}/result`, { epoch: 1, result, bundle: null } as never);
    await Promise.all([performRemotely(context), pass(limits.remoteLookMs)]);
  }
  expect(await store.value("runners/5/routing/circuit/codex")).toMatchObject({ openings: 1 });
  expect(await store.value("runners/5/routing/history/codex//implement")).toMatchObject({ attempts: 3, successes: 0 });
  expect(await store.value("routing/circuit/codex")).toBeNull();
  expect(await store.value("runners/5/routing/circuit/unheard-of")).toBeNull();
});

it("a silent runner loses its claim: what it posts later has an old epoch", async () => {
  const { clock, context, store, pass } = remote();
  const lease = await store.acquireLease(operation, "job:7", clock.now(), limits.remoteLeaseMs);
  await store.setValue(`${operation}/seen`, { at: clock.now(), job: "7", epoch: 1 });
  const performing = performRemotely(context);
  await pass(limits.remoteLeaseMs + 2 * limits.remoteLookMs);
  expect(await performing).toMatchObject({ ok: false, error: { code: "BATON_ATTEMPT_LOST" } });
  expect(lease === null ? null : await store.renewLease(lease, clock.now(), 1_000)).toBeNull();
});

it("RA2: asked for once, also when Baton starts anew; left without a word when it stops", async () => {
  const { clock, context, controller, dispatched, store, pass } = remote();
  const first = performRemotely(context);
  await pass(3_000);
  controller.abort("left");
  await pass(2_000);
  await first;
  await store.setValue(`${operation}/result`, {
    epoch: 1,
    result: { ok: false, error: { code: "BATON_HARNESS_AUTH", message: "no" }, usage: [], kept: null, blobs: [] },
    bundle: null,
  });
  const again = performRemotely({ ...context, signal: new AbortController().signal });
  await pass(1_000);
  expect(await again).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_AUTH" } });
  expect(dispatched).toHaveLength(1);
  expect(await store.value(`${operation}/cancel`)).toBeNull();
  expect(clock.sleeping).toBe(0);
});

const kept = { headSha: made, sessionId: null, harness: "command" };
const output = {
  harness: "command",
  model: "m",
  text: "done",
  sessionId: null,
  baseSha: made,
  headSha: made,
  commits: 1,
  files: [{ path: "small.js", added: 1, removed: 0 }],
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
};
const worked = { ok: true, output, usage: [], blobs: [] };
const stopped = { ok: false, error: { code: "BATON_TIMEOUT", message: "late" }, usage: [], kept, blobs: [] };

/** The App's reading of a result that a worker has posted. */
async function taken(result: object, bundle: { headSha: string; baseSha?: string } | null) {
  const { context, store, imported, pass } = remote();
  await store.setValue(`${operation}/result`, { epoch: 3, result, bundle } as never);
  if (bundle !== null) await store.setValue(`${operation}/bundle`, "YnVuZGxl");
  const [performed] = await Promise.all([performRemotely(context), pass(1_000)]);
  return { result: performed, imported, store, context };
}

it("RA3: commits are measured from the step's own base, whatever base the worker names", async () => {
  const { result, imported } = await taken(worked, { headSha: made, baseSha: made });
  expect(imported).toEqual([{ baseSha: sha, headSha: made }]);
  expect(result).toMatchObject({ ok: true, output: { baseSha: sha, files: [{ path: "a.js" }] } });
});

it("RA3: a commit that was not brought is refused, and is no place for the next attempt to begin", async () => {
  await expect(taken(worked, { headSha: sha })).rejects.toMatchObject({ code: "BATON_TREE_REFUSED" });
  expect((await taken(stopped, { headSha: made })).result).toMatchObject({ kept });
  expect((await taken(stopped, null)).result).toMatchObject({ kept: { ...kept, headSha: null } });
});

it("RA3: without a commit nothing changed, whatever files the worker names", async () => {
  const { result } = await taken({ ...worked, output: { ...output, headSha: null } }, null);
  expect(result).toMatchObject({ ok: true, output: { headSha: null, files: [] } });
});

it("RA4: of an attempt that has ended only its epoch stays", async () => {
  const { store, context } = await taken(worked, { headSha: made });
  for (const name of ["seen", "cancel"]) await store.setValue(`${operation}/${name}`, true);
  await forget(context.dependencies, { run: context.state.runId, effect: "plan", attempt: 1 });
  for (const name of ["asked", "seen", "cancel", "bundle"])
    expect([name, await store.value(`${operation}/${name}`)]).toEqual([name, null]);
  expect(await store.value(`${operation}/result`)).toEqual({ epoch: 3 });
});

it("a cancellation is told to the runner, whose last words are waited for", async () => {
  const { context, controller, store, pass } = remote();
  const performing = performRemotely(context);
  await pass(2_000);
  controller.abort("cancelled");
  await pass(2_000);
  expect(await store.value(`${operation}/cancel`)).toBe(true);
  await pass(limits.remoteLastWordsMs + 2_000);
  expect(await performing).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
});

it("without an address for runners nothing is asked for", async () => {
  const { context } = remote();
  Object.assign(context.dependencies, { publicUrl: null });
  await expect(performRemotely(context)).rejects.toMatchObject({ code: "BATON_SETTINGS_INVALID" });
});
