/**
 * One or two Batons on one database, four runs at once, and blows: SIGKILL or a pause at counted instants.
 *
 * Owns: processes, instants, the work under way at each blow. Does not own: when (`plan.ts`), people (`people.ts`), the
 * contents of the store (`stored-facts.ts`), the surroundings that outlive every Baton (`scene.ts`), the promises
 * (`oracle.ts`).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { Stage } from "../../../packages/local-github/demo/world.ts";
import { processIds } from "../../../src/adapters/child/process-table.ts";
import { limits } from "../../../src/core/limits.ts";
import { builtProgram } from "../../built-program.ts";
import { type Balancer, startBalancer } from "../../scenarios/balancer.ts";
import { BatonProcess } from "../../scenarios/baton-process.ts";
import type { Acknowledged, Sabotage } from "../../scenarios/sabotage.ts";
import { Draw } from "../draw.ts";
import type { Facts } from "./oracle.ts";
import { People } from "./people.ts";
import { type Aim, isHit, type Strike } from "./plan.ts";
import { lanes, type Scene, setScene } from "./scene.ts";
import type { ModelService } from "./service.ts";
import { allSent, storedFacts } from "./stored-facts.ts";

const childSource = fileURLToPath(new URL("../../scenarios/baton-child.ts", import.meta.url));
/** The longest wait for an instant. After that, the blow falls on the current work. */
const aimPatienceMs = 3_000;
/** After this time, all processes of an attempt must have followed their Baton. Its supervisor needs some rounds for that. */
const agentPatienceMs = 10_000;
/** Longer than the time between two edits of one status comment, so the last edit is out. */
const quietMs = limits.statusEditIntervalMs + 1_000;
/** If nothing visible moves for this time, nothing moves. The machine may be busy with other things. */
const patienceMsDefault = 90_000;
/** Two and a half windows of the write budget. */
const sendMs = 150_000;
/** Leases end ten times sooner. Four hurried runs would exceed GitHub's limits, so they do not wait for them. */
const limitsOfChildren: Partial<Record<keyof typeof limits, number>> = {
  leaseMs: 3_000,
  leaseRenewMs: 1_000,
  contentWritesPerMinuteMax: 100_000,
  contentWritesPerHourMax: 100_000,
};

export interface FleetOptions {
  seed: number;
  /** null: the embedded database. */
  databaseUrl: string | null;
  replicas: number;
  strikes: readonly Strike[];
  sabotage?: Sabotage;
  patienceMs?: number;
  say(line: string): void;
}

export interface FleetResult {
  runs: number;
  kills: number;
  pauses: number;
  /** For each kind of work under way, the number of blows during it. */
  underWay: Map<string, number>;
  busy: number;
  /** Agents alive at a kill, and the number of them that outlived their Baton. */
  agents: number;
  survivors: number;
  facts: Facts;
}

export async function runFleet(options: FleetOptions): Promise<FleetResult> {
  const fleet = await Fleet.open(options);
  try {
    return await fleet.run();
  } finally {
    await fleet.close();
  }
}

interface Armed extends Strike {
  passed: number;
  strike(): void;
}

class Fleet {
  readonly #options: FleetOptions;
  readonly #stage: Stage;
  readonly #service: ModelService;
  readonly #people: People;
  readonly #writes: ReadonlySet<object>;
  readonly #acknowledged = new Map<string, { position: number; hash: string }[]>();
  /** Number of the attempt at each paid step that has not ended. */
  readonly #attempts = new Map<string, number>();
  readonly #replicas: (BatonProcess | null)[];
  readonly #result: Omit<FleetResult, "runs" | "facts"> = {
    kills: 0,
    pauses: 0,
    underWay: new Map(),
    busy: 0,
    agents: 0,
    survivors: 0,
  };
  readonly #childPath: string;
  #standBy: BatonProcess | null = null;
  #balancer: Balancer | null = null;
  #armed: Armed | null = null;
  #closing = false;
  #fault: Error | null = null;

  private constructor(options: FleetOptions, { stage, service, writes }: Scene, childPath: string) {
    this.#options = options;
    this.#childPath = childPath;
    this.#stage = stage;
    this.#service = service;
    this.#writes = writes;
    this.#people = new People(stage, new Draw(options.seed, "people"), lanes);
    this.#replicas = Array.from({ length: options.replicas }, () => null);
  }

  static async open(options: FleetOptions): Promise<Fleet> {
    let fleet: Fleet | null = null;
    const scene = await setScene(options.seed, options.databaseUrl, (aim) => fleet?.instant(aim));
    fleet = new Fleet(options, scene, await builtProgram(childSource));
    return fleet;
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const child of [...this.#replicas, this.#standBy]) {
      child?.goOn();
      child?.kill();
      await child?.ended;
    }
    await this.#agentsGone();
    this.#balancer?.close();
    await this.#service.close();
    await this.#stage.close();
  }

  async run(): Promise<FleetResult> {
    const { strikes, say } = this.#options;
    if (this.#replicas.length > 1) {
      this.#balancer = await startBalancer(() => this.#replicas.map((replica) => replica?.url ?? null));
      this.#stage.listen(this.#balancer.url);
    }
    for (let index = 0; index < this.#replicas.length; index += 1) await this.#begin(index);
    for (const [index, strike] of strikes.entries()) {
      // Its runs do not end, which the facts show.
      if (!(await this.#await(strike))) break;
      if ((index + 1) % 10 === 0)
        say(`${index + 1} of ${strikes.length} blows, ${this.#people.begun} runs begun, ${this.#result.busy} busy`);
    }
    await this.#finish();
    return { ...this.#result, runs: this.#people.begun, facts: await this.#facts() };
  }

  /** Something happened at one of the edges. */
  instant(aim: Aim): void {
    const armed = this.#armed;
    if (armed === null) return;
    armed.passed += 1;
    if (armed.passed < armed.after || !isHit(armed.aim, aim)) return;
    // By design, an agent that is lost too often ends its run. So the last attempts get no blow.
    if (Math.max(0, ...this.#attempts.values()) >= limits.attemptsPerEffectMax - 1) return;
    this.#armed = null;
    if (armed.delayMs === 0) armed.strike();
    else setTimeout(() => armed.strike(), armed.delayMs);
  }

  /** Lives on until this blow has fallen and its Baton is back. False: nothing moves any longer. */
  async #await(strike: Strike): Promise<boolean> {
    const struck = Promise.withResolvers<void>();
    const child = this.#replicas[strike.replica] ?? null;
    if (child === null) throw new Error("Nobody is there.");
    this.#armed = {
      ...strike,
      passed: 0,
      strike: () => {
        this.#note(strike.pauseMs !== null);
        if (strike.pauseMs === null) child.kill();
        else child.pause();
        struck.resolve();
      },
    };
    if (!(await this.#live(struck.promise, this.#armed))) return false;
    if (strike.pauseMs !== null) {
      await this.#live(delay(strike.pauseMs), null);
      child.goOn();
      return true;
    }
    this.#replicas[strike.replica] = null;
    await child.ended;
    // With two, the other's agents live on.
    if (this.#replicas.length === 1) this.#result.survivors += await this.#agentsGone();
    if (this.#replicas.length === 1 && this.#options.databaseUrl !== null) await this.#forgetJobsInHand();
    await this.#begin(strike.replica);
    return true;
  }

  /** People look at their threads until `until`. A blow whose instant does not come falls on anything. False: nothing moves. */
  async #live(until: Promise<unknown>, armed: Armed | null): Promise<boolean> {
    const { patienceMs = patienceMsDefault } = this.#options;
    const begun = performance.now();
    let movedAt = performance.now();
    let shown = "";
    for (;;) {
      if (this.#fault !== null) throw this.#fault;
      this.#people.look(true);
      if ((await Promise.race([until.then(() => true), delay(60).then(() => false)])) === true) return true;
      if (armed !== null && performance.now() > begun + aimPatienceMs)
        Object.assign(armed, { aim: "anything", after: 1 });
      const now = this.#people.shown();
      if (now !== shown) movedAt = performance.now();
      shown = now;
      if (performance.now() > movedAt + patienceMs) return false;
    }
  }

  /** No more blows: every run ends, and GitHub gets no further request. A run that does not end is lost. */
  async #finish(): Promise<void> {
    const { patienceMs = patienceMsDefault } = this.#options;
    let shown = "";
    for (let movedAt = performance.now(); this.#people.atWork > 0; await delay(60)) {
      if (this.#fault !== null) throw this.#fault;
      this.#people.look(false);
      const now = this.#people.shown();
      if (now !== shown) movedAt = performance.now();
      shown = now;
      if (performance.now() > movedAt + patienceMs) break;
    }
    // If many writes are due, edits wait for the next minute of the budget. So silence does not mean the end.
    if (this.#options.databaseUrl !== null) await allSent(this.#options.databaseUrl, sendMs);
    else await this.#saysAllSent(Math.min(sendMs, patienceMs));
    const { log } = this.#stage.github;
    for (let asked = -1; asked !== log.length; await delay(quietMs)) asked = log.length;
    this.#closing = true;
    for (const [index, child] of this.#replicas.entries()) {
      child?.kill();
      await child?.ended;
      this.#replicas[index] = null;
    }
  }

  /** Only its own process reads the embedded database. On a busy machine, silence toward GitHub does not mean the end. */
  async #saysAllSent(withinMs: number): Promise<void> {
    this.#unsent = null;
    for (const until = performance.now() + withinMs; performance.now() < until; await delay(200))
      if (this.#unsent === 0) return;
  }

  /** Starts the standby process. Another one then stands by. */
  async #begin(index: number): Promise<void> {
    const child = this.#standBy ?? this.#spawn();
    this.#standBy = this.#spawn();
    const ready = child.line("ready ");
    child.go();
    const url = await ready;
    if (url === "") throw this.#fault ?? new Error("A Baton ended at its start.");
    this.#replicas[index] = child;
    if (this.#balancer === null) this.#stage.listen(url);
    // GitHub does not resend by itself. The App's poll for missed deliveries does that after some minutes, and this call at
    // once.
    const { deliveries } = this.#stage.github;
    const isThrough = ({ statusCode }: { statusCode: number }): boolean => statusCode >= 200 && statusCode <= 299;
    const through = new Set(deliveries.filter(isThrough).map(({ guid }) => guid));
    const missed = new Map(deliveries.filter(({ guid }) => !through.has(guid)).map((one) => [one.guid, one]));
    for (const { id } of missed.values()) this.#stage.github.redeliver(id);
  }

  #spawn(): BatonProcess {
    const { sabotage } = this.#options;
    const child: BatonProcess = new BatonProcess(
      this.#childPath,
      {
        ...this.#stage.environment,
        BATON_DATA: join(this.#stage.directory, this.#replicas.length > 1 ? `data-${(this.#spawned += 1)}` : "data"),
        CHILD_TELLS: "1",
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(this.#stage.directory, "compiled"),
        CHILD_LIMITS: JSON.stringify(limitsOfChildren),
        ...(sabotage === undefined ? {} : { CHILD_SABOTAGE: sabotage }),
      },
      (line) => this.#heard(line),
    );
    void child.ended.then(() => {
      if (!this.#closing && this.#replicas.includes(child) && !child.wasKilled)
        this.#fault = new Error("A Baton ended by itself.");
    });
    return child;
  }

  #spawned = 0;
  /** The last word of a Baton about its outbox. null: none was heard since the end of the runs. */
  #unsent: number | null = null;

  #heard(line: string): void {
    if (line.startsWith("unsent ")) this.#unsent = Number(line.slice("unsent ".length));
    if (!line.startsWith("ack ")) return;
    const { runId, events } = JSON.parse(line.slice(4)) as Acknowledged;
    const known = this.#acknowledged.get(runId) ?? [];
    this.#acknowledged.set(runId, known);
    for (const { position, hash, type, key, attempt, paid } of events) {
      known.push({ position, hash });
      const step = `${runId}/${key}`;
      if (type === "effect.started" && paid === true) this.#attempts.set(step, attempt ?? 0);
      if (type === "effect.succeeded" || type === "effect.failed" || type === "effect.cancelled")
        this.#attempts.delete(step);
    }
  }

  /** Counts the work under way at a blow. */
  #note(isPause: boolean): void {
    const agents = this.#agents();
    const pushes = this.#stage.github.log
      .slice(-200)
      .some(({ path, status }) => path.endsWith("/git-receive-pack") && status === 0);
    const under = [
      ...(agents.length > 0 ? ["agent"] : []),
      ...(pushes ? ["push"] : []),
      ...(this.#writes.size > 0 ? ["GitHub write"] : []),
    ];
    const name = under.join(" + ") || "neither";
    const { underWay } = this.#result;
    underWay.set(name, (underWay.get(name) ?? 0) + 1);
    if (under.length > 0) this.#result.busy += 1;
    this.#result.agents += agents.length;
    this.#result[isPause ? "pauses" : "kills"] += 1;
  }

  /** Processes of attempts of this world. */
  #agents(): number[] {
    return processIds().filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
        return environment.includes("\0BATON_ATTEMPT=") && environment.includes(this.#stage.directory);
      } catch {
        return false;
      }
    });
  }

  /** The number of them that do not end. */
  async #agentsGone(): Promise<number> {
    for (const until = performance.now() + agentPatienceMs; performance.now() < until; await delay(20))
      if (this.#agents().length === 0) return 0;
    return this.#agents().length;
  }

  /** The queue's own monitor does it after 25 s. Use it only if nobody else has jobs in hand. */
  async #forgetJobsInHand(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#options.databaseUrl as string });
    await client.connect();
    await client.query("update pgboss.job set state = 'retry', start_after = now() where state = 'active'");
    await client.end();
  }

  async #facts(): Promise<Facts> {
    const people = this.#people;
    const runs = {
      databaseUrl: this.#options.databaseUrl,
      dataDir: join(this.#stage.directory, "data"),
      acknowledged: this.#acknowledged,
      issueOf: (threadKey: string) => people.issueOf(threadKey),
    };
    return { threads: people.facts(), answered: this.#service.answered(), ...(await storedFacts(runs)) };
  }
}
