/** A calm simulation with one thread in view: what people write, what Baton answers, what its newest run is at. */
import { fold } from "../../src/core/fold.ts";
import type { EffectState, RunState } from "../../src/core/state.ts";
import type { ProcessRegistry } from "../../src/process/process.ts";
import { Simulation } from "./simulation-world.ts";

export class ThreadWorld {
  readonly world: Simulation;

  constructor(options: { more?: string; processes?: ProcessRegistry } = {}) {
    this.world = new Simulation(1, options);
    this.world.wild = false;
  }

  get github() {
    return this.world.github;
  }

  /** Until nothing moves, with ten seconds for what waits a little. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await this.world.pass(2_000);
  }

  async say(body: string, as = "alice", number = 11): Promise<number> {
    const id = this.github.say(number, as, body);
    await this.settle();
    return id;
  }

  runs(number = 11): RunState[] {
    return [...this.world.tables.events.values()]
      .map((journal) => fold(journal))
      .filter(({ thread, parent }) => thread.number === number && parent === null);
  }

  run(number = 11): RunState {
    const found = this.runs(number).at(-1);
    if (found === undefined) throw new Error("no run");
    return found;
  }

  /** The open step of this key, once it is there. */
  async reaches(key: string, number = 11): Promise<EffectState> {
    for (let turn = 0; turn < 200; turn += 1) {
      const run = this.runs(number).at(-1);
      const effect = run?.effects.get(key as never);
      if (run !== undefined && effect !== undefined && run.open.has(effect.key) && this.#isShown(run, effect))
        return effect;
      if (run !== undefined && run.outcome !== null) throw new Error(`The run ended: ${run.outcome.verdict.reason}`);
      for (const { sha } of this.github.ci.values()) this.github.conclude(sha, true);
      await this.world.pass(5_000);
    }
    throw new Error(`Never at ${key}; open: ${[...this.run(number).open].join(", ")}`);
  }

  /** Nobody answers a question that is not there yet; a review is given elsewhere. */
  #isShown({ runId }: RunState, { key, kind, input }: EffectState): boolean {
    const isReview = (input as { subject?: { sha?: string } }).subject?.sha !== undefined;
    if (isReview || (kind !== "ask" && kind !== "breakpoint")) return true;
    return this.words().some((body) => body.includes(`baton:op=question:${runId}:${key} `));
  }

  /** What Baton wrote in a thread, oldest first; the status comments too. */
  words(number = 11): string[] {
    return [...this.github.said.values()]
      .filter((comment) => comment.number === number && comment.author.login === "baton[bot]")
      .map(({ body }) => body);
  }

  /** The answer to one comment. */
  answer(source: number | string): string | null {
    return [...this.github.said.values()].find(({ body }) => body.includes(`baton:op=reply:${source} `))?.body ?? null;
  }

  reactions(): number {
    return [...this.github.reactions.values()].flat().length;
  }
}
