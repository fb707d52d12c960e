/** Claims as two replicas keep them, and requests after the attempt is over. */
import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { limits } from "../../core/limits.ts";
import type { Json } from "../../core/vocabulary.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Runner } from "../runner.ts";
import { EffectClaims } from "./claims.ts";
import type { ResultRequest } from "./protocol.ts";

const run = "run_0123456789abcdef";
const attempt = { run, effect: "plan", attempt: 1 };
const operation = `effect:${run}/plan/1`;
const sha = "a".repeat(40);
const job = {
  repositoryId: 9,
  repository: "acme/shop",
  workflowRunId: "7",
  workflowRef: "acme/shop/.github/workflows/baton-runner.yml@refs/heads/main",
};
const failed = { ok: false, error: { code: "BATON_HARNESS_AUTH", message: "no" }, usage: [], kept: null, blobs: [] };
const resultOf = (epoch: number) => ({ epoch, result: failed, bundle: null }) as unknown as ResultRequest;

/** Two replicas over one store. */
function replicas(status = "running") {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const input = { title: "Plan", role: "plan", prompt: { system: "s", user: "u" }, access: "read-only", baseSha: sha };
  const one = { attempt: 1, worker: "actions", kept: null, reservedUsd: 1, usage: [], endedAt: null };
  const effect = { key: "plan", kind: "agent", status, input, attempts: [one] };
  const state = {
    runId: run,
    settings: {},
    thread: { repository: { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 1 } },
    effects: new Map([["plan", effect]]),
    open: new Set(status === "running" ? ["plan"] : []),
    money: { budgetUsd: 5, spentUsd: 0, reservedUsd: 1 },
  };
  const installation = { gitAccess: async () => ({ url: "https://github.example/acme/shop", token: null }) };
  const github = {
    installation: async () => installation,
    identity: async () => ({ appId: 1, slug: "baton", bot: { id: 2, login: "baton[bot]", kind: "bot" } }),
  };
  const dependencies = {
    store,
    clock,
    log: silentLog,
    redact: (text: string) => text,
    harnesses: new Map(),
    workspaces: { fetch: async () => sha, bundle: async () => null },
    github,
  } as unknown as Dependencies;
  const woken: string[] = [];
  const replica = (name: string): EffectClaims =>
    new EffectClaims(dependencies, {
      state: async () => state,
      wake: async () => woken.push(name) > 0,
      change: async () => ({ stored: [], state }),
    } as unknown as Runner);
  return { clock, store, woken, github, one: replica("one"), other: replica("other") };
}

it("any replica answers any request: claimed at one, kept at the other, its result taken by either, once", async () => {
  const { one, other, store, woken, clock } = replicas();
  await store.setValue(`${operation}/asked`, { at: 0 });
  expect(await one.claim(attempt, job)).toMatchObject({
    epoch: 1,
    spec: { effect: { role: "plan", access: "read-only", baseSha: sha, startSha: sha, prompt: { user: "u" } } },
  });
  await expect(other.claim(attempt, { ...job, workflowRunId: "8" })).rejects.toMatchObject({
    code: "BATON_LEASE_LOST",
  });
  expect(await other.heartbeat(attempt, job, { epoch: 1, usage: [] })).toEqual({ cancel: false });
  clock.advance(limits.remoteLeaseMs - 1);
  await store.setValue(`${operation}/cancel`, true);
  expect(await one.heartbeat(attempt, job, { epoch: 1, usage: [] })).toEqual({ cancel: true });
  expect(await other.finish(attempt, job, resultOf(1))).toEqual({ taken: true });
  expect(await one.finish(attempt, job, resultOf(1))).toEqual({ taken: true });
  expect(woken).toEqual(["other"]);
});

it("RC2: only the workflow run that was started for the attempt claims it", async () => {
  const { one, store } = replicas();
  await store.setValue(`${operation}/asked`, { at: 0, job: "8", url: "https://github.example/8" });
  await expect(one.claim(attempt, job)).rejects.toMatchObject({ message: expect.stringMatching(/run 7; run 8 was/) });
  expect(await one.claim(attempt, { ...job, workflowRunId: "8" })).toMatchObject({ epoch: 1 });
});

it.each<[string, Json]>([
  ["a job that is a number", { at: 0, job: 8 }],
  ["no time", { job: "8" }],
  ["a text", "8"],
  ["a list", [{ at: 0, job: "8" }]],
])("RC2: what was asked for and cannot be read (%s) lets no job claim", async (_, kept) => {
  const { one, store } = replicas();
  await store.setValue(`${operation}/asked`, kept);
  for (const workflowRunId of ["7", "8"])
    await expect(one.claim(attempt, { ...job, workflowRunId })).rejects.toMatchObject({
      code: "BATON_LEASE_LOST",
      message: expect.stringMatching(/cannot read which workflow run/),
    });
});

it.each(["result", "cancel"])("a kept `%s` that cannot be read counts as there", async (name) => {
  const { one, store } = replicas();
  await store.setValue(`${operation}/asked`, { at: 0 });
  if (name === "cancel") await one.claim(attempt, job);
  await store.setValue(`${operation}/${name}`, "later version");
  if (name === "cancel") expect(await one.heartbeat(attempt, job, { epoch: 1, usage: [] })).toEqual({ cancel: true });
  else await expect(one.claim(attempt, job)).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
});

it("a claim that cannot be answered claims nothing: another job finds it free", async () => {
  const { one, github } = replicas();
  const { identity } = github;
  github.identity = async () => Promise.reject(new TypeError("away"));
  await expect(one.claim(attempt, job)).rejects.toThrow("away");
  github.identity = identity;
  expect(await one.claim(attempt, { ...job, workflowRunId: "8" })).toMatchObject({ epoch: 1 });
});

it.each(["cancelled", "failed"])(
  "what comes after the attempt is over (%s) is refused, and nothing of it kept",
  async (status) => {
    const { one, store, clock } = replicas(status);
    await store.acquireLease(operation, "job:7", clock.now(), limits.remoteLeaseMs);
    expect(await one.heartbeat(attempt, job, { epoch: 1, usage: [] })).toEqual({ cancel: true });
    const late = { ...resultOf(1), bundle: { headSha: sha, base64: "YnVuZGxl" } };
    await expect(one.finish(attempt, job, late)).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
    for (const name of ["result", "bundle"]) expect(await store.value(`${operation}/${name}`)).toBeNull();
  },
);

it("last words of a cancelled step are taken while they are waited for", async () => {
  const { one, store, clock } = replicas("cancelled");
  await store.setValue(`${operation}/asked`, { at: 0 });
  await store.acquireLease(operation, "job:7", clock.now(), limits.remoteLeaseMs);
  expect(await one.finish(attempt, job, resultOf(1))).toEqual({ taken: true });
});
