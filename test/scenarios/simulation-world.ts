/**
 * A whole Baton in one thread of time: the real engine, a store in memory, and fakes at every edge. A seed decides every
 * accident: deaths at any call, lost answers, delays, and lost, repeated or late webhooks. People and CI act in between.
 *
 * Owns: lives of the App and their accidents. Does not own: the acts of people and the promises (`simulation.test.ts`).
 */
import { setImmediate as macrotask } from "node:timers/promises";
import { builtInProcesses } from "../../processes/index.ts";
import { JobLoop } from "../../src/adapters/memory/job-loop.ts";
import { createMemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { Tables } from "../../src/adapters/memory/tables.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { BatonError } from "../../src/core/errors.ts";
import { startEngine } from "../../src/engine.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Store } from "../../src/ports/store.ts";
import type { ProcessRegistry } from "../../src/process/process.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { SeededRandom } from "../fakes/random.ts";
import { type News, SmallGithub } from "../fakes/small-github.ts";
import { SmallDisk, smallAgent, smallWorkspaces } from "../fakes/small-machine.ts";

/** A job returns to the queue if its worker is silent for this time, as in the durable queue. */
const heartbeatMs = 15_000;
export const attemptUsdMax = 0.4;

const config = `version: 1
harness: { default: command }
merge: auto
gates: { appearSeconds: 60 }
budget: { runUsd: 2, maxUsd: 50 }
limits: { attemptUsd: 0.2 }
`;

export class Simulation {
  readonly random: SeededRandom;
  readonly clock = new ManualClock();
  readonly tables = new Tables();
  readonly github: SmallGithub;
  readonly disk = new SmallDisk();
  /** Webhooks under way, with the time at which they arrive. */
  readonly underWay: { news: News; at: number }[] = [];
  /** Lost webhooks, which the poll for missed ones finds. */
  readonly lost: News[] = [];
  /** Accidents happen only while true. */
  wild = true;
  readonly story: string[] = [];
  readonly #replicas: (Life | null)[];
  #lives = 0;
  #calls = 0;

  /** The processes of later lives. */
  processes: ProcessRegistry;

  /** `more` is added to `baton.yaml`. */
  constructor(
    seed: number,
    { more = "", processes = builtInProcesses() }: { more?: string; processes?: ProcessRegistry } = {},
  ) {
    this.random = new SeededRandom(seed);
    this.processes = processes;
    this.github = new SmallGithub(`${config}${more}`, () => this.clock.now());
    // Every third world has two replicas, which know each other only by leases.
    this.#replicas = seed % 3 === 0 ? [null, null] : [null];
  }

  chance(probability: number): boolean {
    return this.random.fraction() < probability;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random.fraction() * list.length)];
  }

  tell(text: string): void {
    this.story.push(`${((this.clock.now() - Date.UTC(2026, 0, 1)) / 1_000).toFixed(1)}s ${text}`);
  }

  /** Time passes: webhooks arrive, dead replicas restart, and all due work runs until nothing moves. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let index = 0; index < this.#replicas.length; index += 1) {
      const life = this.#replicas[index];
      if (life?.dead === false) continue;
      // A dead replica comes back after a while.
      if (life == null || !this.wild || this.chance(0.3)) this.#replicas[index] = this.#begin();
    }
    this.#sendNews();
    await this.#arrive();
    for (const { id, by, at } of this.#inHand) if (by.dead && this.clock.now() > at + heartbeatMs) this.#giveBack(id);
    for (const life of this.#replicas) life?.loop.poke();
    await this.#quiet();
  }

  /** Ends a life at one of its next calls. */
  crash(): void {
    const life = this.pick(this.#replicas.filter((one) => one?.dead === false));
    if (life != null) life.callsLeft = Math.floor(this.random.fraction() * 30);
  }

  /** Ends all lives now. Others begin with the next step of time. */
  restart(): void {
    for (const life of this.#replicas) if (life !== null) void this.#die(life, "now");
  }

  get living(): number {
    return this.#replicas.filter((life) => life?.dead === false).length;
  }

  /**
   * Hangs forever after the end of the life. Otherwise it answers as the outside would, soon or late, with or without an
   * answer.
   */
  async call<T>(life: Life, what: string, work: () => Promise<T>, outside: boolean): Promise<T> {
    if (life.dead) return never();
    this.#calls += 1;
    life.callsLeft -= 1;
    const dies = life.callsLeft === 0;
    const before = dies && this.chance(0.5);
    if (before) return this.#die(life, `before ${what}`);
    if (outside && this.wild) {
      if (this.chance(0.3)) await this.clock.sleepUntil(this.clock.now() + this.random.fraction() * 2_000);
      if (life.dead) return never();
      if (this.chance(0.02)) throw new BatonError("BATON_GITHUB_UNAVAILABLE", `${what}: 503`);
    }
    if (!outside && this.wild && this.chance(0.002))
      throw new BatonError("BATON_DATABASE_UNAVAILABLE", `${what}: no connection`);
    const result = await work();
    if (dies) return this.#die(life, `after ${what}`);
    if (life.dead) return never();
    if (outside && this.wild && this.chance(0.02))
      throw new BatonError("BATON_GITHUB_UNAVAILABLE", `${what}: no answer, though it was done`);
    if (!outside && this.wild && this.chance(0.002))
      throw new BatonError("BATON_DATABASE_UNAVAILABLE", `${what}: the connection broke after the commit`);
    return result;
  }

  #begin(): Life {
    this.#lives += 1;
    const owner = `life-${this.#lives}`;
    this.tell(`${owner} begins`);
    const soleOwner = this.#replicas.length === 1;
    // Alone on this database, Baton gets the dead one's jobs at once.
    if (soleOwner) this.tables.abandonJobs();
    const life: Life = { owner, dead: false, callsLeft: -1, loop: undefined as never };
    const clock: Clock = {
      now: () => this.clock.now(),
      sleepUntil: async (at, signal) => {
        await this.clock.sleepUntil(at, signal);
        if (life.dead) return never();
      },
    };
    const loop = new JobLoop({
      clock,
      log: silentLog,
      source: {
        pending: () => (life.dead ? [] : [...this.tables.jobs.values()].filter(({ state }) => state !== "active")),
        begin: (id) => {
          this.tables.beginJob(id);
          this.#inHand.push({ id, by: life, at: clock.now() });
        },
        complete: (id) => {
          if (!life.dead) this.tables.completeJob(id);
        },
        bringBack: (id, startAt) => {
          if (!life.dead) this.tables.bringBackJob(id, startAt);
        },
      },
    });
    life.loop = loop;
    const mortal = <T extends object>(name: string, target: T, outside: boolean): T =>
      new Proxy(target, {
        get: (object, key) => {
          const member = Reflect.get(object, key) as unknown;
          if (typeof member !== "function") return member;
          // Not a call, but an object with calls of its own.
          if (key === "setup") return (): object => mortal(`${name}.setup`, this.github.setup(), outside);
          // They read and write nothing, so nobody dies there.
          if (key === "journaled" || key === "keptBlob") return member.bind(object) as unknown;
          return (...args: unknown[]) =>
            this.call(
              life,
              `${name}.${String(key)}`,
              () => Reflect.apply(member, object, args) as Promise<unknown>,
              outside,
            );
        },
      });
    const github = mortal("github", this.github, true);
    const agent = smallAgent({
      disk: this.disk,
      clock,
      random: this.random,
      costUsdMax: attemptUsdMax,
      failing: () => (this.wild ? 0.1 : 0),
    });
    const dependencies: Dependencies = {
      store: mortal<Store>("store", createMemoryStore({ clock, tables: this.tables, loop }), false),
      queue: loop,
      clock,
      random: this.random,
      log: silentLog,
      github: { ...this.github.app(), installation: async () => github },
      workspaces: mortal("git", smallWorkspaces(this.disk, this.github), true),
      harnesses: new Map([["command", agent]]),
      repositoryCommands: false,
      processes: this.processes,
      redact: (text) => text,
      settle: async () => {
        // A long journal is replayed without a call, which does not count as quiet.
        this.#calls += 1;
        await macrotask();
      },
      killSurvivors: async () => 0,
      owner,
      soleOwner,
    };
    life.store = dependencies.store;
    // A life that cannot begin is over. The next one tries again.
    startEngine(dependencies).catch((thrown: unknown) => void this.#die(life, `at its start: ${String(thrown)}`));
    return life;
  }

  #die(life: Life, where: string): Promise<never> {
    life.dead = true;
    void life.loop.stop(0);
    this.tell(`${life.owner} dies ${where}`);
    return never();
  }

  readonly #inHand: { id: string; by: Life; at: number }[] = [];

  #giveBack(id: string): void {
    this.#inHand.splice(
      this.#inHand.findIndex((held) => held.id === id),
      1,
    );
    if (!this.#inHand.some((held) => held.id === id && !held.by.dead)) this.tables.bringBackJob(id, this.clock.now());
  }

  #sendNews(): void {
    for (const news of this.github.news.splice(0)) {
      const copies = this.wild && this.chance(0.1) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        if (this.wild && this.chance(0.1)) this.lost.push(news);
        else
          this.underWay.push({ news, at: this.clock.now() + (this.wild ? this.random.fraction() ** 4 * 60_000 : 0) });
      }
    }
    // The poll for missed deliveries.
    if (!this.wild || this.chance(0.01)) for (const news of this.lost.splice(0)) this.underWay.push({ news, at: 0 });
  }

  async #arrive(): Promise<void> {
    for (const parcel of this.underWay.filter(({ at }) => at <= this.clock.now())) {
      this.underWay.splice(this.underWay.indexOf(parcel), 1);
      const life = this.pick(this.#replicas.filter((one) => one?.dead === false));
      const { news } = parcel;
      let kept = false;
      life?.store
        ?.insertDelivery(
          {
            hook: "1",
            guid: news.guid,
            event: news.event,
            action: null,
            installationId: 3,
            payload: JSON.stringify(news.payload),
            receivedAt: this.clock.now(),
          },
          { queue: "delivery", data: { hook: "1", guid: news.guid } },
        )
        .then(() => {
          kept = true;
        })
        .catch(() => {});
      await macrotask();
      // No 2xx: GitHub does not resend it by itself.
      if (!kept) this.lost.push(news);
    }
  }

  /** Until there are no more calls. After that, everything waits for the clock. */
  async #quiet(): Promise<void> {
    for (let still = 0, calls = this.#calls; still < 4; ) {
      await macrotask();
      still = calls === this.#calls ? still + 1 : 0;
      calls = this.#calls;
    }
  }
}

export interface Life {
  owner: string;
  dead: boolean;
  /** Dies when it reaches 0. Never while it is negative. */
  callsLeft: number;
  loop: JobLoop;
  store?: Store;
}

function never(): Promise<never> {
  return new Promise(() => {});
}
