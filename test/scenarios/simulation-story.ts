/** One seeded story: people, CI, deaths, lost answers and delays in any order, and what must hold after each step. */
import type { Tables } from "../../src/adapters/memory/tables.ts";
import type { BreakpointOutput } from "../../src/core/effect.ts";
import { errorCatalogue } from "../../src/core/errors.ts";
import { fold } from "../../src/core/fold.ts";
import type { RunState } from "../../src/core/state.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import { waitingFor } from "../../src/summary/waiting.ts";
import { parseMarker } from "../../src/text/marker.ts";
import { people, person } from "../fakes/small-github.ts";
import { attemptUsdMax, Simulation } from "./simulation-world.ts";

const wildSteps = 250;
const calmSteps = 400;
const issues = [11, 12];

export class Story {
  readonly #seed: number;
  readonly #world: Simulation;
  readonly #folded = new Map<RunId, RunState>();
  readonly #outboxKeys = new Set<string>();

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new Simulation(seed);
  }

  get tables(): Tables {
    return this.#world.tables;
  }

  text(): string {
    return this.#world.story.join("\n");
  }

  /** What was wrong, with the seed; empty when everything held. */
  async run(): Promise<string[]> {
    const world = this.#world;
    for (let step = 0; step < wildSteps; step += 1) {
      this.#somethingHappens();
      await world.pass(world.pick([50, 500, 2_000, 10_000]) ?? 0);
      const wrong = this.#broken();
      if (wrong.length > 0) return this.#report(wrong);
    }
    world.wild = false;
    world.tell("calm");
    for (let step = 0; step < calmSteps && !this.#settled(); step += 1) {
      this.#everybodyDoesTheirPart();
      await world.pass(5_000 + step * 100);
      const wrong = this.#broken();
      if (wrong.length > 0) return this.#report(wrong);
    }
    return this.#report(this.#unfinished());
  }

  #report(wrong: string[]): string[] {
    return wrong.length === 0 ? [] : [`SIMULATION_SEED=${this.#seed}`, ...wrong, ...this.#world.story.slice(-25)];
  }

  #somethingHappens(): void {
    const world = this.#world;
    const { github } = world;
    const dice = world.random.fraction();
    const issue = world.pick(issues) ?? 11;
    const pull = world.pick([...github.pulls.values()].filter(({ state }) => state === "open"));
    if (dice < 0.04) this.#say(issue, "alice", world.pick(["run", "run --budget 1", "retry"]) ?? "run");
    else if (dice < 0.06) {
      const command = world.pick(["pause", "resume", "resume", "cancel", "budget +1", "refresh", "status"]) ?? "status";
      this.#say(issue, world.pick(["alice", "bob", "mallory"]) ?? "bob", command);
    } else if (dice < 0.1 && pull !== undefined) {
      const login = world.pick(["bob", "bob", "bob", "alice", "mallory"]) ?? "bob";
      const sha = world.chance(0.8) ? github.headOf(pull) : (world.pick([...github.ci.keys()]) ?? "");
      const kind = world.chance(0.7) ? "approved" : "changes-requested";
      world.tell(`${login} ${kind} #${pull.number} at ${sha.slice(0, 7)}`);
      github.review(pull.number, login, kind, sha);
    } else if (dice < 0.12 && pull !== undefined) {
      const sha = github.newSha();
      world.tell(`bob pushes ${sha.slice(0, 7)} to ${pull.head}`);
      github.push(pull.head, sha, person("bob"));
    } else if (dice < 0.3) {
      const pending = [...github.ci.values()].filter(({ status }) => status !== "completed");
      const check = world.pick(pending);
      if (check !== undefined) github.conclude(check.sha, world.chance(0.75));
    } else if (dice < 0.34) world.crash();
  }

  #say(issue: number, login: string, command: string): void {
    this.#world.tell(`@${login} in #${issue}: /baton ${command}`);
    this.#world.github.say(issue, login, `/baton ${command}`);
  }

  /** Once the storm is over: CI ends green, a maintainer approves what waits for a review, what was paused or ran dry goes on. */
  #everybodyDoesTheirPart(): void {
    const { github } = this.#world;
    for (const { sha } of github.ci.values()) github.conclude(sha, true);
    for (const state of this.#states()) {
      const issue = state.thread.number;
      if (state.outcome !== null) continue;
      for (const key of state.open) {
        const effect = state.effects.get(key);
        const subject = (effect?.input as { subject?: { pullRequest?: number; sha?: string } }).subject;
        if (effect?.kind !== "breakpoint" || subject?.pullRequest === undefined) continue;
        const { pullRequest, sha = "" } = subject;
        const pull = github.pulls.get(pullRequest);
        // Nobody approves what they pushed themselves.
        const pushedBy = github.pushers.get(`${pull?.head}@${sha}`)?.login;
        const reviewer = pushedBy === "bob" ? "carol" : "bob";
        const lastOf = (login: string) => pull?.reviews.filter(({ author }) => author.login === login).at(-1);
        if (lastOf(reviewer)?.state !== "approved" || lastOf(reviewer)?.sha !== sha)
          github.review(pullRequest, reviewer, "approved", sha);
        for (const login of ["alice", "bob", "mallory"])
          if (lastOf(login)?.state === "changes-requested") github.review(pullRequest, login, "approved", sha);
      }
      // Said once in a while only: each is a command of its own.
      if (this.#world.chance(0.1) && state.status === "paused") this.#say(issue, "bob", "resume");
      else if (this.#world.chance(0.1) && waitingFor(state).some(({ kind }) => kind === "money"))
        this.#say(issue, "bob", "budget +5");
    }
  }

  #states(): RunState[] {
    const { tables } = this.#world;
    for (const [runId, journal] of tables.events) {
      if (this.#folded.get(runId)?.position === journal.length) continue;
      // Throws when schema, chain or count do not hold.
      this.#folded.set(runId, fold(tables.read(runId, 0)));
    }
    return [...this.#folded.values()];
  }

  /** What must hold at every moment. */
  #broken(): string[] {
    const { tables, github } = this.#world;
    const wrong: string[] = [];
    const states = this.#states();
    for (const number of issues) {
      const active = states.filter(({ thread, outcome }) => thread.number === number && outcome === null);
      if (active.length > 1) wrong.push(`${active.length} active runs in #${number}`);
      const holder = tables.threads.get(`7#${number}`);
      if (active.length === 1 && holder !== active[0]?.runId) wrong.push(`#${number} is held by ${holder}`);
    }
    for (const state of states) {
      const { runId, position, money } = state;
      const row = tables.runRows.get(runId);
      if (row === undefined || row.position !== position)
        wrong.push(`${runId}: row ${row?.position}, journal ${position}`);
      const settled = tables.ledgerRows.filter((entry) => entry.runId === runId && entry.kind === "settle");
      const spent = settled.reduce((sum, { usd }) => sum + usd, 0);
      if (Math.abs(spent - money.spentUsd) > 1e-9) wrong.push(`${runId}: ledger ${spent}, journal ${money.spentUsd}`);
      if (spent > money.budgetUsd + attemptUsdMax + 1e-9) wrong.push(`${runId}: spent ${spent} of ${money.budgetUsd}`);
      const charged = settled.map(({ key, attempt, model }) => `${key}/${attempt}/${model}`);
      if (new Set(charged).size !== charged.length) wrong.push(`${runId}: charged twice: ${charged.join(" ")}`);
      for (const effect of state.effects.values()) wrong.push(...this.#approvalWrong(state, effect));
    }
    for (const pull of github.pulls.values()) {
      if (pull.mergedSha === null) continue;
      const { mergedSha } = pull;
      const by = pull.reviews.some(
        ({ sha, state, author }) =>
          sha === mergedSha && state === "approved" && people[author.login]?.permission === "maintain",
      );
      if (!by) wrong.push(`#${pull.number} was merged at ${mergedSha} without a maintainer's approval of it`);
      if (github.ci.get(mergedSha)?.conclusion !== "success")
        wrong.push(`#${pull.number} was merged without a green check`);
    }
    for (const key of this.#outboxKeys) if (!tables.outbox.has(key)) wrong.push(`outbox row ${key} is gone`);
    for (const key of tables.outbox.keys()) this.#outboxKeys.add(key);
    return wrong;
  }

  #approvalWrong(state: RunState, effect: RunState["effects"] extends Map<unknown, infer E> ? E : never): string[] {
    if (effect.kind !== "breakpoint" || effect.status !== "succeeded") return [];
    const output = effect.output as unknown as BreakpointOutput;
    if (output.decision !== "approved") return [];
    const { subject } = effect.input as { subject: { sha?: string; pullRequest?: number } };
    const given = this.#world.github.pulls
      .get(subject.pullRequest ?? 0)
      ?.reviews.find(({ id }) => id === output.reviewId);
    const right =
      output.sha === subject.sha &&
      given?.sha === subject.sha &&
      given?.author.id === output.by?.id &&
      output.by?.id !== state.requestedBy.id &&
      people[output.by?.login ?? ""]?.permission === "maintain";
    return right
      ? []
      : [`${state.runId} ${effect.key}: approved at ${output.sha} by ${output.by?.login}, review at ${given?.sha}`];
  }

  #settled(): boolean {
    const { tables, lost, underWay } = this.#world;
    return (
      lost.length + underWay.length === 0 &&
      [...tables.deliveries.values()].every(({ state }) => state !== "received") &&
      [...tables.outbox.values()].every(({ state }) => state !== "pending") &&
      this.#states().every(({ outcome }) => outcome !== null) &&
      [...tables.runRows.values()].every(({ status }) => !["running", "waiting", "paused"].includes(status))
    );
  }

  /** What must hold once everybody did their part and time has passed. */
  #unfinished(): string[] {
    const { tables, github } = this.#world;
    const wrong: string[] = [];
    for (const state of this.#states()) {
      const waits = waitingFor(state).map(({ kind, key, sentence }) => `${kind} ${key}: ${sentence}`);
      if (state.outcome === null)
        wrong.push(`${state.runId} (#${state.thread.number}) is ${state.status}; ${waits.join("; ")}`);
      const row = tables.runRows.get(state.runId);
      if (row?.status !== state.status) wrong.push(`${state.runId}: row ${row?.status}, journal ${state.status}`);
      if (state.money.reservedUsd > 1e-9) wrong.push(`${state.runId}: ${state.money.reservedUsd} still reserved`);
    }
    if (tables.threads.size > 0) wrong.push(`threads still held: ${[...tables.threads].join(" ")}`);
    for (const { operationKey, state, error } of tables.outbox.values())
      if (state !== "done") wrong.push(`outbox ${operationKey} is ${state}: ${error}`);
    for (const { guid, event, state, note } of tables.deliveries.values())
      if (state !== "handled") wrong.push(`delivery ${guid} ${event} is ${state}: ${note}`);
    const marks = [...github.said.values()]
      .filter(({ appId }) => appId !== null)
      .map(({ body }) => parseMarker(body) ?? "none");
    for (const { body, appId } of github.said.values())
      if (appId !== null && body.includes(errorCatalogue.BATON_INTERNAL.remedy)) wrong.push(`a fault is told: ${body}`);
    if (new Set(marks).size !== marks.length)
      wrong.push(`comments twice: ${marks.toSorted((a, b) => a.localeCompare(b)).join(" ")}`);
    for (const { runId } of this.#states())
      for (const kind of ["status", "final"])
        if (!marks.includes(`${kind}:${runId}`)) wrong.push(`${runId} has no ${kind} comment`);
    for (const { content, externalId, sha } of github.checkRuns)
      if (content.status !== "completed") wrong.push(`check run of ${externalId} at ${sha} is ${content.status}`);
    const heads = github.checkRuns.map(({ externalId, sha }) => `${externalId} ${sha}`);
    if (new Set(heads).size !== heads.length) wrong.push("a check run twice at one head");
    if ([...tables.jobs.values()].some(({ state }) => state === "active")) wrong.push("a job is still in hand");
    return wrong;
  }
}
