/**
 * The Action's view of a runner: a process with environment variables, an event file, and output files for the runner.
 * A test starts jobs by hand, or the local GitHub's events start them, as workflow triggers would.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { sampleFiles } from "../../packages/local-github/demo/sample.ts";
import {
  agentPath,
  repositoryName,
  type Stage,
  setStage,
  type WorldOptions,
} from "../../packages/local-github/demo/world.ts";
import type { Grants } from "../../packages/local-github/src/state.ts";
import { runJob } from "../../src/action/job.ts";
import { workflowAlone } from "../../src/onboarding/template.ts";
import { builtAction } from "../built-program.ts";
import { patienceMs } from "../patience.ts";

export interface FinishedJob {
  event: string;
  /** Its machine: files that are not in the repository exist only here. */
  directory: string;
  exitCode: number | null;
  outputs: Record<string, string>;
  summary: string;
  log: string;
  errors: string;
  durationMs: number;
}

export interface RunningJob {
  done: Promise<FinishedJob>;
  kill(signal: NodeJS.Signals): void;
}

export interface Platform extends Stage {
  token: string;
  jobs: FinishedJob[];
  /** Token of the App `baton`, which is not the job's own. */
  appToken(): string;
  /** Token of a job whose workflow grants it less. */
  tokenWith(grants: Grants): string;
  /** A job for an event, as the runner starts it: a program, which can be killed. */
  start(event: string, payload: object, environment?: Record<string, string>): RunningJob;
  /**
   * The same job to its end. It runs in this process unless the world wants programs, because a program's start costs
   * more than most jobs do.
   */
  run(event: string, payload: object, environment?: Record<string, string>): Promise<FinishedJob>;
  /** After this call, each event starts its job. */
  trigger(on: boolean): void;
  /** Jobs that run now. */
  busy(): number;
  /** Resolves when no job runs and no event is on its way. */
  settle(): Promise<void>;
  /** Payload of a new comment that a person writes now. */
  comment(body: string, as?: string, number?: number): object;
  /** Resolves when an agent waits for the file of this name (`waitFor` of its script). */
  waitForAgent(name: string): Promise<void>;
  /** Fields of every payload. */
  about(): { repository: object };
}

export interface PlatformOptions extends WorldOptions {
  /** Text of the workflow, which also bounds the job's token. Default: the shipped one. */
  workflow?: string;
  /** False: the machine disappears with its main step. */
  post?: boolean;
  /** Every job is a program with its post step. Otherwise only those that the test starts, or whose program it changes. */
  programs?: boolean;
}

/** In the nightly run, every job is a program. */
const everyJobIsAProgram = process.env["BATON_TEST_EVERY_PUSH"] !== undefined;
/** These change the program itself. */
const onlyPrograms = ["NODE_OPTIONS", "PATH"];

/** The project's workflow, which the local GitHub runs as its CI. */
const ciWorkflow = "name: CI\non: [pull_request, workflow_dispatch]\njobs: { test: {} }\n";

/**
 * GitHub grants the job's token exactly the permissions of the workflow.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
 */
function grantsOf(workflow: string): Grants {
  const { permissions } = parse(workflow) as { permissions: Record<string, "read" | "write"> };
  const named = Object.entries(permissions).map(([name, level]) => [name.replaceAll("-", "_"), level] as const);
  return { ...Object.fromEntries(named), metadata: "read" };
}

/** As in the workflow template. */
const granted = grantsOf(workflowAlone().text);

const slowMs = 60_000;

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const workflow = options.workflow ?? workflowAlone().text;
  const files = {
    ...(options.files ?? sampleFiles),
    ".github/workflows/ci.yml": ciWorkflow,
    ".github/workflows/baton.yml": workflow,
  };
  const stage = await setStage({ ...options, files, database: false });
  const token = jobToken(stage, "github-actions", grantsOf(workflow));
  // An agent's environment is an allow-list, so its script comes in a file of its own.
  const agent = join(stage.directory, "agent.mjs");
  writeFileSync(
    agent,
    `process.env.BATON_AGENT_SCRIPT = ${JSON.stringify(stage.scriptPath)};\nawait import(${JSON.stringify(agentPath)});\n`,
  );
  const jobs: FinishedJob[] = [];
  const running = new Set<Promise<unknown>>();
  let triggers = false;
  let runs = 100;

  const begin = (event: string, payload: object, more: Record<string, string>, isProgram: boolean): RunningJob => {
    runs += 1;
    const directory = mkdtempSync(join(stage.directory, `job-${runs}-`));
    const file = (name: string, content = ""): string => {
      const path = join(directory, name);
      writeFileSync(path, content);
      return path;
    };
    const outputPath = file("output");
    const summaryPath = file("summary.md");
    const statePath = file("state");
    const environment: Record<string, string> = {
      PATH: process.env["PATH"] ?? "",
      ...(process.env["NODE_COMPILE_CACHE"] === undefined
        ? {}
        : { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }),
      HOME: directory,
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: file("event.json", JSON.stringify(payload)),
      GITHUB_REPOSITORY: repositoryName,
      GITHUB_API_URL: stage.github.apiUrl,
      GITHUB_SERVER_URL: stage.github.url,
      GITHUB_RUN_ID: `${runs}`,
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: "baton",
      GITHUB_WORKFLOW_REF: `${repositoryName}/.github/workflows/baton.yml@refs/heads/main`,
      GITHUB_OUTPUT: outputPath,
      GITHUB_STEP_SUMMARY: summaryPath,
      GITHUB_STATE: statePath,
      RUNNER_TEMP: directory,
      INPUT_TOKEN: token,
      "INPUT_DISPATCH-WORKFLOWS": "ci.yml",
      LOG_LEVEL: options.logLevel ?? "warn",
      BATON_DEBUG: "1",
      // The agent keeps its observations next to itself, outside its worktree.
      INPUT_SANDBOX: "off",
      BATON_HARNESS_COMMAND: JSON.stringify([process.execPath, agent]),
      ...more,
    };
    let [log, errors] = ["", ""];
    let current: ChildProcess | null = null;
    const step = async (name: "main" | "post", environmentOfStep: Record<string, string>): Promise<number | null> => {
      const child = spawn(process.execPath, [join(await builtAction(), `${name}.js`)], {
        env: environmentOfStep,
        cwd: directory,
        stdio: ["ignore", "pipe", "pipe"],
      });
      current = child;
      child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
      return (await once(child, "close"))[0] as number | null;
    };
    const stop = new AbortController();
    const here = (): Promise<number> =>
      runJob(environment, { out: (text) => (log += text), log: { write: (line) => (errors += line) } }, stop.signal);
    const work = async (): Promise<FinishedJob> => {
      const startedAt = performance.now();
      const exitCode = isProgram ? await step("main", environment) : await here();
      // The post step runs after any end of the main step, with the saved state.
      const saved = Object.entries(readOutputs(readFileSync(statePath, "utf8")));
      if (isProgram && options.post !== false)
        await step("post", {
          ...environment,
          ...Object.fromEntries(saved.map(([name, value]) => [`STATE_${name}`, value])),
        });
      const job: FinishedJob = {
        event,
        directory,
        exitCode,
        outputs: readOutputs(readFileSync(outputPath, "utf8")),
        summary: readFileSync(summaryPath, "utf8"),
        log,
        errors,
        durationMs: performance.now() - startedAt,
      };
      jobs.push(job);
      // No job of these tests has that much work, so the log shows what it waited for.
      if (job.durationMs > slowMs) process.stderr.write(`A job took ${job.durationMs} ms:\n${log}${errors}\n`);
      return job;
    };
    const done = work();
    const watched = done.finally(() => running.delete(watched));
    running.add(watched);
    return {
      done,
      kill(signal) {
        current?.kill(signal);
        stop.abort(signal);
      },
    };
  };
  const start = (event: string, payload: object, more: Record<string, string> = {}): RunningJob =>
    begin(event, payload, more, true);
  const run = (event: string, payload: object, more: Record<string, string> = {}): RunningJob =>
    begin(
      event,
      payload,
      more,
      everyJobIsAProgram || options.programs === true || onlyPrograms.some((name) => name in more),
    );

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(202).end();
      if (!triggers) return;
      const payload = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Told;
      const [event, told] = asTrigger(String(request.headers["x-github-event"]), payload) ?? [];
      if (event !== undefined && told !== undefined) run(event, told);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stage.listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  return {
    ...stage,
    token,
    jobs,
    appToken: () => jobToken(stage, "baton"),
    tokenWith: (given) => jobToken(stage, "github-actions", given),
    start,
    run: (event, payload, more) => run(event, payload, more).done,
    trigger(on) {
      triggers = on;
    },
    busy: () => running.size,
    async settle() {
      do {
        await Promise.all(running);
        await stage.github.settle();
      } while (running.size > 0);
    },
    comment(body, as = "alice", number = stage.issue) {
      const { id } = stage.github.comment({ repository: repositoryName, number, as, body });
      const delivery = { action: "created", comment: { id, body, user: userOf(stage, as) }, issue: { number } };
      return { ...delivery, repository: repositoryPayload(stage) };
    },
    async waitForAgent(name) {
      // The job creates the agent's tree, so there is no directory to watch yet.
      const deadline = AbortSignal.timeout(patienceMs);
      while (globSync(`job-*/baton/**/${name}.waiting`, { cwd: stage.directory }).length === 0)
        await delay(200, undefined, { signal: deadline });
    },
    about: () => ({ repository: repositoryPayload(stage) }),
    async close() {
      triggers = false;
      await Promise.all(running);
      server.closeAllConnections();
      server.close();
      await stage.close();
      rmSync(stage.directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A git wrapper that ends the job at its n-th push, before or after the push itself. */
export function deadlyGit(place: string, at: number, when: "before" | "after"): string {
  const directory = mkdtempSync(join(place, `git-${at}-${when}-`));
  const count = join(directory, "count");
  writeFileSync(count, "0");
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const push = `"${real}" "$@"`;
  // The launcher starts programs for a large job, and its parent is the job.
  const kill = `job=$PPID
  if tr '\\0' ' ' < /proc/$PPID/cmdline | grep -q 'disconnect'; then job=$(awk '/^PPid:/ {print $2}' /proc/$PPID/status); fi
  kill -9 $job; exit 1`;
  writeFileSync(
    join(directory, "git"),
    `#!/bin/sh
if [ "$1" = push ]; then
  n=$(($(cat "${count}") + 1)); echo $n > "${count}"
  if [ $n -eq ${at} ]; then ${when === "after" ? `${push} >/dev/null 2>&1; ` : ""}${kill}; fi
fi
exec ${push}
`,
    { mode: 0o755 },
  );
  return directory;
}

interface Told {
  action?: string;
  sender?: { login: string };
  check_suite?: { id: number; head_sha: string; app: { slug: string } };
  repository?: object;
}

/** The events that start a workflow: none by a job's own token, and the end of CI as `workflow_run`. */
function asTrigger(event: string, payload: Told): [string, object] | null {
  if (event === "check_suite" && payload.action === "completed" && payload.check_suite?.app.slug === "github-actions") {
    const { id, head_sha } = payload.check_suite;
    return ["workflow_run", { action: "completed", workflow_run: { id, head_sha }, repository: payload.repository }];
  }
  if (event === "check_suite" || event === "check_run" || event === "status") return null;
  return payload.sender?.login === "github-actions[bot]" ? null : [event, payload];
}

/** The token that the platform creates for a job: the Actions App's, for one repository, with the workflow's permissions. */
function jobToken({ github }: Stage, slug = "github-actions", grants: Grants = granted): string {
  const { state } = github;
  const app = [...state.apps.values()].find((one) => one.slug === slug);
  const repository = [...state.repositories.values()].find(({ name }) => name === "shop");
  if (app === undefined || repository === undefined) throw new Error("The stage is not set.");
  app.grants = { ...app.grants, ...granted };
  const id = state.nextId;
  state.nextId += 1;
  const at = new Date().toISOString();
  state.installations.set(id, {
    id,
    appId: app.id,
    accountId: repository.ownerId,
    selection: "selected",
    repositoryIds: [repository.id],
    grants,
    events: [],
    createdAt: at,
    updatedAt: at,
    suspendedAt: null,
  });
  const value = `ghs_${slug.replaceAll("-", "")}${id}`.padEnd(40, "j");
  state.tokens.set(value, {
    value,
    userId: null,
    installationId: id,
    grants,
    repositoryIds: [repository.id],
    expiresAt: null,
  });
  return value;
}

function userOf({ github }: Stage, login: string) {
  const found = [...github.state.accounts.values()].find((account) => account.login === login);
  if (found === undefined) throw new Error(`There is no ${login}.`);
  return { id: found.id, login, type: found.kind };
}

function repositoryPayload({ github }: Stage) {
  const found = [...github.state.repositories.values()].find(({ name }) => name === "shop");
  if (found === undefined) throw new Error("no repository");
  return { id: found.id, name: "shop", default_branch: found.defaultBranch, owner: { login: "acme" } };
}

function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [, name = "", , value = ""] of text.matchAll(/^([a-z-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm))
    outputs[name] = value;
  return outputs;
}
