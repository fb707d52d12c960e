/** `executor: actions`: the App's agents work on runners, by the effect protocol. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, describe, expect, it, vi } from "vitest";
import { planOf, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { limits } from "../../src/core/limits.ts";
import { patienceMs } from "../patience.ts";
import { ends, ownComments, pulls, reaches, repositoryOf, runState, say } from "../scenarios/helpers.ts";
import { effectsDocument, mismatches, problems, seen } from "./effects-openapi.ts";
import { type RemoteWorld, remoteWorld } from "./remote-world.ts";

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
    remote = await remoteWorld();
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
    const reach = remote.withinReach();
    expect(reach).toHaveLength(2);
    for (const { parent, own, git } of reach) {
      // The job's own process shows its variables, but no secret value.
      expect(parent).toMatch(/GITHUB_REPOSITORY=/);
      expect(`${parent}${own}`).not.toMatch(/ghs_|platforms-own|token\?api-version/);
      expect(git).not.toMatch(/extraheader|insteadof|ghs_/i);
      // The last entry: no credential helper of the machine's own configuration.
      expect(git.trimEnd()).toMatch(/\tcredential\.helper=$/);
    }
    const number = pulls(world)[0]?.number as number;
    world.github.review({ repository: repositoryName, number, as: "bob", event: "APPROVE" });
    const ended = await ends(world);
    expect(ended.outcome?.verdict.status).toBe("passed");
    expect(ended.money.spentUsd).toBeGreaterThan(0);
  });

  it("a cancellation reaches the harness, whose work is kept", async () => {
    remote = await remoteWorld();
    const { world, jobs } = remote;
    const go = waitingAgent();
    say(world, "/baton run");
    await atWork(go);
    say(world, "/baton cancel not needed");
    const job = await jobs.at(-1)?.done;
    expect(job).toMatchObject({ exitCode: 1, outputs: expect.stringContaining("cancelled") });
    // Within 10 s on an idle machine: the next heartbeat says so.
    expect(limits.remoteHeartbeatMs + limits.remoteLookMs).toBeLessThan(10_000);
    expect((await ends(world)).status).toBe("cancelled");
  });

  it("a job that is stopped on GitHub has lost the step, and another goes on", async () => {
    remote = await remoteWorld();
    const { world, jobs } = remote;
    const go = waitingAgent();
    say(world, "/baton run");
    await atWork(go);
    const stopped = jobs.at(-1);
    stopped?.child.kill("SIGTERM");
    expect(await stopped?.done).toMatchObject({ exitCode: 1 });
    writeFileSync(go, "");
    const state = await reaches(world, "review");
    expect(state.effects.get("implement" as never)?.attempts).toMatchObject([
      { error: { code: "BATON_ATTEMPT_LOST", message: expect.stringMatching(/stopped on GitHub/) } },
      { error: null },
    ]);
    expect(jobs).toHaveLength(3);
  });

  it("on a bad way nothing is lost: a claim whose answer is gone, an App that is away, commits slower than a lease", async () => {
    const met: string[] = [];
    remote = await remoteWorld({
      async way(verb) {
        const count = met.push(verb) && met.filter((one) => one === verb).length;
        if (verb === "claim") return count === 1 ? "lose-answer" : "pass";
        if (verb === "heartbeat" || count > 2) return "pass";
        if (count === 1) return "unavailable";
        const beats = (): number => met.filter((one) => one === "heartbeat").length;
        const before = beats();
        await vi.waitUntil(() => beats() >= before + 2, { timeout: patienceMs });
        return "pass";
      },
    });
    say(remote.world, "/baton run");
    const planned = await remote.world.until("the plan", async () => {
      const effect = (await runState(remote.world))?.effects.get("plan" as never);
      return effect?.status === "succeeded" ? effect : null;
    });
    expect(planned.attempts).toHaveLength(1);
    expect(met.slice(0, 2)).toEqual(["claim", "claim"]);
    expect(met.filter((verb) => verb === "result")).toHaveLength(2);
  });

  it("one that is gone in the middle leaves how far it got: in the journal, in the thread, with the next attempt", async () => {
    remote = await remoteWorld();
    const { world, jobs } = remote;
    const go = join(world.directory, "go");
    const says = [
      { type: "tool", name: "TodoWrite", detail: "- [x] find it\n- [ ] mend it" },
      { type: "text", text: "The sum forgets the count." },
      { type: "tool", name: "edit", detail: "cart.js" },
    ];
    const [repair] = sampleScript.repair;
    writeFileSync(
      world.scriptPath,
      JSON.stringify({ ...green, implement: [{ ...repair, says, waitFor: go }, repair] }),
    );
    say(world, "/baton run");
    await atWork(go);
    const implement = async () => (await runState(world))?.effects.get("implement" as never);
    const partial = {
      text: "The sum forgets the count.",
      todo: "- [x] find it\n- [ ] mend it",
      lastAction: "edit cart.js",
    };
    await world.until("a heartbeat with what it said", async () =>
      (await implement())?.attempts[0]?.partial?.text === partial.text ? true : null,
    );
    const lost = jobs.at(-1);
    lost?.child.kill("SIGKILL");
    await lost?.done;
    // As after 45 s without a message from it.
    const { store } = world.baton.dependencies;
    const operation = `effect:${lost?.order.run}/implement/1`;
    const seen = (await store.value(`${operation}/seen`)) as { job: string; epoch: number };
    const owner = `job:${seen.job}`;
    await store.releaseLease({ name: operation, owner, epoch: seen.epoch, expiresAt: 0 });
    await store.setValue(`${operation}/seen`, { ...seen, at: Date.now() - limits.remoteLeaseMs - 1_000 });
    const state = await reaches(world, "review");
    expect(state.effects.get("implement" as never)?.attempts).toMatchObject([
      { error: { code: "BATON_ATTEMPT_LOST" }, partial },
      { error: null },
    ]);
    expect(jobs.map(({ order }) => [order.effect, order.attempt])).toEqual([
      ["plan", 1],
      ["implement", 1],
      ["implement", 2],
    ]);
    expect(await jobs.at(-1)?.done).toMatchObject({ exitCode: 0 });
    const told = readFileSync(join(world.directory, "prompts"), "utf8")
      .split("\0")
      .filter((one) => one !== "");
    expect(told).toHaveLength(3);
    for (const words of ["got this far", "- [ ] mend it", "The sum forgets the count."]) {
      expect(told[1]).not.toContain(words);
      expect(told[2]).toContain(words);
    }
    const status = ownComments(world)[0] ?? "";
    expect(status).toMatch(/Work of 1 unfinished attempt/);
    expect(status).toContain("- [ ] mend it");
  });

  it("a Baton that starts anew waits for the same job", async () => {
    remote = await remoteWorld();
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

/** Announces that much, and sends nothing of it. */
const oversized = (url: string, token: string): Promise<{ status: number; body: unknown }> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, "content-length": `${2 ** 30}` };
    const asked = request(url, { method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        asked.destroy();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown });
      });
    });
    asked.on("error", reject).flushHeaders();
  });

/** The same claims with `alg: none`. */
const unsigned = (token: string): string =>
  `${Buffer.from('{"alg":"none"}').toString("base64url")}.${token.split(".")[1]}.`;
const changed = (token: string): string => {
  const [head, body = "", signature] = token.split(".");
  const claims = Buffer.from(body, "base64url")
    .toString()
    .replace(/"run_id":"\d+"/, '"run_id":"78"');
  return [head, Buffer.from(claims).toString("base64url"), signature].join(".");
};

describe("the protocol", () => {
  const asked = async (): Promise<{ run: string; url: string }> => {
    remote = await remoteWorld({ startRunners: false });
    say(remote.world, "/baton run");
    const run = await remote.world.until("the attempt", async () => {
      const state = await runState(remote.world);
      return state?.effects.get("plan" as never)?.status === "running" ? state.runId : null;
    });
    await remote.world.until("the order", () => remote.orders.length === 1);
    return { run, url: `${remote.publicUrl}/api/v1/effects/${run}/plan/1` };
  };
  const post = async (url: string, body: unknown, token?: string) => {
    const response = await fetch(url, {
      method: "POST",
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, never>;
    expect(mismatches({ url, request: body, status: response.status, answer })).toEqual([]);
    return { status: response.status, body: answer };
  };

  it("refuses who is not the runner workflow of this repository, and says what holds", async () => {
    const { url } = await asked();
    const now = Math.floor(Date.now() / 1_000);
    const cases: [string, string | undefined, number, RegExp][] = [
      ["no token", undefined, 401, /Bearer/],
      ["no token of a job", "abc", 401, /token does not hold/],
      ["of another issuer", await remote.token({ issuer: "https://token.example" }), 401, /"iss"/],
      ["signed by somebody else", await remote.token({ forged: true }), 401, /signature verification failed/],
      ["signed by nobody", unsigned(await remote.token()), 401, /"alg"/],
      ["changed on the way", changed(await remote.token()), 401, /signature verification failed/],
      ["over", await remote.token({ claims: { iat: now - 600, exp: now - 60 } }), 401, /"exp"/],
      ["of later", await remote.token({ claims: { nbf: now + 600 } }), 401, /"nbf"/],
      ["of long ago, as a copy", await remote.token({ claims: { iat: now - 3_600, exp: now + 60 } }), 401, /"iat"/],
      ["that names no workflow", await remote.token({ claims: { workflow_ref: undefined } }), 401, /workflow_ref/],
      [
        "of another run of the workflow",
        await remote.token({ claims: { run_id: "999" } }),
        409,
        /run 999; run \d+ was/,
      ],
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

  it("keys that cannot be read are no judgement, and a key that is new is found", async () => {
    const { url } = await asked();
    remote.failKeys(1);
    expect(await post(`${url}/claim`, {}, await remote.token())).toMatchObject({
      status: 502,
      body: { code: "BATON_GITHUB_UNAVAILABLE" },
    });
    await remote.rotateKey();
    expect((await post(`${url}/claim`, {}, await remote.token())).status).toBe(200);
    await remote.rotateKey(false);
    expect((await post(`${url}/heartbeat`, { epoch: 1 }, await remote.token())).status).toBe(401);
  });

  it("is spoken by a shell script with curl", async () => {
    const { run } = await asked();
    const script = fileURLToPath(new URL("../../docs/examples/worker.sh", import.meta.url));
    const work = async (order: object, command: string[]): Promise<string> => {
      const env = { JOB_TOKEN: await remote.token() };
      return (await execa("bash", [script, JSON.stringify(order), ...command], { env })).stdout;
    };
    const steps = planOf("");
    const plan = ["sh", "-c", 'echo "A plan, by a shell script, with ${JOB_TOKEN:-no} token."; echo "$0"', steps];
    const said = await work({ run, effect: "plan", attempt: 1, endpoint: remote.publicUrl }, plan);
    expect(said).toMatch(/Claimed with epoch 1: plan from [0-9a-f]{40}\.\n\{"cancel":false\}\n\{"taken":true\}/);
    await remote.world.until("the next order", () => remote.orders.length === 2);
    const change = `grep -q 'cart' && sed -i 's/^/ /' cart.js && git -c user.name=w -c user.email=w@localhost commit -qam 'By a shell script'`;
    expect(await work(remote.orders[1] ?? {}, ["sh", "-c", change])).toMatch(/implement from .*"taken":true/s);
    const made = await remote.world.until("the change", async () => {
      const state = await runState(remote.world);
      return state?.effects.get("implement" as never)?.status === "succeeded" ? state.effects : null;
    });
    expect(made.get("plan" as never)?.output).toMatchObject({
      harness: "shell",
      text: `A plan, by a shell script, with no token.\n${planOf("")}\n`,
    });
    expect(made.get("implement" as never)?.output).toMatchObject({ files: [{ path: "cart.js" }] });
  });

  it("is what its OpenAPI document says: paths, statuses, and every reference leads somewhere", () => {
    const paths = ["claim", "heartbeat", "result"].map((verb) => `/api/v1/effects/{run}/{effect}/{attempt}/${verb}`);
    expect(Object.keys(effectsDocument.paths)).toEqual(paths);
    const references = JSON.stringify(effectsDocument).match(/"\$ref":"[^"]+"/g) ?? [];
    expect(references.length).toBeGreaterThan(10);
    for (const reference of new Set(references))
      expect(problems(JSON.parse(`{${reference}}`).$ref, null)).not.toContain(expect.stringMatching(/leads nowhere/));
    // The check finds a request or an answer of another shape.
    expect(problems("#/components/schemas/ResultRequest", { epoch: 0 })).not.toEqual([]);
    expect(problems("#/components/schemas/Refusal", { code: "BATON_NO_RUN" })).not.toEqual([]);
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
    const lost = await remote.token();
    expect(await post(`${url}/claim`, {}, lost)).toMatchObject({ status: 200, body: { epoch: 1 } });
    const { store } = remote.world.baton.dependencies;
    // As after 45 s without a message from it.
    const operation = `effect:${run}/plan/1`;
    const seenBy = (await store.value(`${operation}/seen`)) as { at: number; job: string; epoch: number };
    await store.releaseLease({ name: operation, owner: `job:${seenBy.job}`, epoch: 1, expiresAt: 0 });
    await store.setValue(`${operation}/seen`, { ...seenBy, at: Date.now() - limits.remoteLeaseMs - 1_000 });
    const effect = await remote.world.until("another attempt", async () => {
      const now = (await runState(remote.world))?.effects.get("plan" as never);
      return now?.attempts.length === 2 ? now : null;
    });
    expect(effect.attempts[0]?.error?.code).toBe("BATON_ATTEMPT_LOST");
    await remote.world.until("another job", () => remote.orders.length === 2);
    expect(remote.orders.map(({ attempt }) => attempt)).toEqual([1, 2]);
    const other = await remote.token();
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
    expect((await post(`${url}/heartbeat`, { epoch: 1 }, other)).status).toBe(409);
    expect((await post(`${url}/heartbeat`, { epoch: 2 }, token)).status).toBe(409);
    expect(await post(`${url}/heartbeat`, { epoch: 1, note: "reading" }, token)).toMatchObject({
      status: 200,
      body: { cancel: false },
    });
    // The answer to its claim was lost. It asks again, and the first epoch is no longer valid.
    expect(await post(`${url}/claim`, {}, token)).toMatchObject({ status: 200, body: { epoch: 2 } });
    expect((await post(`${url}/heartbeat`, { epoch: 1 }, token)).status).toBe(409);
    expect((await post(`${url}/heartbeat`, { epoch: "one" }, token)).body["message"]).toMatch(/heartbeat: epoch/);
    expect((await post(`${url}/heartbeat`, "{", token)).status).toBe(400);
    expect((await post(`${url}/heartbeat`, { epoch: 2, more: 1 }, token)).status).toBe(422);
    expect((await post(`${url}/heartbeat`, { epoch: 2, note: "x".repeat(3_000) }, token)).status).toBe(422);
    expect((await post(`${url}/result`, { epoch: 2, result: { ok: true } }, token)).status).toBe(422);
    expect((await post(`${url}/claim`, [], token)).status).toBe(422);
    expect((await post(url.replace("/plan/1", "/%ZZ/1/claim"), {}, token)).status).toBe(400);
    expect((await post(url.replace("/plan/1", "/plan/0/claim"), {}, token)).status).toBe(404);
    expect((await post(url.replace("/plan/1", "/..%2Fplan/1/claim"), {}, token)).status).toBe(409);
    expect((await post(url.replace(/run_\w+/, "run_00000000000000"), {}, token)).status).toBe(404);
    const tooLarge = await oversized(`${url}/result`, token);
    expect(tooLarge).toMatchObject({ status: 413, body: { code: "BATON_PAYLOAD_TOO_LARGE" } });
    expect(mismatches({ url: `${url}/result`, request: null, status: 413, answer: tooLarge.body })).toEqual([]);
    expect((await post(`${url}/dance`, {}, token)).status).toBe(404);
    expect((await post(url.replace("/plan/1", "/plan/2/claim"), {}, token)).status).toBe(409);
    const error = { code: "BATON_HARNESS_AUTH", message: "The key is refused." };
    const result = { epoch: 2, result: { ok: false, error, usage: [], kept: null } };
    expect((await post(`${url}/result`, { ...result, epoch: 1 }, token)).status).toBe(409);
    expect((await post(`${url}/result`, { ...result, epoch: 1 }, other)).status).toBe(409);
    expect(await post(`${url}/result`, result, token)).toMatchObject({ status: 200, body: { taken: true } });
    expect(await post(`${url}/result`, result, token)).toMatchObject({ status: 200, body: { taken: true } });
    expect((await ends(remote.world)).outcome?.error).toMatchObject(error);
  });

  it("every status that the document names for what a worker does was seen", () => {
    // 429 and 500 are GitHub's limit and a fault of Baton itself.
    const named = Object.keys(Object.values(effectsDocument.paths)[0]?.["post"]?.responses ?? {});
    const had = new Set([...seen].map((line) => line.split(" ")[1]));
    expect(named.filter((status) => !had.has(status))).toEqual(["429", "500", "default"]);
    for (const verb of ["claim", "heartbeat", "result"]) expect(seen).toContain(`${verb} 200`);
  });
});
