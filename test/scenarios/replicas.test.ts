/**
 * Two App processes on one PostgreSQL, each with its own disk: they share the work. If one is killed, the other takes over
 * its work within 45 s, and nothing happens twice. Needs a server: BATON_TEST_DATABASE_URL.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planOf, sampleFiles, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName, type Stage, setStage } from "../../packages/local-github/demo/world.ts";
import { SqlStore } from "../../src/adapters/database/sql-store.ts";
import type { Tables } from "../../src/adapters/database/tables.ts";
import { fold } from "../../src/core/fold.ts";
import type { RunState } from "../../src/core/state.ts";
import { builtProgram } from "../built-program.ts";
import { createPostgresDatabase, postgresUrl } from "../fakes/postgres.ts";
import { patienceMs } from "../patience.ts";
import { type Balancer, startBalancer } from "./balancer.ts";
import { BatonProcess } from "./baton-process.ts";

const skipped = postgresUrl === undefined;
const childPath = await builtProgram(fileURLToPath(new URL("./baton-child.ts", import.meta.url)));
const takeOverMsMax = 45_000;
const rightCart = sampleScript.repair[0]?.files["cart.js"] as string;
const usage = { input: 100, output: 10, costUsd: 0.01 };

describe.skipIf(skipped)(
  `two Apps on one PostgreSQL${skipped ? " (skipped: no server; set BATON_TEST_DATABASE_URL)" : ""}`,
  () => {
    let world: Replicas;
    beforeAll(async () => {
      world = await Replicas.start(postgresUrl as string);
    });
    afterAll(() => world.close());

    it("share the work: deliveries come in at both doors, runs are driven by both", async () => {
      const drivers = new Set<number>();
      for (let count = 0; count < 12 && drivers.size < 2; count += 1) {
        const issue = world.ask();
        const state = await world.reaches(issue, "review");
        for (const { attempts } of state.effects.values())
          for (const { worker } of attempts) drivers.add(Number(worker.split("/")[1]));
      }
      expect([...drivers].toSorted((a, b) => a - b)).toEqual(world.pids().toSorted((a, b) => a - b));
      expect(world.doorsTaken()).toBe(2);
    });

    it("one is killed while its agent works: the other takes over, and nothing is there twice", async () => {
      const gate = join(world.stage.directory, "go");
      const issue = world.ask({ waitFor: gate });
      await until("the agent to be at work", () => existsSync(`${gate}.waiting`));
      const before = await world.state(issue);
      const attempt = before?.effects.get("implement" as never)?.attempts.at(-1);
      expect(readFileSync(`${gate}.waiting`, "utf8")).toMatch(new RegExp(`/${before?.runId}/implement/1$`));
      const killed = Number(attempt?.worker.split("/")[1]);
      const at = performance.now();
      await world.kill(killed);
      const next = await until("the other one to begin", async () => {
        const last = (await world.state(issue))?.effects.get("implement" as never)?.attempts.at(-1);
        return last?.attempt === 2 ? last : null;
      });
      const tookMs = performance.now() - at;
      process.stdout.write(`replicas: taken over ${(tookMs / 1_000).toFixed(1)} s after kill -9\n`);
      expect(tookMs).toBeLessThan(takeOverMsMax);
      expect(Number(next.worker.split("/")[1])).not.toBe(killed);
      writeFileSync(gate, "");
      await world.reaches(issue, "review");
      await until("the question", () => world.comments(issue).some((body) => body.includes("baton:op=question:")));
      const [pull] = world.pulls(issue);
      world.stage.github.review({
        repository: repositoryName,
        number: pull?.number as number,
        as: "bob",
        event: "APPROVE",
      });
      const state = await until("the run to end", async () => {
        const now = await world.state(issue);
        return now?.outcome == null ? null : now;
      });
      expect(state.outcome?.verdict.status).toBe("passed");
      expect(state.effects.get("implement" as never)?.attempts[0]?.error?.code).toBe("BATON_ATTEMPT_LOST");
      await until("the last words", () => world.comments(issue).some((body) => body.includes("baton:op=final:")));
      const marks = world.comments(issue).map((body) => /baton:op=([a-z]+)/.exec(body)?.[1] ?? "unmarked");
      expect(marks.toSorted((a, b) => a.localeCompare(b))).toEqual(["final", "question", "status"]);
      expect(world.pulls(issue)).toHaveLength(1);
      expect(world.pulls(issue)[0]?.pull?.mergedAt).not.toBeNull();
      const heads = world.checkHeads();
      expect(new Set(heads).size).toBe(heads.length);
      const settled = (await world.store.ledger({ runId: state.runId })).filter(({ kind }) => kind === "settle");
      const charges = settled.map(({ key, attempt: number }) => `${key}/${number}`);
      // The killed attempt costs its reported usage, once.
      expect(charges).toEqual(["plan/1", "implement/1", "implement/2"]);
    });
  },
);

class Replicas {
  readonly stage: Stage;
  readonly store: SqlStore;
  readonly #replicas: BatonProcess[] = [];
  readonly #database: Awaited<ReturnType<typeof createPostgresDatabase>>;
  readonly #db: Kysely<Tables>;
  #balancer: Balancer | null = null;

  private constructor(stage: Stage, database: Awaited<ReturnType<typeof createPostgresDatabase>>) {
    this.stage = stage;
    this.#database = database;
    this.#db = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: database.url, max: 2 }) }),
    });
    // For reading only: it puts nothing into the queue.
    this.store = new SqlStore(this.#db, {
      enqueue: async () => {},
      enqueueAll: async () => {},
      completion: () => sql`select 1`,
    });
  }

  static async start(serverUrl: string): Promise<Replicas> {
    const database = await createPostgresDatabase(serverUrl);
    const stage = await setStage({
      databaseUrl: database.url,
      config: "version: 1\nharness: { default: command }\nmerge: auto\n",
      files: { ...sampleFiles, "cart.js": rightCart },
    });
    const world = new Replicas(stage, database);
    const replicas = await Promise.all(["a", "b"].map((name) => world.#spawn(name)));
    world.#replicas.push(...replicas);
    world.#balancer = await startBalancer(() => replicas.map(({ url }) => url));
    stage.listen(world.#balancer.url);
    return world;
  }

  async close(): Promise<void> {
    await Promise.all(this.pids().map((pid) => this.kill(pid)));
    this.#balancer?.close();
    await this.#db.destroy();
    await this.stage.close();
    await this.#database.drop();
  }

  /** The number of doors at which deliveries arrived. */
  doorsTaken(): number {
    return this.#balancer?.taken.size ?? 0;
  }

  pids(): number[] {
    return this.#replicas.map(({ pid }) => pid);
  }

  async kill(pid: number): Promise<void> {
    const replica = this.#replicas.find((one) => one.pid === pid);
    replica?.kill();
    await replica?.ended;
  }

  /** A new issue with an agent that solves it, and the command. Returns its number. */
  ask(step: { waitFor?: string } = {}): number {
    const { number } = this.stage.github.openIssue({
      repository: repositoryName,
      as: "alice",
      title: "Note it",
      body: "",
    });
    const note = { files: { [`note-${number}.txt`]: "noted\n" }, text: "Noted.", usage };
    writeFileSync(
      this.stage.scriptPath,
      JSON.stringify({ plan: [{ text: planOf("Note it."), usage }], implement: [{ ...note, ...step }] }),
    );
    this.stage.github.comment({ repository: repositoryName, number, as: "alice", body: "/baton run" });
    return number;
  }

  async state(issue: number): Promise<RunState | null> {
    const run = (await this.store.runs({ threadKey: `${this.#repository.id}#${issue}`, limit: 1 }))[0];
    return run === undefined ? null : fold(await this.store.read(run.runId));
  }

  reaches(issue: number, key: string): Promise<RunState> {
    return until(`#${issue} to be at ${key}`, async () => {
      const state = await this.state(issue);
      return state?.open.has(key as never) === true ? state : null;
    });
  }

  pulls(issue: number) {
    return [...this.#repository.threads.values()].filter(
      ({ pull, body }) => pull !== null && (body ?? "").includes(`Closes #${issue}\n`),
    );
  }

  comments(issue: number): string[] {
    return [...this.#repository.comments.values()]
      .filter(({ threadNumber, appId }) => threadNumber === issue && appId !== null)
      .map(({ body }) => body);
  }

  checkHeads(): string[] {
    return [...this.#repository.checkRuns.values()]
      .filter(({ name }) => name === "Baton")
      .map(({ headSha }) => headSha);
  }

  get #repository() {
    const found = [...this.stage.github.state.repositories.values()].find(({ name }) => name === "shop");
    if (found === undefined) throw new Error("no repository");
    return found;
  }

  async #spawn(name: string): Promise<BatonProcess> {
    const replica = new BatonProcess(childPath, {
      ...this.stage.environment,
      BATON_DATA: join(this.stage.directory, name),
      AGENT_SCRIPT: this.stage.scriptPath,
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(this.stage.directory, "compiled"),
    });
    const ready = replica.line("ready ");
    replica.go();
    if ((await ready) === "") throw new Error(`Replica ${name} ended at its start.`);
    return replica;
  }
}

async function until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = AbortSignal.timeout(patienceMs);
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (deadline.aborted) throw new Error(`Waited too long for ${what}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
