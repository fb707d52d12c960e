/**
 * The HTTP API over a real socket, a store in memory, and GitHub as plain data: two repositories of acme and one of other.
 * One run of acme/shop asks a question. The test moves the clock.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { builtInProcesses } from "../../processes/index.ts";
import { openMemory } from "../../src/adapters/memory/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { sha256 } from "../../src/adapters/system/sha256.ts";
import type { GithubSignIn } from "../../src/app/api/github-sign-in.ts";
import { LocalSessions } from "../../src/app/api/local-session.ts";
import { type Api, openApi } from "../../src/app/api/serve.ts";
import { type TokenPlace, type TokenRequest, Tokens } from "../../src/app/api/tokens.ts";
import { type Actor, capabilities, type Permission, type Repository, type RunId } from "../../src/core/vocabulary.ts";
import type { GithubApp } from "../../src/ports/github.ts";
import type { Database } from "../../src/ports/store.ts";
import { defineProcess } from "../../src/process/process.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { questionRowKey } from "../../src/runner/outbox/row.ts";
import { Runner } from "../../src/runner/runner.ts";
import { Runs } from "../../src/runner/runs.ts";
import { ManualClock } from "./manual-clock.ts";
import { SeededRandom } from "./random.ts";
import { people, SmallGithub } from "./small-github.ts";

const asking = defineProcess({
  name: "asking",
  version: 1,
  summary: "Asks one question.",
  stages: ["Ask"],
  input: z.looseObject({}),
  output: z.unknown(),
  verdict: () => ({ name: "result", status: "passed", reason: "Answered.", evidence: [], children: [] }),
  run: (ctx) =>
    ctx.ask("color", { title: "Choose", question: "Which color?", answerKind: "choice", choices: ["red", "blue"] }),
});

const able = Object.fromEntries(capabilities.map((name) => [name, true]));

export const shop: Repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
export const secret: Repository = { ...shop, id: 8, name: "secret" };
export const other: Repository = { ...shop, id: 9, owner: "other", name: "lib" };

/** GitHub with a permission for each person and repository. Nobody else has any. */
export class ManyRepositories extends SmallGithub {
  readonly permissions = new Map<string, Permission>();
  /** GitHub does not answer. */
  failure: Error | null = null;
  /** Ids of accounts under their logins, where somebody else registered one. */
  readonly accounts = new Map<string, number>();

  allow(login: string, repository: Repository, permission: Permission): void {
    this.permissions.set(`${repository.id} ${login}`, permission);
  }

  override async person(repository: Repository, login: string): Promise<Actor | null> {
    if (this.failure !== null) throw this.failure;
    const found = people[login]?.user;
    if (found === undefined) return null;
    const permission = this.permissions.get(`${repository.id} ${login}`) ?? "none";
    return { ...found, id: this.accounts.get(login) ?? found.id, permission };
  }

  override app(): GithubApp {
    return { ...super.app(), repositories: async () => [shop, secret, other] };
  }
}

export interface ApiWorld extends AsyncDisposable {
  url: string;
  clock: ManualClock;
  database: Database;
  github: ManyRepositories;
  dependencies: Dependencies;
  runner: Runner;
  runs: Runs;
  tokens: Tokens;
  sessions: LocalSessions;
  server: Server;
  /** The run that asks. */
  run: RunId;
  /** A token's text. Default: scope read, alice, acme/shop. */
  token(request?: Partial<TokenRequest>): Promise<string>;
  ask(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; key?: string; headers?: Record<string, string>; text?: string },
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers; text: string }>;
  /** A run of a thread that asks. */
  begin(repository: Repository, number: number): Promise<RunId>;
  /** GitHub has the comment with the question of the run. */
  post(runId: RunId): Promise<void>;
  /** Answers for a thread that wait for GitHub. */
  said(): Promise<string[]>;
}

/** `githubApp`: in place of the plain data. `signIn`: people sign in with GitHub. */
export async function apiWorld({
  githubApp,
  signIn,
}: {
  githubApp?: GithubApp;
  signIn?: (place: TokenPlace) => GithubSignIn;
} = {}): Promise<ApiWorld> {
  const clock = new ManualClock();
  const database = openMemory({ clock, log: silentLog });
  const github = new ManyRepositories("version: 1\nharness: { default: command }\n", () => clock.now());
  const dependencies = {
    store: database.store,
    queue: database.queue,
    feed: database.feed,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
    github: githubApp ?? github.app(),
    harnesses: new Map([["command", { name: "command", defaultModel: null, capabilities: able }]]),
    repositoryCommands: false,
    processes: builtInProcesses().register(asking),
    redact: (text: string) => text,
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
    killSurvivors: async () => 0,
    owner: "one",
    soleOwner: true,
  } as unknown as Dependencies;
  const runner = new Runner(dependencies);
  const runs = new Runs(dependencies, runner);
  const tokens = new Tokens({ store: database.store, clock });
  const sessions = new LocalSessions(clock);
  const api: Api = openApi(
    { dependencies, runner, runs },
    { local: sessions, github: signIn?.({ store: database.store, clock }) ?? null },
  );
  const server = createServer((request, response) => void api.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const requestedBy: Actor = { id: 1, login: "alice", kind: "user", permission: "write" };
  let names = 0;
  const begin = async (repository: Repository, number: number): Promise<RunId> => {
    names += 1;
    const thread = { repository, number, kind: "issue" as const };
    const created = await runs.create({ key: `${names}`, process: "asking", input: {}, thread, requestedBy });
    return (await runs.advance(created.runId)).runId;
  };
  const world: Omit<ApiWorld, "run"> = {
    url,
    clock,
    database,
    github,
    dependencies,
    runner,
    runs,
    tokens,
    sessions,
    server,
    begin,
    async token(request = {}) {
      names += 1;
      const made = await tokens.create(dependencies.github, {
        name: `token-${names}`,
        scope: "read",
        as: "alice",
        repositories: ["acme/shop"],
        owners: [],
        days: 30,
        ...request,
      });
      return made.token;
    },
    async ask(method, path, { token, body, key, headers = {}, text } = {}) {
      names += 1;
      const content = text ?? (method === "GET" ? undefined : JSON.stringify(body ?? {}));
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(content === undefined
            ? {}
            : { "content-type": "application/json", "idempotency-key": key ?? `key-${names}` }),
          ...headers,
        },
        ...(content === undefined ? {} : { body: content }),
      });
      const answer = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      return {
        status: response.status,
        headers: response.headers,
        text: answer,
        body: isJson ? JSON.parse(answer) : {},
      };
    },
    async post(runId) {
      const key = questionRowKey(runId, "color");
      const row = { operationKey: key, installationId: 3, repositoryId: 7, kind: "question", payload: {}, priority: 1 };
      await database.store.write({ outbox: [{ ...row, contentHash: sha256(key), notBefore: 0, runId }] });
      const createdAt = new Date(clock.now()).toISOString();
      await database.store.outboxDone(key, sha256(key), { id: 1, url: "", nodeId: "", createdAt });
    },
    async said() {
      const rows = await database.store.outboxDue(Number.MAX_SAFE_INTEGER, 1_000);
      return rows.flatMap(({ operationKey, payload }) =>
        operationKey.startsWith("reply:") ? [(payload as { body: string }).body] : [],
      );
    },
    async [Symbol.asyncDispose]() {
      api.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await runner.stop();
      await database.close();
    },
  };
  github.allow("alice", shop, "write");
  const run = await begin(shop, 12);
  await world.post(run);
  return { ...world, run } as ApiWorld;
}
