/** A job that is not the repository's own runner, and its requests. */

import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { decodeJwt, exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { openMemory } from "../../../../src/adapters/memory/open.ts";
import { createJobIdentities, identityOf } from "../../../../src/adapters/oidc/job-identities.ts";
import { silentLog } from "../../../../src/adapters/system/log.ts";
import { defaultSettings } from "../../../../src/config/schema.ts";
import { isBatonError } from "../../../../src/core/errors.ts";
import { limits } from "../../../../src/core/limits.ts";
import type { RunState } from "../../../../src/core/state.ts";
import type { RunId } from "../../../../src/core/vocabulary.ts";
import type { Dependencies } from "../../../../src/runner/dependencies.ts";
import { type Attempt, EffectClaims, operationOf, remoteWorker } from "../../../../src/runner/remote/claims.ts";
import type { Runner } from "../../../../src/runner/runner.ts";
import { ManualClock } from "../../../fakes/manual-clock.ts";
import { type Cause, defineCause, shared } from "../cause.ts";
import { gitBench, importOptions, sh, write } from "../git-bench.ts";

type Key = Awaited<ReturnType<typeof generateKeyPair>>;

interface Issuer {
  server: Server;
  url: string;
  key: Key;
  other: Key;
}

const audience = "https://baton.example";
const issuer = shared<Issuer>(
  async () => {
    const key = await generateKeyPair("RS256", { extractable: true });
    const other = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(key.publicKey)), kid: "1", alg: "RS256", use: "sig" };
    const server = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, other };
  },
  async ({ server }) => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);

interface Forged {
  how:
    | "expired"
    | "not yet"
    | "copy"
    | "issuer"
    | "audience"
    | "key"
    | "none"
    | "HS256"
    | "changed"
    | "no workflow"
    | "no repository"
    | "text";
  amount: number;
}
const now = (): number => Math.floor(Date.now() / 1_000);

async function forge({ how, amount }: Forged): Promise<string> {
  const { url, key, other } = await issuer();
  const claims: Record<string, unknown> = {
    repository: "acme/shop",
    repository_id: "7",
    run_id: "77",
    workflow_ref: "acme/shop/.github/workflows/baton-runner.yml@refs/heads/main",
  };
  if (how === "no workflow") delete claims["workflow_ref"];
  if (how === "no repository") delete claims["repository_id"];
  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  if (how === "text") return `${"x".repeat((amount % 40) + 1)}.${base64(claims)}.y`;
  const issued = how === "copy" ? now() - 3_600 - amount : now();
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: how === "HS256" ? "HS256" : "RS256", kid: "1" })
    .setIssuer(how === "issuer" ? `https://token-${amount}.example` : url)
    .setAudience(how === "audience" ? `https://elsewhere-${amount}.example` : audience)
    .setIssuedAt(issued)
    .setExpirationTime(how === "expired" ? now() - 60 - amount : issued + 7_200 + amount);
  if (how === "not yet") token.setNotBefore(now() + 60 + amount);
  const signed = await token.sign(
    how === "HS256"
      ? new TextEncoder().encode(await exportSPKI(key.publicKey))
      : how === "key"
        ? other.privateKey
        : key.privateKey,
  );
  const [head = "", body = "", signature = ""] = signed.split(".");
  if (how === "none") return `${base64({ alg: ["none", "None", "NONE"][amount % 3], kid: "1" })}.${body}.`;
  if (how === "changed")
    return `${head}.${base64({ ...decodeJwt(signed), repository_id: `${8 + amount}` })}.${signature}`;
  return signed;
}

const forgeries = [
  "expired",
  "not yet",
  "copy",
  "issuer",
  "audience",
  "key",
  "none",
  "HS256",
  "changed",
  "no workflow",
  "no repository",
  "text",
] as const;
const tokens = defineCause<Forged>({
  name: "token of a job that does not hold",
  surface: "runner",
  guard: "src/adapters/oidc/job-identities.ts: signature, issuer, audience and time by GitHub's published keys",
  fixed: forgeries.map((how) => ({ how, amount: 1 })),
  draw: (draw) => ({ how: draw.one(forgeries), amount: draw.whole(2, 9_999) }),
  async attack(forged, guarded) {
    const { url } = await issuer();
    const token = await forge(forged);
    // Without the guard, Baton believes the token's claims.
    if (!guarded) return `believed for ${identityOf(decodeJwt(token)).repository}`;
    const identity = await createJobIdentities({ issuer: url, audience })
      .verify(token)
      .catch(() => null);
    return identity === null ? null : `taken for ${identity.repository}`;
  },
});

interface Job {
  repositoryId: number;
  workflowRef: string;
  workflowRunId: string;
  attempt: number;
}
const right: Job = {
  repositoryId: 7,
  workflowRef: "acme/shop/.github/workflows/baton-runner.yml@refs/heads/main",
  workflowRunId: "77",
  attempt: 1,
};

function runState(): RunState {
  const effect = {
    key: "plan",
    status: "running",
    input: {
      title: "Plan",
      role: "plan",
      prompt: { system: "s", user: "u" },
      baseSha: "a".repeat(40),
      access: "read-only",
    },
    attempts: [{ attempt: 1, worker: remoteWorker, reservedUsd: 1 }],
  };
  return {
    runId: "run_0123456789abcdef",
    settings: defaultSettings,
    thread: {
      repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
      number: 12,
      kind: "issue",
    },
    effects: new Map([["plan", effect]]),
    open: new Set(["plan"]),
  } as unknown as RunState;
}

const jobs = defineCause<Partial<Job>>({
  name: "job of another repository, workflow, branch or attempt",
  surface: "runner",
  guard: "src/runner/remote/claims.ts RC2: the runner workflow of this repository, on its default branch",
  fixed: [
    { repositoryId: 8 },
    { workflowRef: "acme/shop/.github/workflows/ci.yml@refs/heads/main" },
    { workflowRef: "acme/shop/.github/workflows/baton-runner.yml@refs/heads/evil" },
    { workflowRunId: "999" },
    { attempt: 2 },
  ],
  draw: (draw) =>
    draw.one<Partial<Job>>([
      { repositoryId: draw.whole(8, 9_999) },
      { workflowRef: `acme/shop/.github/workflows/${draw.word()}.yml@refs/heads/main` },
      {
        workflowRef: `acme/shop/.github/workflows/baton-runner.yml@refs/${draw.one(["heads", "tags", "pull"])}/${draw.word()}`,
      },
      { workflowRef: `${draw.word()}/shop/.github/workflows/baton-runner.yml@refs/heads/main` },
      { workflowRef: `acme/shop/.github/workflows/baton-runner.yml@refs/heads/main-${draw.word(3)}` },
      { workflowRef: `x${right.workflowRef}${draw.word(2)}` },
      { workflowRunId: `${draw.whole(100, 9_999)}` },
      { attempt: draw.whole(2, 99) },
    ]),
  async attack(change, guarded) {
    const job = { ...right, ...change };
    let given = false;
    const store = {
      value: async (key: string) =>
        key.endsWith("/asked") ? { at: 0, job: right.workflowRunId, url: "https://github.example/77" } : null,
      // Only an admitted job reaches this call first.
      acquireLease: async () => {
        given = true;
        return null;
      },
      releaseLease: async () => {},
      read: async () => [],
    };
    const claims = new EffectClaims(
      { store, clock: { now: () => 0 } } as unknown as Dependencies,
      { state: async () => runState() } as unknown as Runner,
    );
    // The test asks only whether the job is admitted, not what it would get.
    (claims as unknown as { [name: string]: unknown })["spec"] = null;
    const identity = guarded ? { ...job, repository: "acme/shop" } : { ...right, repository: "acme/shop" };
    let problem = "";
    await claims
      .claim({ run: "run_0123456789abcdef", effect: "plan", attempt: guarded ? job.attempt : 1 }, identity)
      .catch((thrown: unknown) => {
        problem = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : "";
      });
    // After admission, facts are missing that this world does not have.
    const letIn = given || /TypeError|undefined|ZodError|Invalid|expected/.test(problem);
    return letIn ? `let in: ${problem}` : null;
  },
});

interface Post {
  how: "other run" | "other step" | "other attempt" | "other epoch" | "after the end" | "never asked for" | "given up";
  verb: "result" | "heartbeat";
  salt: number;
}

const runOf = (digit: number): string => `run_${`${digit}`.repeat(16)}`;
const posts = [
  "other run",
  "other step",
  "other attempt",
  "other epoch",
  "after the end",
  "never asked for",
  "given up",
] as const;

const foreign = defineCause<Post>({
  name: "post of a job into what another one holds, or nobody any more",
  surface: "runner",
  guard: "src/runner/remote/claims.ts RC1: a claim is a lease of this job on this attempt, at this epoch",
  fixed: posts.flatMap((how) => [
    { how, verb: "result" as const, salt: 1 },
    { how, verb: "heartbeat" as const, salt: 2 },
  ]),
  draw: (draw) => ({
    how: draw.one(posts),
    verb: draw.one(["result", "heartbeat"]),
    salt: draw.whole(3, 9_999),
  }),
  async attack({ how, verb, salt }, guarded) {
    const clock = new ManualClock();
    const { store } = openMemory({ clock, log: silentLog });
    const [mine, others] = [runOf(1), runOf(2)];
    const woken: string[] = [];
    const steps = { plan: 1, check: 1, other: 2 };
    const stateOf = (runId: string): RunState => {
      const { effects, ...rest } = runState();
      const plan = effects.get("plan" as never) as object;
      for (const [key, attempt] of Object.entries(steps))
        effects.set(key as never, { ...plan, key, attempts: [{ attempt, worker: remoteWorker }] } as never);
      return { ...rest, effects, open: new Set(Object.keys(steps)), runId } as unknown as RunState;
    };
    const runner = {
      state: async (runId: string) => (runId === mine || runId === others ? stateOf(runId) : null),
      change: async (runId: string) => void woken.push(runId),
      wake: async (runId: string) => void woken.push(runId),
    };
    const redact = (text: string): string => text;
    const claims = new EffectClaims({ store, clock, redact } as unknown as Dependencies, runner as unknown as Runner);
    const hold = async (attempt: Attempt, job: string): Promise<number> => {
      await store.setValue(`${operationOf(attempt)}/asked`, { job });
      const lease = await store.acquireLease(operationOf(attempt), `job:${job}`, clock.now(), limits.remoteLeaseMs);
      return lease?.epoch ?? 0;
    };
    const own: Attempt = { run: mine, effect: "plan", attempt: 1 };
    const targets: Record<Post["how"], Attempt> = {
      "other run": { ...own, run: others },
      "other step": { ...own, effect: "check" },
      "other attempt": { ...own, effect: "other", attempt: 1 },
      "other epoch": own,
      "after the end": own,
      "never asked for": { ...own, effect: "check" },
      "given up": own,
    };
    const target = targets[how];
    const epoch = await hold(own, "77");
    if (how !== "never asked for" && target !== own) await hold(target, "88");
    // Without the guard, the job has the claim that it only pretends to have.
    const job = guarded || target === own || how === "other attempt" ? "77" : how === "never asked for" ? "77" : "88";
    if (!guarded && how === "other attempt") target.attempt = 2;
    if (!guarded && (how === "other attempt" || how === "never asked for")) await hold(target, "77");
    if (guarded && how === "after the end") await store.removeValues([`${operationOf(own)}/asked`]);
    if (guarded && (how === "given up" || how === "after the end"))
      await store.releaseLease({ name: operationOf(own), owner: "job:77", epoch, expiresAt: 0 });
    if (guarded && how === "given up") await hold(own, "99");
    const identity = { ...right, repository: "acme/shop", workflowRunId: job };
    const at = guarded && how === "other epoch" ? epoch + 1 + (salt % 7) : epoch;
    const result = {
      ok: false,
      error: { code: "BATON_HARNESS_CRASHED", message: `${salt}` },
      usage: [],
      kept: null,
      blobs: [],
    };
    const posted =
      verb === "result"
        ? claims.finish(target, identity, { epoch: at, result, bundle: null } as never)
        : claims.heartbeat(target, identity, { epoch: at, note: `${salt}`, usage: [] } as never);
    const refused = await posted.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (refused !== null && !isBatonError(refused)) throw refused;
    const kept = await store.value(`${operationOf(target)}/result`);
    return kept !== null || woken.length > 0 ? `${verb} of ${target.run}/${target.effect} was taken` : null;
  },
});

const bundles = defineCause<{
  how: "unrelated" | "other head" | "no bundle" | "gitlink" | "large" | "garbage";
  salt: string;
}>({
  name: "bundle that does not come from the step's base",
  surface: "runner",
  guard: "src/adapters/workspace/bundles.ts: it descends from the base, and is checked as an agent's own",
  fixed: [
    { how: "unrelated", salt: "a" },
    { how: "other head", salt: "a" },
    { how: "gitlink", salt: "a" },
  ],
  draw: (draw) => ({
    how: draw.one(["unrelated", "other head", "no bundle", "gitlink", "large", "garbage"]),
    salt: draw.word(),
  }),
  async attack({ how, salt }, guarded) {
    const { root, remote, workspaces, access, base, data } = await gitBench();
    const clone = join(root, `worker-${randomUUID()}`);
    sh(root, ["clone", "-q", remote, clone]);
    if (how === "unrelated") sh(clone, ["checkout", "-q", "--orphan", "other"]);
    write(clone, "work.txt", how === "large" ? salt.repeat(300_000) : `${salt}\n`);
    sh(clone, ["add", "-A"]);
    if (how === "gitlink") sh(clone, ["update-index", "--add", "--cacheinfo", `160000,${base},lib`]);
    sh(clone, ["commit", "-qm", `work ${salt}`]);
    const headSha = sh(clone, ["rev-parse", "HEAD"]);
    const ref = `refs/baton/bundles/${how === "other head" ? base : headSha}`;
    sh(clone, ["update-ref", ref, headSha]);
    const file = join(clone, ".git", "w.bundle");
    sh(clone, ["bundle", "create", "-q", file, ref]);
    const { readFileSync } = await import("node:fs");
    const whole = readFileSync(file);
    const bytes =
      how === "no bundle"
        ? Buffer.from(salt)
        : how === "garbage"
          ? Buffer.concat([whole.subarray(0, whole.length >> 1), Buffer.from(salt)])
          : whole;
    const wanted = how === "other head" ? base : headSha;
    try {
      if (!guarded) {
        // As git alone imports a bundle.
        sh(data, ["fetch", "-q", file, `+${ref}:refs/baton/unguarded/${salt}`], {
          GIT_DIR: join(data, "trusted", "7.git"),
        });
        return "in the trusted repository";
      }
      await workspaces.importBundle(
        access,
        {
          runId: "run_00000000000000ff" as RunId,
          name: `b-${salt}`,
          baseSha: how === "other head" ? headSha : base,
          headSha: wanted,
          bytes,
        },
        importOptions,
      );
      return "imported";
    } catch {
      return null;
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  },
  slow: true,
});

export const runnerCauses: readonly Cause[] = [tokens, jobs, foreign, bundles];
