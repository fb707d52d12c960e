/** An App whose agents work on runners: a world, an issuer of job tokens, and dispatched runners. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { sampleFiles, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { agentPath, repositoryName } from "../../packages/local-github/demo/world.ts";
import { builtAction } from "../built-program.ts";
import { freePort } from "../free-port.ts";
import { type ObservedWorld, observedWorld, repositoryOf } from "../scenarios/helpers.ts";

const runnerFile = ".github/workflows/baton-runner.yml";

export interface RunnerJob {
  runId: number;
  order: { run: string; effect: string; attempt: number; endpoint: string };
  child: ChildProcess;
  done: Promise<{ exitCode: number | null; log: string; outputs: string }>;
}

export interface RemoteWorld {
  world: ObservedWorld;
  publicUrl: string;
  jobs: RunnerJob[];
  /** Dispatches, including those that start no runner. */
  orders: RunnerJob["order"][];
  /** Environments of agents. */
  agentEnvironments(): Record<string, string>[];
  /** Things that agents found around them: environments that the system shows, and git's configuration. */
  withinReach(): { parent: string; own: string; git: string }[];
  /** A token of the last started job. `change` makes it another job's. */
  token(change?: TokenChange): Promise<string>;
  /** After this call, GitHub signs with another key. `publish` false: nobody can read the new key. */
  rotateKey(publish?: boolean): Promise<void>;
  /** The keys are unreadable for this many requests. */
  failKeys(times: number): void;
  close(): Promise<void>;
}

export interface TokenChange {
  audience?: string;
  issuer?: string;
  claims?: Record<string, unknown>;
  /** Signed by a key that GitHub does not have. */
  forged?: boolean;
}

export async function remoteWorld(
  options: {
    startRunners?: boolean;
    actions?: "read" | "write";
    /** The fate of a request on its way to Baton. */
    way?: (verb: string) => Promise<"pass" | "unavailable" | "lose-answer">;
    /** Additions to the job's environment from the platform. */
    jobEnvironment?: Record<string, string>;
  } = {},
): Promise<RemoteWorld> {
  let key = await newKey("1");
  let jwks = [key.jwk];
  let keysFail = 0;
  let world: ObservedWorld | null = null;
  const issuer = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const isKeys = url.pathname === "/.well-known/jwks";
    if (isKeys && keysFail > 0) {
      keysFail -= 1;
      response.writeHead(503).end();
      return;
    }
    const claims = { run_id: url.searchParams.get("job") };
    const body = isKeys
      ? { keys: jwks }
      : { value: await token({ audience: url.searchParams.get("audience") ?? "", claims }) };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body));
  };
  await once(issuer, "listening");
  const issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;

  async function token({ audience = publicUrl, issuer = issuerUrl, claims = {}, forged = false }: TokenChange = {}) {
    const repository = world === null ? { id: 0 } : repositoryOf(world);
    return new SignJWT({
      repository: repositoryName,
      repository_id: `${repository.id}`,
      run_id: `${lastRunId}`,
      workflow_ref: `${repositoryName}/${runnerFile}@refs/heads/main`,
      ...claims,
    })
      .setProtectedHeader({ alg: "RS256", kid: key.jwk.kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(claims["iat"] as number | undefined)
      .setExpirationTime((claims["exp"] as number | undefined) ?? "5m")
      .sign((forged ? await newKey("1") : key).privateKey);
  }

  const program = join(await builtAction(), "main.js");
  const port = await freePort();
  const way = options.way === undefined ? null : await startWay(port, options.way);
  const publicUrl = way?.url ?? `http://127.0.0.1:${port}`;
  const jobs: RunnerJob[] = [];
  const orders: RunnerJob["order"][] = [];
  let lastRunId = 77;
  let closing = false;
  const startJob = ({ inputs, runId }: { inputs: Record<string, string>; runId: number }): void => {
    orders.push(orderIn(inputs));
    lastRunId = runId;
    if (world !== null && options.startRunners !== false && !closing)
      jobs.push(startRunner(world, { program, issuerUrl, inputs, runId, environment: options.jobEnvironment ?? {} }));
  };
  world = await observedWorld({
    files: {
      ...sampleFiles,
      [runnerFile]: "on: { workflow_dispatch: { inputs: { effect: {} } } }\njobs: {}\n",
      ".github/workflows/ci.yml":
        "on: pull_request\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: npm test }] } }\n",
    },
    script: { ...sampleScript, implement: sampleScript.repair },
    config: "harness: { default: command }\nexecutor: actions\n",
    grants: { actions: options.actions ?? "write" },
    environment: { PORT: `${port}`, BATON_PUBLIC_URL: publicUrl, BATON_OIDC_ISSUER: issuerUrl },
    github: { onDispatch: startJob },
  });
  const started = world;
  return {
    world: started,
    publicUrl,
    jobs,
    orders,
    token,
    async rotateKey(publish = true) {
      key = await newKey(`${Number(key.jwk.kid) + 1}`);
      if (publish) jwks = [...jwks, key.jwk];
    },
    failKeys(times) {
      keysFail = times;
    },
    agentEnvironments: () => linesOf(join(started.directory, "environments")) as Record<string, string>[],
    withinReach: () => linesOf(join(started.directory, "within-reach")) as ReturnType<RemoteWorld["withinReach"]>,
    async close() {
      closing = true;
      for (const { child } of jobs) child.kill("SIGKILL");
      await Promise.all(jobs.map(({ done }) => done));
      await started.close();
      issuer.close();
      issuer.closeAllConnections();
      way?.close();
    },
  };
}

function linesOf(path: string): unknown[] {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** A relay between runners and Baton. */
async function startWay(port: number, decide: (verb: string) => Promise<"pass" | "unavailable" | "lose-answer">) {
  const pass = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk as Buffer);
    const fate = await decide(asked.url?.split("/").at(-1) ?? "");
    if (fate === "unavailable") return void response.writeHead(502).end("<html>Bad Gateway</html>");
    const { authorization = "" } = asked.headers;
    const answer = await fetch(`http://127.0.0.1:${port}${asked.url}`, {
      method: "POST",
      headers: { authorization },
      body: Buffer.concat(chunks),
    });
    const text = await answer.text();
    if (fate === "lose-answer") asked.socket.destroy();
    else response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  };
  const server = createServer((asked, response) => void pass(asked, response).catch(() => asked.socket.destroy()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function newKey(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" } };
}

function startRunner(
  world: ObservedWorld,
  given: {
    program: string;
    issuerUrl: string;
    inputs: Record<string, string>;
    runId: number;
    environment: Record<string, string>;
  },
): RunnerJob {
  const { issuerUrl, inputs, runId } = given;
  const directory = mkdtempSync(join(world.directory, "runner-"));
  const file = (name: string, content = ""): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  const agent = file(
    "agent.mjs",
    `import { execFileSync } from "node:child_process";
     import { appendFileSync, readFileSync } from "node:fs";
     // Its parent is Baton's supervisor; the job's process is above that, or above the launcher.
     const parentOf = (pid) => /PPid:\\s+(\\d+)/.exec(readFileSync("/proc/" + pid + "/status", "utf8"))[1];
     const environmentOf = (pid) => readFileSync("/proc/" + pid + "/environ", "utf8");
     const parents = [process.ppid, parentOf(process.ppid), parentOf(parentOf(process.ppid))];
     const seen = {
       parent: parents.map(environmentOf).join("\\0"),
       own: readFileSync("/proc/self/environ", "utf8"),
       git: execFileSync("git", ["config", "--list", "--show-origin"], { encoding: "utf8" }),
     };
     appendFileSync(${JSON.stringify(join(world.directory, "within-reach"))}, JSON.stringify(seen) + "\\n");
     const told = readFileSync(process.env.BATON_PROMPT_FILE, "utf8");
     appendFileSync(${JSON.stringify(join(world.directory, "prompts"))}, told + "\\0");
     appendFileSync(${JSON.stringify(join(world.directory, "environments"))}, JSON.stringify(process.env) + "\\n");
     process.env.BATON_AGENT_SCRIPT = ${JSON.stringify(world.scriptPath)};
     await import(${JSON.stringify(agentPath)});`,
  );
  const outputs = file("output");
  const child = spawn(process.execPath, [given.program], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      ...(process.env["NODE_COMPILE_CACHE"] === undefined
        ? {}
        : { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }),
      HOME: directory,
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_NAME: "workflow_dispatch",
      GITHUB_EVENT_PATH: file("event.json", JSON.stringify({ inputs })),
      GITHUB_REPOSITORY: repositoryName,
      GITHUB_API_URL: world.github.apiUrl,
      GITHUB_SERVER_URL: world.github.url,
      GITHUB_RUN_ID: `${runId}`,
      GITHUB_OUTPUT: outputs,
      GITHUB_TOKEN: "ghs_the-jobs-own-token",
      RUNNER_TEMP: directory,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${issuerUrl}/token?api-version=2.0&job=${runId}`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "the-platforms-own-token",
      LOG_LEVEL: "warn",
      BATON_DEBUG: "1",
      // The agent keeps its observations next to itself, outside its worktree.
      INPUT_SANDBOX: "off",
      BATON_HARNESS_COMMAND: JSON.stringify([process.execPath, agent]),
      ...given.environment,
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const done = once(child, "close").then(([exitCode]) => {
    endOrphans(directory);
    world.github.state.workflowRuns.set(runId, { status: "completed", at: new Date().toISOString() });
    return { exitCode: exitCode as number | null, log, outputs: readFileSync(outputs, "utf8") };
  });
  return { runId, order: orderIn(inputs), child, done };
}

/** Ends the processes that a job leaves running, as the end of its machine would. */
function endOrphans(directory: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, "utf8").includes(`HOME=${directory}`))
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // The process ended meanwhile, or belongs to another user.
    }
  }
}

function orderIn(inputs: Record<string, string>): RunnerJob["order"] {
  return JSON.parse(inputs["effect"] ?? "{}") as RunnerJob["order"];
}
