/** An App whose agents work on runners: a world, an issuer of job tokens, and runners that start when a workflow is dispatched. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { sampleFiles, sampleScript } from "../../src/demo/sample.ts";
import { agentPath, repositoryName } from "../../src/demo/world.ts";
import { type ObservedWorld, observedWorld, repositoryOf } from "../scenarios/helpers.ts";

const main = fileURLToPath(new URL("../../src/action/main.ts", import.meta.url));
const runnerFile = ".github/workflows/baton-runner.yml";

export interface RunnerJob {
  order: { run: string; effect: string; attempt: number; endpoint: string };
  child: ChildProcess;
  done: Promise<{ exitCode: number | null; log: string; outputs: string }>;
}

export interface RemoteWorld {
  world: ObservedWorld;
  publicUrl: string;
  jobs: RunnerJob[];
  /** What was dispatched, also where no runner is started for it. */
  orders: RunnerJob["order"][];
  /** Environments that agents had. */
  agentEnvironments(): Record<string, string>[];
  /** A token as a job gets it; `change` makes it another's. */
  token(change?: { audience?: string; claims?: Record<string, unknown> }): Promise<string>;
  close(): Promise<void>;
}

export async function remoteWorld(
  options: { startRunners?: boolean; patienceMs?: number; actions?: "read" | "write" } = {},
): Promise<RemoteWorld> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg: "RS256", use: "sig" };
  let world: ObservedWorld | null = null;
  const issuer = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const body =
      url.pathname === "/.well-known/jwks"
        ? { keys: [jwk] }
        : { value: await token({ audience: url.searchParams.get("audience") ?? "" }) };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body));
  };
  await once(issuer, "listening");
  const issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;

  async function token({
    audience = publicUrl,
    claims = {},
  }: {
    audience?: string;
    claims?: Record<string, unknown>;
  } = {}) {
    const repository = world === null ? { id: 0 } : repositoryOf(world);
    return new SignJWT({
      repository: repositoryName,
      repository_id: `${repository.id}`,
      run_id: "77",
      workflow_ref: `${repositoryName}/${runnerFile}@refs/heads/main`,
      ...claims,
    })
      .setProtectedHeader({ alg: "RS256", kid: "1" })
      .setIssuer(issuerUrl)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);
  }

  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const jobs: RunnerJob[] = [];
  const orders: RunnerJob["order"][] = [];
  const startJob = (inputs: Record<string, string>): void => {
    orders.push(orderIn(inputs));
    if (world !== null && options.startRunners !== false) jobs.push(startRunner(world, issuerUrl, inputs, jobs.length));
  };
  world = await observedWorld({
    ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
    files: { ...sampleFiles, [runnerFile]: "on: { workflow_dispatch: { inputs: { effect: {} } } }\njobs: {}\n" },
    script: { ...sampleScript, implement: sampleScript.repair },
    config: "harness: { default: command }\nexecutor: actions\n",
    grants: { actions: options.actions ?? "write" },
    environment: { PORT: `${port}`, BATON_PUBLIC_URL: publicUrl, BATON_OIDC_ISSUER: issuerUrl },
    github: { onDispatch: ({ inputs }) => startJob(inputs) },
  });
  const started = world;
  return {
    world: started,
    publicUrl,
    jobs,
    orders,
    token,
    agentEnvironments: () =>
      readFileSync(join(started.directory, "environments"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, string>),
    async close() {
      for (const { child } of jobs) child.kill("SIGKILL");
      await Promise.all(jobs.map(({ done }) => done));
      await started.close();
      issuer.close();
      issuer.closeAllConnections();
    },
  };
}

function startRunner(
  world: ObservedWorld,
  issuerUrl: string,
  inputs: Record<string, string>,
  count: number,
): RunnerJob {
  const directory = mkdtempSync(join(world.directory, "runner-"));
  const file = (name: string, content = ""): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  const agent = file(
    "agent.mjs",
    `import { appendFileSync } from "node:fs";
     appendFileSync(${JSON.stringify(join(world.directory, "environments"))}, JSON.stringify(process.env) + "\\n");
     process.env.BATON_AGENT_SCRIPT = ${JSON.stringify(world.scriptPath)};
     await import(${JSON.stringify(agentPath)});`,
  );
  const outputs = file("output");
  const child = spawn(process.execPath, [main], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: directory,
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_NAME: "workflow_dispatch",
      GITHUB_EVENT_PATH: file("event.json", JSON.stringify({ inputs })),
      GITHUB_REPOSITORY: repositoryName,
      GITHUB_API_URL: world.github.apiUrl,
      GITHUB_SERVER_URL: world.github.url,
      GITHUB_RUN_ID: `${77 + count}`,
      GITHUB_OUTPUT: outputs,
      GITHUB_TOKEN: "ghs_the-jobs-own-token",
      RUNNER_TEMP: directory,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${issuerUrl}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "the-platforms-own-token",
      LOG_LEVEL: "warn",
      BATON_DEBUG: "1",
      BATON_HARNESS_COMMAND: JSON.stringify([process.execPath, agent]),
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const done = once(child, "close").then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    log,
    outputs: readFileSync(outputs, "utf8"),
  }));
  return { order: orderIn(inputs), child, done };
}

function orderIn(inputs: Record<string, string>): RunnerJob["order"] {
  return JSON.parse(inputs["effect"] ?? "{}") as RunnerJob["order"];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
