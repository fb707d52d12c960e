/** `executor: actions`: the App's agents work on runners, by the effect protocol. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, describe, expect, it, vi } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { sampleScript } from "../../src/demo/sample.ts";
import { repositoryName } from "../../src/demo/world.ts";
import { ends, pulls, reaches, repositoryOf, runState, say } from "../scenarios/helpers.ts";
import { type RemoteWorld, remoteWorld } from "./remote-world.ts";

vi.setConfig({ testTimeout: 180_000 });

let remote: RemoteWorld;
afterEach(() => remote.close());

const green = { ...sampleScript, implement: sampleScript.repair };
const waitingAgent = (): string => {
  const go = join(remote.world.directory, "go");
  const implement = [{ ...sampleScript.repair[0], waitFor: go }];
  writeFileSync(remote.world.scriptPath, JSON.stringify({ ...green, implement }));
  return go;
};
const atWork = (go: string): Promise<boolean> =>
  remote.world.until("the agent to be at work", () => existsSync(`${go}.waiting`));

describe("runners", () => {
  it("do the agents' work: commits come as bundles, nothing that may write reaches the agent", async () => {
    remote = await remoteWorld({ patienceMs: 120_000 });
    const { world, jobs } = remote;
    say(world, "/baton run");
    const state = await reaches(world, "review");
    expect(jobs.map(({ order }) => order.effect)).toEqual(["plan", "implement"]);
    expect(state.effects.get("implement" as never)).toMatchObject({
      attempts: [{ worker: "actions" }],
      output: { commits: 1, files: [{ path: "cart.js", added: 1, removed: 1 }] },
    });
    const routes = state.decisions.filter(({ action }) => action === "route").map(({ verdict }) => verdict);
    expect(routes).toMatchObject([
      { name: "plan", status: "passed", reason: expect.stringMatching(/^Goes to command/) },
      { name: "implement", status: "passed" },
    ]);
    for (const { done } of jobs)
      expect(await done).toMatchObject({ exitCode: 0, outputs: expect.stringMatching(/passed/) });
    for (const environment of remote.agentEnvironments()) {
      expect(Object.keys(environment).filter((name) => /GITHUB_|ACTIONS_|INPUT_|TOKEN/.test(name))).toEqual([]);
      expect(JSON.stringify(environment)).not.toMatch(/ghs_|platforms-own/);
    }
    const number = pulls(world)[0]?.number as number;
    world.github.review({ repository: repositoryName, number, as: "bob", event: "APPROVE" });
    const ended = await ends(world);
    expect(ended.outcome?.verdict.status).toBe("passed");
    expect(ended.money.spentUsd).toBeGreaterThan(0);
  });

  it("a cancellation reaches the harness, whose work is kept", async () => {
    remote = await remoteWorld({ patienceMs: 120_000 });
    const { world, jobs } = remote;
    const go = waitingAgent();
    say(world, "/baton run");
    await atWork(go);
    const asked = Date.now();
    say(world, "/baton cancel not needed");
    const job = await jobs.at(-1)?.done;
    expect(job).toMatchObject({ exitCode: 1, outputs: expect.stringContaining("cancelled") });
    expect(Date.now() - asked).toBeLessThan(30_000);
    expect((await ends(world)).status).toBe("cancelled");
  });

  it("a Baton that starts anew waits for the same job", async () => {
    remote = await remoteWorld({ patienceMs: 120_000 });
    const { world, jobs } = remote;
    const go = waitingAgent();
    say(world, "/baton run");
    await atWork(go);
    await world.restart();
    writeFileSync(go, "");
    const state = await reaches(world, "review");
    expect(jobs).toHaveLength(2);
    expect(state.effects.get("implement" as never)?.attempts).toHaveLength(1);
  });
});

it("without `actions: write` the run ends, and says which permission is missing", async () => {
  remote = await remoteWorld({ actions: "read" });
  say(remote.world, "/baton run");
  const { outcome } = await ends(remote.world);
  expect(outcome?.error).toMatchObject({
    code: "BATON_GITHUB_DENIED",
    message: expect.stringMatching(/`actions: write`.*GitHub says: .*Resource not accessible by integration/s),
  });
});

describe("the protocol", () => {
  const asked = async (): Promise<{ run: string; url: string }> => {
    remote = await remoteWorld({ startRunners: false });
    say(remote.world, "/baton run");
    const run = await remote.world.until("the attempt", async () => {
      const state = await runState(remote.world);
      return state?.effects.get("plan" as never)?.status === "running" ? state.runId : null;
    });
    return { run, url: `${remote.publicUrl}/api/v1/effects/${run}/plan/1` };
  };
  const post = async (url: string, body: unknown, token?: string) => {
    const response = await fetch(url, {
      method: "POST",
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };

  it("refuses who is not the runner workflow of this repository, and says what holds", async () => {
    const { url } = await asked();
    const cases: [string, string | undefined, number, RegExp][] = [
      ["no token", undefined, 401, /Bearer/],
      ["no token of a job", "abc", 401, /token does not hold/],
      ["for another audience", await remote.token({ audience: "https://elsewhere.example" }), 401, /aud/],
      ["of another repository", await remote.token({ claims: { repository_id: "9" } }), 404, /of this repository/],
      [
        "of another workflow",
        await remote.token({ claims: { workflow_ref: `${repositoryName}/.github/workflows/ci.yml@refs/heads/main` } }),
        403,
        /baton-runner\.yml/,
      ],
      [
        "of a branch that anybody may push",
        await remote.token({
          claims: { workflow_ref: `${repositoryName}/.github/workflows/baton-runner.yml@refs/heads/evil` },
        }),
        403,
        /refs\/heads\/main/,
      ],
    ];
    for (const [what, token, status, message] of cases) {
      const answer = await post(`${url}/claim`, {}, token);
      expect([what, answer.status], JSON.stringify(answer.body)).toEqual([what, status]);
      expect(answer.body["message"], what).toMatch(message);
    }
  });

  it("is spoken by a shell script with curl", async () => {
    const { run } = await asked();
    const order = { run, effect: "plan", attempt: 1, endpoint: remote.publicUrl };
    const script = fileURLToPath(new URL("../../docs/examples/worker.sh", import.meta.url));
    const state = await runState(remote.world);
    const baseSha = (state?.effects.get("plan" as never)?.input as { baseSha: string }).baseSha;
    const env = { JOB_TOKEN: await remote.token(), BASE_SHA: baseSha };
    const { stdout } = await execa("bash", [script, JSON.stringify(order)], { env });
    expect(stdout).toMatch(/Claimed with epoch 1\.\n\{"cancel":false\}\n\{"taken":true\}/);
    const planned = await remote.world.until("the plan", async () => {
      const effect = (await runState(remote.world))?.effects.get("plan" as never);
      return effect?.status === "succeeded" ? effect : null;
    });
    expect(planned.output).toMatchObject({ harness: "shell", text: "A plan, by a shell script." });
  });

  it("RC3: the token that a worker gets reads the contents of the one repository, and nothing else", async () => {
    const { url } = await asked();
    const claimed = await post(`${url}/claim`, {}, await remote.token());
    const { git } = claimed.body["spec"] as unknown as { git: { token: string } };
    const { github } = remote.world;
    const { grants, repositoryIds } = github.state.tokens.get(git.token) ?? {};
    expect(grants).toEqual({ contents: "read", metadata: "read" });
    expect(repositoryIds).toEqual([repositoryOf(remote.world).id]);
    const api = async (method: string, path: string, body?: object): Promise<number> => {
      const response = await fetch(`${github.apiUrl}/repos/${repositoryName}${path}`, {
        method,
        headers: { authorization: `token ${git.token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return response.status;
    };
    expect(await api("GET", "/contents/cart.js")).toBe(200);
    const sha = repositoryOf(remote.world).refs.get("refs/heads/main");
    expect(await api("POST", "/git/refs", { ref: "refs/heads/mine", sha })).toBe(403);
    expect(await api("POST", `/issues/${remote.world.issue}/comments`, { body: "hello" })).toBe(403);
    expect(await api("GET", "/actions/secrets")).toBe(403);
  });

  it("a runner that falls silent loses its attempt to another job, and what it posts later is refused", async () => {
    const { run, url } = await asked();
    const [lost, other] = [await remote.token(), await remote.token({ claims: { run_id: "78" } })];
    expect(await post(`${url}/claim`, {}, lost)).toMatchObject({ status: 200, body: { epoch: 1 } });
    const { store } = remote.world.baton.dependencies;
    // As after 45 s without a word from it.
    const operation = `effect:${run}/plan/1`;
    await store.releaseLease({ name: operation, owner: "job:77", epoch: 1, expiresAt: 0 });
    await store.setValue(`${operation}/seen`, { at: Date.now() - limits.remoteLeaseMs - 1_000, job: "77", epoch: 1 });
    const effect = await remote.world.until("another attempt", async () => {
      const now = (await runState(remote.world))?.effects.get("plan" as never);
      return now?.attempts.length === 2 ? now : null;
    });
    expect(effect.attempts[0]?.error?.code).toBe("BATON_ATTEMPT_LOST");
    await remote.world.until("another job", () => remote.orders.length === 2);
    expect(remote.orders.map(({ attempt }) => attempt)).toEqual([1, 2]);
    const second = url.replace("/plan/1", "/plan/2");
    expect(await post(`${second}/claim`, {}, other)).toMatchObject({ status: 200, body: { epoch: 1 } });
    const error = { code: "BATON_HARNESS_AUTH", message: "The key is refused." };
    const late = { epoch: 1, result: { ok: false, error, usage: [], kept: null } };
    expect((await post(`${url}/result`, late, lost)).status).toBe(409);
    expect((await post(`${second}/heartbeat`, { epoch: 1 }, lost)).status).toBe(409);
    expect((await post(`${second}/result`, late, other)).status).toBe(200);
    expect((await ends(remote.world)).effects.get("plan" as never)?.attempts).toHaveLength(2);
  });

  it("one claim, one epoch, one result; a body that is none names its fields", async () => {
    const { url } = await asked();
    const token = await remote.token();
    const claimed = await post(`${url}/claim`, {}, token);
    expect(claimed).toMatchObject({ status: 200, body: { epoch: 1, spec: { bundle: null } } });
    const other = await remote.token({ claims: { run_id: "78" } });
    expect((await post(`${url}/claim`, {}, other)).status).toBe(409);
    expect((await post(`${url}/heartbeat`, { epoch: 2 }, token)).status).toBe(409);
    expect(await post(`${url}/heartbeat`, { epoch: 1, note: "reading" }, token)).toMatchObject({
      status: 200,
      body: { cancel: false },
    });
    expect((await post(`${url}/heartbeat`, { epoch: "one" }, token)).body["message"]).toMatch(/heartbeat: epoch/);
    expect((await post(`${url}/heartbeat`, "{", token)).status).toBe(400);
    expect((await post(`${url}/dance`, {}, token)).status).toBe(404);
    expect((await post(url.replace("/plan/1", "/plan/2/claim"), {}, token)).status).toBe(409);
    const error = { code: "BATON_HARNESS_AUTH", message: "The key is refused." };
    const result = { epoch: 1, result: { ok: false, error, usage: [], kept: null } };
    expect(await post(`${url}/result`, result, token)).toMatchObject({ status: 200, body: { taken: true } });
    expect(await post(`${url}/result`, result, token)).toMatchObject({ status: 200, body: { taken: true } });
    expect((await ends(remote.world)).outcome?.error).toMatchObject(error);
  });
});
