/**
 * Drives one leased run: starts what is due, takes results as they arrive, stops when only others can move it.
 *
 * Owns: running attempts of this process, observation rhythm, money before dispatch, the end of a run.
 * Does not own: leases and which runs to drive (`runner.ts`), how an effect is carried out (`perform/`), child runs
 * (`child-runs.ts`).
 * L1 An attempt starts only after its `effect.started` is durable (J1), with its reservation in the same append.
 * L2 When the lease is lost, every running attempt is aborted and nothing more is appended.
 * L3 A run is left only with its index row, its wake-up and its status comment written.
 * L4 While it is driven, what is shown is behind by at most half a second.
 * L7 An agent that works on this machine has a slot from before its start to its end. What waits for one is shown with its reason.
 * L6 Money is spent only where the thread takes what Baton says.
 * L5 What is looked at is watched first: a fact that changes after the look finds the run, one that changed before is seen.
 */

import {
  answer,
  attemptEnded,
  endShield,
  expire,
  isOver,
  judged,
  lostAttempts,
  neededUsd,
  observe,
  progress,
  routed,
  stop,
  unsettled,
} from "../core/decide.ts";
import { type Due, due, nextWakeAt } from "../core/due.ts";
import { BatonError, hasCode, toBatonError } from "../core/errors.ts";
import type { PartialWork, RunEvent, StoredEvent } from "../core/event.ts";
import { limits } from "../core/limits.ts";
import type { Priority } from "../core/priority.ts";
import type { EffectState } from "../core/state.ts";
import type { EffectKey, Usage, Verdict } from "../core/vocabulary.ts";
import type { Allowance } from "../money/allowance.ts";
import { budgetWarnings } from "../money/budget.ts";
import { startAttempt } from "../money/metering.ts";
import type { TransactionWrites } from "../ports/store.ts";
import { ChildRuns, type OtherRuns } from "./child-runs.ts";
import { isClosed, threadClosed } from "./closed-thread.ts";
import { withDay } from "./day-budget.ts";
import type { Dependencies } from "./dependencies.ts";
import { observePerformers, workPerformers } from "./perform/index.ts";
import { meterAttempt } from "./perform/meter-attempt.ts";
import { attemptMarker, type PerformContext, type WorkPerformer } from "./perform/performer.ts";
import { afterLag } from "./perform/replica-lag.ts";
import { remoteWorker } from "./remote/claims.ts";
import type { Decide, RunActor } from "./run-actor.ts";
import { finishRun, leaveRun, publishStatus, runRow } from "./run-outputs.ts";
import { settingsOf } from "./settings-of.ts";
import { Bell } from "./signal.ts";

/** Facts that no webhook told of are looked at again after this; checks and reviews are read with conditional requests. */
const lookAgainMs = 120_000;
const progressEventsMax = 60;
const progressIntervalMs = 15_000;
/** Each milestone is a little later than the one before: sixty reach over two hours. */
const progressSlowdown = 1.06;
/** What people see is rendered anew at most this often while effects follow each other: it grows with the run, an effect's cost must not. */
const statusIntervalMs = 500;
const wordsIntervalMs = 100;

export class RunDriver {
  readonly #dependencies: Dependencies;
  readonly #actor: RunActor;
  readonly #bell = new Bell();
  readonly #work = new Map<EffectKey, { controller: AbortController; done: Promise<void> }>();
  readonly #looks = new Map<EffectKey, Promise<void>>();
  readonly #lookedAt = new Map<EffectKey, number>();
  /** What the run's row says that it watches; null until this drive has written it. */
  #watched: string | null = null;
  #stopping: "no" | "left" | "lost" = "no";
  #leaving = false;
  /** Decisions from outside that are being appended. */
  #deciding = 0;
  /** When the status was last put into the outbox, and whether the state changed since. */
  #statusAt = Number.NEGATIVE_INFINITY;
  #statusDue = false;
  #fault: unknown = null;
  /** Agents that have a slot or wait for one. */
  readonly #slots = new Set<EffectKey>();
  readonly #children: ChildRuns;
  /** What is put into the outbox is sent: it can be waited for. */
  readonly #speaks: boolean;
  #awaitsWords = false;
  #heard = false;

  constructor(dependencies: Dependencies, actor: RunActor, runs: OtherRuns, speaks = false) {
    this.#speaks = speaks;
    this.#dependencies = dependencies;
    this.#actor = actor;
    this.#children = new ChildRuns(dependencies, runs, {
      state: () => actor.state,
      isStopping: () => this.#stopping !== "no",
      isLost: () => this.#stopping === "lost",
      change: (decide) => this.#change(decide),
      spent: () => this.#warnOfBudget(),
      show: () => this.#status(),
      waitFor: (key, end) => this.#waitFor(key, end),
    });
  }

  get actor(): RunActor {
    return this.#actor;
  }

  /** Something changed: `facts` says that the outside may have. False when the drive is ending and will not see it. */
  poke(facts: boolean): boolean {
    if (this.#leaving || this.#stopping !== "no") return false;
    if (facts) this.#lookedAt.clear();
    this.#bell.ring();
    return true;
  }

  /** Takes a decision from outside, and does not leave meanwhile; null when the drive is ending and another must take it. */
  async change(decide: Decide): Promise<StoredEvent[] | null> {
    if (this.#leaving || this.#stopping !== "no") return null;
    this.#deciding += 1;
    try {
      return await this.#actor.change(decide);
    } finally {
      this.#deciding -= 1;
      this.poke(true);
    }
  }

  /** `lost`: the lease went to another; `left`: shut down, running work is stopped and resumed by the next owner. */
  stop(why: "left" | "lost"): void {
    this.#stopping = why;
    for (const { controller } of this.#work.values()) controller.abort(why);
    this.#bell.ring();
  }

  /** Resolves when the run waits for others, is over, or was stopped. */
  async drive(): Promise<void> {
    await this.#reapLost();
    this.#waitAgain();
    await this.#change((state) => lostAttempts(state, (_, key) => this.#work.has(key), this.#dependencies.clock.now()));
    await this.#status();
    try {
      while (this.#stopping === "no") {
        if (this.#fault !== null) throw this.#fault;
        await this.#step();
        if (this.#statusDue && this.#dependencies.clock.now() >= this.#nextStatusAt) await this.#writeStatus();
        if (this.#quiet()) {
          this.#leaving = true;
          break;
        }
        await this.#waitForNews();
      }
    } finally {
      // Whatever ends the drive, no child process of it stays.
      if (this.#stopping === "no" && this.#fault !== null) this.stop("left");
      await Promise.all([...this.#work.values()].map(({ done }) => done));
      await Promise.all(this.#looks.values());
      for (const key of this.#slots) this.#leaveSlot(key);
    }
    if (this.#stopping === "lost") return;
    if (isOver(this.#actor.state)) await finishRun(this.#dependencies, this.#actor.state);
    else await leaveRun(this.#dependencies, this.#actor.state, this.#nextLookAt());
  }

  /** A worker that died may have left its agent running: it must not edit, or spend, beside the next attempt. */
  async #reapLost(): Promise<void> {
    const { state } = this.#actor;
    for (const effect of state.effects.values()) {
      const attempt = effect.attempts.at(-1);
      // Stopped a moment ago, when its journal was read: what it left is at work all the same.
      const isStopped = effect.status === "cancelled" && effect.endedAt === state.outcome?.at;
      if ((effect.status === "running" || isStopped) && effect.kind !== "subprocess" && attempt !== undefined)
        await this.#dependencies.killSurvivors(attemptMarker(this.#dependencies, state, effect, attempt.attempt));
    }
  }

  /** Begins all that is due now. */
  async #step(): Promise<void> {
    const { clock } = this.#dependencies;
    for (const [key, { controller }] of this.#work) {
      if (!this.#actor.state.open.has(key)) controller.abort("cancelled");
    }
    const options = { parallelMax: this.#parallelMax() };
    const items = due(this.#actor.state, clock.now(), options);
    this.#leaveUnused(items);
    for (const item of items) {
      if (this.#stopping !== "no") return;
      await this.#begin(item);
    }
    await this.#children.look();
  }

  async #begin(item: Due): Promise<void> {
    if (item.action === "end") {
      await this.#change((state) => endShield(state, this.#dependencies.clock.now()));
      return;
    }
    const effect = this.#actor.state.effects.get(item.key);
    if (effect === undefined || !this.#actor.state.open.has(item.key)) return;
    switch (item.action) {
      case "perform":
        return this.#dispatch(effect, item.attempt);
      case "observe":
        return this.#look(effect);
      case "wake":
        await this.#change((state) =>
          state.open.has(item.key) ? answer(state, item.key, { wokeAt: this.#dependencies.clock.now() }) : [],
        );
        return;
      case "expire":
        await this.#change((state) => (state.open.has(item.key) ? expire(state, item.key) : []));
        return;
      case "child":
        return this.#children.begin(effect);
    }
  }

  async #dispatch(effect: EffectState, attempt: number): Promise<void> {
    if (this.#work.has(effect.key)) return;
    if (effectCosts(effect) && !(await this.#isHeard())) return;
    // A write that was given up and is still on its way ends first: what follows may be there to undo it.
    if (effect.kind === "publish" && this.#isGivenUpWriteUnderWay()) return;
    const performer = workPerformers[effect.kind as keyof typeof workPerformers];
    const wantUsd = performer.estimateUsd(this.#actor.state, effect);
    const worker = this.#isRemote(effect) ? remoteWorker : this.#dependencies.owner;
    const leastUsd = neededUsd(effect.attempts.at(-1)?.error);
    // L7: no money is set aside for one that waits.
    if (!(await this.#isItsTurn(effect))) return;
    const start = (day: Allowance | null, also: TransactionWrites = {}) =>
      this.#change((state) => {
        if (!state.open.has(effect.key)) return [];
        if (wantUsd === 0 || day === null)
          return [{ type: "effect.started", key: effect.key, attempt, worker, reservedUsd: 0 }];
        const othersAtWork = this.#work.size > 0;
        const begun = { key: effect.key, attempt, worker, wantUsd, leastUsd, day, othersAtWork };
        return { events: startAttempt(state, begun), also };
      });
    // What costs nothing waits for no budget.
    const { budget } = settingsOf(this.#actor.state);
    const repositoryId = this.#actor.state.thread.repository.id;
    const started = wantUsd === 0 ? await start(null) : await withDay(this.#dependencies, repositoryId, budget, start);
    if (!started.some(({ event }) => event.type === "effect.started")) {
      this.#leaveSlot(effect.key);
      if (started.length > 0) await this.#status();
      return;
    }
    this.#begun(effect, attempt);
    await this.#status();
  }

  /**
   * L6: before money is spent, the thread has the run's first words. Where GitHub takes none, nothing starts; where it takes no more
   * of them, the run pauses.
   */
  async #isHeard(): Promise<boolean> {
    const { state } = this.#actor;
    if (!this.#speaks || this.#heard || state.parent !== null) return true;
    const row = await this.#dependencies.store.outboxRow(`status:${state.runId}`);
    this.#awaitsWords = row?.state === "pending" && row.result === null;
    if (row === null || row.state !== "failed" || !isClosed(row, row.error ?? "")) {
      // From here on the one who sends the outbox says when the thread closes (`closed-thread.ts`).
      this.#heard = !this.#awaitsWords;
      return this.#heard;
    }
    await threadClosed(this.#dependencies, row, row.error ?? "", async (decide) => {
      await this.#change(decide);
      return this.#actor.state;
    });
    return false;
  }

  /** L7: what waits says so. Work of a runner elsewhere needs no slot here. */
  async #isItsTurn(effect: EffectState): Promise<boolean> {
    const { agentSlots } = this.#dependencies;
    if (agentSlots === undefined || effect.kind !== "agent" || this.#isRemote(effect)) return true;
    const { runId, priority } = this.#actor.state;
    this.#slots.add(effect.key);
    if (agentSlots.request(`${runId}/${effect.key}`, priority, () => this.#bell.ring())) return true;
    const told = await this.#change((state) =>
      state.open.has(effect.key) ? observe(state, effect.key, waitsForTurn(agentSlots.count, priority), null) : [],
    );
    if (told.length > 0) await this.#status();
    return false;
  }

  /** Of effects that were cancelled or paused while they waited, or that another one of their run goes before. */
  #leaveUnused(items: readonly Due[]): void {
    const wanted = new Set(items.flatMap((item) => (item.action === "perform" ? [item.key] : [])));
    for (const key of this.#slots) if (!this.#work.has(key) && !wanted.has(key)) this.#leaveSlot(key);
  }

  #leaveSlot(key: EffectKey): void {
    if (this.#slots.delete(key)) this.#dependencies.agentSlots?.leave(`${this.#actor.state.runId}/${key}`);
  }

  #isGivenUpWriteUnderWay(): boolean {
    const { effects, open } = this.#actor.state;
    return [...this.#work.keys()].some((key) => !open.has(key) && effects.get(key)?.kind === "publish");
  }

  #begun(effect: EffectState, attempt: number): void {
    this.#waitFor(effect.key, (signal) => this.#perform(effect, attempt, signal));
  }

  /** The drive does not end before this has; one of a key at a time. */
  #waitFor(key: EffectKey, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#work.has(key)) return;
    const controller = new AbortController();
    const done = work(controller.signal)
      .catch((thrown: unknown) => this.#fail(thrown))
      .finally(() => {
        this.#work.delete(key);
        this.#leaveSlot(key);
        this.#bell.ring();
      });
    this.#work.set(key, { controller, done });
  }

  #isRemote(effect: EffectState): boolean {
    const performer: WorkPerformer | undefined = workPerformers[effect.kind as keyof typeof workPerformers];
    return performer?.isRemote?.(this.#dependencies, this.#actor.state) === true;
  }

  /** What a worker elsewhere has in hand goes on, whoever drives the run. */
  #waitAgain(): void {
    for (const key of this.#actor.state.open) {
      const effect = this.#actor.state.effects.get(key);
      const attempt = effect?.attempts.at(-1);
      if (effect?.status === "running" && attempt?.worker === remoteWorker) this.#begun(effect, attempt.attempt);
    }
  }

  async #perform(effect: EffectState, attempt: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#dependencies;
    const performer = workPerformers[effect.kind as keyof typeof workPerformers];
    try {
      const result = await performer.perform(await this.#context(effect, attempt, signal)).catch((thrown: unknown) => {
        const error = afterLag(toBatonError(thrown), effect, clock.now());
        if (error.code === "BATON_INTERNAL") log.error("An effect failed unexpectedly", { key: effect.key, error });
        // What it used until then was used: the journal knows of it.
        const usage = unsettled(this.#actor.state.effects.get(effect.key));
        return { ok: false as const, error: error.toData(), usage, kept: null };
      });
      // L2; and at shut-down the next owner finds the attempt lost and begins another, from what this one kept.
      if (this.#stopping === "lost" || (this.#stopping === "left" && this.#isRemote(effect))) return;
      // A write that was not even sent is no try of it.
      if (this.#stopping === "left" && !result.ok && result.error.code === "BATON_GITHUB_LIMITED") return;
      if (this.#stopping === "left" && !result.ok && effect.kind !== "publish") {
        const lost = { code: "BATON_ATTEMPT_LOST" as const, message: "Baton was shut down while this step ran." };
        await this.#change((state) =>
          attemptEnded(state, effect.key, attempt, { ...result, error: lost }, clock.now()),
        );
        return;
      }
      await this.#change((state) => attemptEnded(state, effect.key, attempt, result, clock.now()));
      if (this.#isRemote(effect))
        await performer.settled?.(this.#dependencies, { run: this.#actor.state.runId, effect: effect.key, attempt });
      await this.#warnOfBudget();
      await this.#status();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async #look(effect: EffectState): Promise<void> {
    const { clock, log } = this.#dependencies;
    const last = this.#lookedAt.get(effect.key);
    if (this.#looks.has(effect.key) || (last !== undefined && clock.now() < last + lookAgainMs)) return;
    this.#lookedAt.set(effect.key, clock.now());
    const performer = observePerformers[effect.kind as keyof typeof observePerformers];
    const look = (async () => {
      try {
        await this.#watch();
        const seen = await performer.observe(await this.#context(effect, 0, new AbortController().signal));
        await this.#change((state) => {
          if (!state.open.has(effect.key)) return [];
          const events = observe(state, effect.key, seen.verdict, seen.facts);
          return seen.final ? [...events, ...answer(state, effect.key, seen.output)] : events;
        });
        await this.#status();
      } catch (thrown) {
        const error = afterLag(toBatonError(thrown), effect, clock.now());
        // A look changes nothing, so it is repeated until the effect's own time is over; what can never work ends it.
        if (error.treatment === "retryable" && error.code !== "BATON_LEASE_LOST") {
          log.warn("Facts could not be read; looking again", { key: effect.key, code: error.code });
          this.#lookedAt.set(effect.key, clock.now() - lookAgainMs + (error.retryAfterMs ?? 10_000));
        } else if (error.code === "BATON_LEASE_LOST" || error.code === "BATON_INTERNAL") {
          this.#fail(thrown);
        } else {
          await this.#change((state) =>
            attemptEnded(
              state,
              effect.key,
              0,
              { ok: false, error: error.toData(), usage: [], kept: null },
              clock.now(),
            ),
          );
        }
      } finally {
        this.#looks.delete(effect.key);
        this.#bell.ring();
      }
    })();
    this.#looks.set(effect.key, look);
  }

  /** L5: whoever hears of a change from here on finds the run by what it watches, on whichever replica. */
  async #watch(): Promise<void> {
    const { store, clock } = this.#dependencies;
    const row = runRow(this.#actor.state, clock.now(), null);
    const watches = row.watches.join("\n");
    if (watches === this.#watched) return;
    await store.write({ run: { ...row, status: "running" } });
    this.#watched = watches;
  }

  async #context(effect: EffectState, attempt: number, signal: AbortSignal): Promise<PerformContext> {
    const { clock } = this.#dependencies;
    const { state } = this.#actor;
    let reports = 0;
    let reportedAt = Number.NEGATIVE_INFINITY;
    return {
      dependencies: this.#dependencies,
      state,
      effect,
      attempt,
      github: await this.#dependencies.github.installation(state.thread.repository.installationId),
      signal,
      decided: async (verdict: Verdict) => {
        await this.#change((now) => routed(now, effect.key, attempt, verdict));
      },
      judged: async (action, verdict) => {
        await this.#change((now) => judged(now, { key: effect.key, attempt }, action, verdict));
      },
      prompted: async (prompted) => {
        await this.#change((now) => (now.open.has(effect.key) ? [{ type: "effect.prompted", ...prompted }] : []));
      },
      meter: (metering) =>
        meterAttempt(
          this.#dependencies,
          state,
          (decide) => this.#change(decide),
          { key: effect.key, attempt },
          metering,
        ),
      report: (note: string, usage: Usage[], partial?: PartialWork) => {
        const pauseMs = progressIntervalMs * progressSlowdown ** reports;
        if (reports >= progressEventsMax || clock.now() < reportedAt + pauseMs) return;
        reports += 1;
        reportedAt = clock.now();
        this.#change((now) => progress(now, effect.key, attempt, { note, usage, partial }))
          .then(() => this.#status())
          .catch((thrown: unknown) => this.#fail(thrown));
      },
    };
  }

  async #warnOfBudget(): Promise<void> {
    await this.#change((state) => {
      const fractions = budgetWarnings({ ...state.money, fractions: settingsOf(state).budget.warnAt });
      return fractions.map(
        (fraction): RunEvent => ({ type: "run.budget-warned", fraction, spentUsd: state.money.spentUsd }),
      );
    });
  }

  async #change(decide: Decide): ReturnType<RunActor["change"]> {
    const stored = await this.#actor.change(decide);
    if (stored.length > 0) this.#bell.ring();
    return stored;
  }

  /** The state changed: shown at once, or with what follows within the interval (L4). Leaving writes it in any case (L3). */
  async #status(): Promise<void> {
    if (this.#dependencies.clock.now() >= this.#nextStatusAt) return this.#writeStatus();
    if (this.#statusDue) return;
    this.#statusDue = true;
    this.#bell.ring();
  }

  get #nextStatusAt(): number {
    return this.#statusAt + statusIntervalMs;
  }

  async #writeStatus(): Promise<void> {
    this.#statusAt = this.#dependencies.clock.now();
    this.#statusDue = false;
    await publishStatus(this.#dependencies, this.#actor.state);
  }

  /** Ends the drive by a fault: what a newer Baton appended is a newer Baton's to go on with. */
  fail(thrown: unknown): void {
    this.#fault ??= thrown;
    this.#bell.ring();
  }

  #fail(thrown: unknown): void {
    if (hasCode(thrown, "BATON_EVENT_INVALID")) {
      this.#stopRun(thrown);
      return;
    }
    if (hasCode(thrown, "BATON_LEASE_LOST")) this.stop("lost");
    this.fail(thrown);
  }

  /** An outcome that the journal cannot hold comes again with every try, so the run ends by it (A4). */
  #stopRun(thrown: unknown): void {
    const error = new BatonError("BATON_INTERNAL", toBatonError(thrown).message, { cause: thrown });
    this.#dependencies.log.error("An outcome does not fit the journal", { runId: this.#actor.state.runId, error });
    this.#waitFor(`${this.#actor.state.runId}:stop` as EffectKey, async () => {
      await this.#change((state) => stop(state, error));
    });
  }

  /** True when nothing of this process can move the run: people, facts, time or a top-up must. */
  #quiet(): boolean {
    if (this.#work.size > 0 || this.#looks.size > 0 || this.#deciding > 0) return false;
    if (this.#children.areBehind()) return false;
    if (isOver(this.#actor.state)) return true;
    const now = this.#dependencies.clock.now();
    return due(this.#actor.state, now, { parallelMax: this.#parallelMax() }).every(
      (item) =>
        (item.action === "observe" && now < (this.#lookedAt.get(item.key) ?? 0) + lookAgainMs) ||
        item.action === "child",
    );
  }

  #parallelMax(): number {
    return Math.min(settingsOf(this.#actor.state).limits.parallel, limits.parallelEffectsPerRunMax);
  }

  #nextLookAt(): number | null {
    const { state } = this.#actor;
    const now = this.#dependencies.clock.now();
    const times = [nextWakeAt(state, now)];
    if (state.status === "running")
      for (const [key, at] of this.#lookedAt) if (state.open.has(key)) times.push(at + lookAgainMs);
    const known = times.filter((time): time is number => time !== null);
    return known.length > 0 ? Math.min(...known) : null;
  }

  async #waitForNews(): Promise<void> {
    const { clock } = this.#dependencies;
    const timer = new AbortController();
    const at = Math.min(
      this.#nextLookAt() ?? Number.POSITIVE_INFINITY,
      this.#statusDue ? this.#nextStatusAt : Number.POSITIVE_INFINITY,
      // The words may be sent by another replica, which rings no bell here.
      this.#awaitsWords ? clock.now() + wordsIntervalMs : Number.POSITIVE_INFINITY,
    );
    const waits: Promise<void>[] = [this.#bell.wait()];
    if (at !== Number.POSITIVE_INFINITY) waits.push(clock.sleepUntil(at, timer.signal).catch(() => {}));
    try {
      await Promise.race(waits);
    } finally {
      timer.abort();
    }
  }
}

function waitsForTurn(count: number, priority: Priority): Verdict {
  const agents = count === 1 ? "1 agent works" : `${count} agents work`;
  return {
    name: "agent slot",
    status: "pending",
    reason: `${agents} here at once (\`BATON_AGENTS\`), for runs of the same or a higher priority. The priority of this run is \`${priority}\`.`,
    evidence: [],
    children: [],
  };
}

/** Agents and shell steps: what a budget, or a machine, is spent on. */
function effectCosts({ kind }: EffectState): boolean {
  return kind === "agent" || kind === "shell";
}
