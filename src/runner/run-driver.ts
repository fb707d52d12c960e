/**
 * Drives one leased run: starts due actions, handles results as they arrive, stops when only others can move it.
 *
 * Owns: running attempts of this process, observation rhythm, money before dispatch, the end of a run.
 * Does not own: leases and which runs to drive (`runner.ts`), performing an effect (`perform/`), child runs
 * (`child-runs.ts`).
 * L1 An attempt starts only after its `effect.started` is durable (J1), with its reservation in the same append. The start
 *    of an attempt that waits for nothing is in the append that asks for it (run-actor.A1).
 * L2 When the lease is lost, every running attempt is aborted and nothing more is appended.
 * L3 The drive ends only after its index row, its wake-up and its status comment are written.
 * L4 While the run is driven, its display lags by at most the interval at which GitHub gets it, and by half a second if
 *    it asks people something new.
 * L7 An agent that works on this machine has a slot from before its start to its end. A waiting agent is shown with its
 *    reason.
 * L6 Money is spent only if Baton can comment in the thread.
 * L5 Baton watches a fact before it reads it: a later change finds the run, and the read sees an earlier change.
 */

import {
  type AttemptResult,
  answer,
  attemptEnded,
  endShield,
  expire,
  isOver,
  judged,
  lostAttempts,
  neededUsd,
  observe,
  openQuestions,
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
import type { EffectState, RunState } from "../core/state.ts";
import type { EffectKey, Json, Usage, Verdict } from "../core/vocabulary.ts";
import { showLocal } from "../core/zone.ts";
import type { Allowance } from "../money/allowance.ts";
import { budgetWarnings } from "../money/budget.ts";
import { startAttempt } from "../money/metering.ts";
import type { KeptBlob, Store, TransactionWrites } from "../ports/store.ts";
import { ChildRuns, type OtherRuns } from "./child-runs.ts";
import { isClosed, threadClosed } from "./closed-thread.ts";
import { sweepLimitsOf, withDay } from "./day-budget.ts";
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

/** Baton reads facts without a webhook again after this time. It reads checks and reviews with conditional requests. */
const lookAgainMs = 120_000;
const progressEventsMax = 60;
const progressIntervalMs = 15_000;
/** Each milestone is a little later than the previous one: sixty cover more than two hours. */
const progressSlowdown = 1.06;
/** The shortest interval between two renderings of the status if it asks people something new. */
const questionIntervalMs = 500;
const wordsIntervalMs = 100;

export class RunDriver {
  readonly #dependencies: Dependencies;
  readonly #actor: RunActor;
  readonly #bell = new Bell();
  #alarm = { at: Number.POSITIVE_INFINITY, off: new AbortController() };
  readonly #work = new Map<EffectKey, { controller: AbortController; done: Promise<void> }>();
  readonly #looks = new Map<EffectKey, Promise<void>>();
  readonly #lookedAt = new Map<EffectKey, number>();
  /** The watches in the run's row. null until this drive has written them. */
  #watched: string | null = null;
  #stopping: "no" | "left" | "lost" = "no";
  #leaving = false;
  /** The number of outside decisions that are being appended. */
  #deciding = 0;
  /** When the status was last put into the outbox, and whether the state changed since then. */
  #statusAt = Number.NEGATIVE_INFINITY;
  #statusDue = false;
  /** The rows of the display as this drive has written them, and what it asked people then. */
  readonly #shown = new Map<string, string>();
  #asked = "";
  #fault: unknown = null;
  /** The last choice of a worker for each effect. The next append of its attempt keeps it. */
  readonly #routes = new Map<EffectKey, { attempt: number; verdict: Verdict }>();
  /** Agents that have a slot or wait for one. */
  readonly #slots = new Set<EffectKey>();
  readonly #children: ChildRuns;
  /** True when somebody sends the outbox, so that the run can wait for it. */
  readonly #speaks: boolean;
  #awaitsWords = false;
  #heard = false;

  constructor(dependencies: Dependencies, actor: RunActor, runs: OtherRuns, speaks = false) {
    this.#speaks = speaks;
    this.#dependencies = dependencies;
    this.#actor = actor;
    actor.startWith({
      starts: (state) => this.#freeStarts(state),
      started: (starts) => this.#startedFree(starts),
    });
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

  /**
   * Something changed. `facts`: outside facts may have changed. Returns false when the drive is ending and will not see
   * it.
   */
  poke(facts: boolean): boolean {
    if (this.#leaving || this.#stopping !== "no") return false;
    if (facts) this.#lookedAt.clear();
    this.#bell.ring();
    return true;
  }

  /**
   * Makes an outside decision, and does not leave meanwhile. null: the drive is ending, and another driver must make
   * it.
   */
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

  /**
   * `lost`: another owner has the lease. `left`: this process shuts down, and the next owner resumes the stopped work.
   */
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
      this.#ringAt(Number.POSITIVE_INFINITY);
      // When the drive ends, for any reason, no child process of it stays.
      if (this.#stopping === "no" && this.#fault !== null) this.stop("left");
      await Promise.all([...this.#work.values()].map(({ done }) => done));
      await Promise.all(this.#looks.values());
      for (const key of this.#slots) this.#leaveSlot(key);
    }
    if (this.#stopping === "lost") return;
    if (isOver(this.#actor.state)) await finishRun(this.#dependencies, this.#actor.state);
    else await leaveRun(this.#dependencies, this.#actor.state, this.#nextLookAt());
  }

  /** A dead worker may have left its agent running. This agent must not edit or spend during the next attempt. */
  async #reapLost(): Promise<void> {
    const { state } = this.#actor;
    for (const effect of state.effects.values()) {
      const attempt = effect.attempts.at(-1);
      // The run was stopped a moment ago, when its journal was read: its leftover programs still run.
      const isStopped = effect.status === "cancelled" && effect.endedAt === state.outcome?.at;
      if ((effect.status === "running" || isStopped) && effect.kind !== "subprocess" && attempt !== undefined)
        await this.#dependencies.killSurvivors(attemptMarker(this.#dependencies, state, effect, attempt.attempt));
    }
  }

  /** Begins all due actions. */
  async #step(): Promise<void> {
    const { clock } = this.#dependencies;
    for (const [key, { controller }] of this.#work) {
      if (!this.#actor.state.open.has(key)) controller.abort("cancelled");
    }
    const options = { parallelMax: this.#parallelMax() };
    const items = due(this.#actor.state, clock.now(), options);
    this.#leaveUnused(items);
    this.#followPriority();
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

  /** Attempts that need no money, no slot and no words in the thread. `#dispatch` starts the others. */
  #freeStarts(state: RunState): RunEvent[] {
    if (this.#leaving || this.#stopping !== "no" || this.#fault !== null) return [];
    const starts: RunEvent[] = [];
    for (const item of due(state, this.#dependencies.clock.now(), { parallelMax: this.#parallelMax() })) {
      if (item.action !== "perform" || this.#work.has(item.key)) continue;
      const effect = state.effects.get(item.key);
      if (effect === undefined || effectCosts(effect)) continue;
      if (effect.kind === "publish" && this.#isGivenUpWriteUnderWay(state)) continue;
      if (workPerformers[effect.kind as keyof typeof workPerformers].estimateUsd(state, effect) > 0) continue;
      const worker = this.#isRemote(effect) ? remoteWorker : this.#dependencies.owner;
      starts.push({ type: "effect.started", key: item.key, attempt: item.attempt, worker, reservedUsd: 0 });
    }
    return starts;
  }

  /** L1. If the drive ends meanwhile, the next one finds these attempts lost and begins others. */
  #startedFree(starts: readonly StoredEvent[]): void {
    if (this.#leaving || this.#stopping !== "no") return;
    for (const { event } of starts) {
      const effect = event.type === "effect.started" ? this.#actor.state.effects.get(event.key) : undefined;
      if (event.type === "effect.started" && effect !== undefined) this.#begun(effect, event.attempt);
    }
    this.#statusDue = true;
    this.#bell.ring();
  }

  async #dispatch(effect: EffectState, attempt: number): Promise<void> {
    if (this.#work.has(effect.key)) return;
    if (effectCosts(effect) && !(await this.#isHeard())) return;
    // An abandoned write that is still under way ends first, because the next write may undo it.
    if (effect.kind === "publish" && this.#isGivenUpWriteUnderWay()) return;
    const performer = workPerformers[effect.kind as keyof typeof workPerformers];
    const wantUsd = performer.estimateUsd(this.#actor.state, effect);
    const worker = this.#isRemote(effect) ? remoteWorker : this.#dependencies.owner;
    const leastUsd = neededUsd(effect.attempts.at(-1)?.error);
    // L7: a waiting agent has no reservation.
    if (!(await this.#isItsTurn(effect))) return;
    const start = (day: Allowance | null, also: TransactionWrites = {}) =>
      this.#change((state) => {
        const current = state.effects.get(effect.key);
        if (current === undefined || !state.open.has(effect.key)) return [];
        // Meanwhile it may have started with the append that asked for it.
        if (current.status === "running" || current.attempts.length + 1 !== attempt) return [];
        if (wantUsd === 0 || day === null)
          return [{ type: "effect.started", key: effect.key, attempt, worker, reservedUsd: 0 }];
        const othersAtWork = this.#work.size > 0;
        const begun = { key: effect.key, attempt, worker, wantUsd, leastUsd, day, othersAtWork };
        return { events: startAttempt(state, begun), also };
      });
    // A free effect waits for no budget.
    const { state } = this.#actor;
    const { id } = state.thread.repository;
    const started =
      wantUsd === 0
        ? await start(null)
        : await withDay(this.#dependencies, id, settingsOf(state).budget, start, sweepLimitsOf(state));
    if (!started.some(({ event }) => event.type === "effect.started")) {
      this.#leaveSlot(effect.key);
      if (started.length > 0) await this.#status();
      return;
    }
    this.#begun(effect, attempt);
    await this.#status();
  }

  /**
   * L6: before a run spends money, its thread has the run's first words. If GitHub refuses the first comment, nothing
   * starts. If GitHub refuses a later one, the run pauses.
   */
  async #isHeard(): Promise<boolean> {
    const { state } = this.#actor;
    if (!this.#speaks || this.#heard || state.parent !== null) return true;
    const row = await this.#dependencies.store.outboxRow(`status:${state.runId}`);
    this.#awaitsWords = row?.state === "pending" && row.result === null;
    if (row === null || row.state !== "failed" || !isClosed(row, row.error ?? "")) {
      // From here on, the sender of the outbox reports a closed thread (`closed-thread.ts`).
      this.#heard = !this.#awaitsWords;
      return this.#heard;
    }
    await threadClosed(this.#dependencies, row, row.error ?? "", async (decide) => {
      await this.#change(decide);
      return this.#actor.state;
    });
    return false;
  }

  /** L7: a waiting agent shows its wait. Work on a remote runner needs no slot here. */
  async #isItsTurn(effect: EffectState): Promise<boolean> {
    const { agentSlots } = this.#dependencies;
    if (agentSlots === undefined || effect.kind !== "agent" || this.#isRemote(effect)) return true;
    const { runId, priority, deadline } = this.#actor.state;
    this.#slots.add(effect.key);
    if (agentSlots.request(`${runId}/${effect.key}`, { priority, deadline }, () => this.#bell.ring())) return true;
    const told = await this.#change((state) =>
      state.open.has(effect.key)
        ? observe(state, effect.key, waitsForTurn(agentSlots.count, { priority, deadline }), null)
        : [],
    );
    if (told.length > 0) await this.#status();
    return false;
  }

  /**
   * Slots of effects that were cancelled or paused while they waited, or that come after another effect of their run.
   */
  #leaveUnused(items: readonly Due[]): void {
    const wanted = new Set(items.flatMap((item) => (item.action === "perform" ? [item.key] : [])));
    for (const key of this.#slots) if (!this.#work.has(key) && !wanted.has(key)) this.#leaveSlot(key);
  }

  /** agent-slots.WT4: an agent at work may hold up others for less now. A waiting one asks again by itself. */
  #followPriority(): void {
    const { runId, priority, deadline } = this.#actor.state;
    for (const key of this.#work.keys())
      if (this.#slots.has(key))
        this.#dependencies.agentSlots?.request(`${runId}/${key}`, { priority, deadline }, () => {});
  }

  #leaveSlot(key: EffectKey): void {
    if (this.#slots.delete(key)) this.#dependencies.agentSlots?.leave(`${this.#actor.state.runId}/${key}`);
  }

  /** A write whose outcome is decided is over, although its work here ends a moment later. */
  #isGivenUpWriteUnderWay({ effects }: RunState = this.#actor.state): boolean {
    return [...this.#work.keys()].some((key) => {
      const effect = effects.get(key);
      return effect?.kind === "publish" && effect.status === "cancelled";
    });
  }

  #begun(effect: EffectState, attempt: number): void {
    this.#waitFor(effect.key, (signal) => this.#perform(effect, attempt, signal));
  }

  /** The drive ends only after this work. Work with the same key runs one at a time. */
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

  /** Work of a remote worker continues, whichever process drives the run. */
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
    const gathered: Gathered = { texts: [], values: new Map() };
    const end = (result: AttemptResult): Promise<unknown> =>
      this.#changeWith(gathered, (state) => [
        ...this.#routed(state, effect.key, attempt),
        ...attemptEnded(state, effect.key, attempt, result, clock.now()),
      ]);
    try {
      const context = await this.#context(effect, attempt, signal, gathered);
      const result = await performer.perform(context).catch((thrown: unknown) => {
        const error = afterLag(toBatonError(thrown), effect, clock.now());
        if (error.code === "BATON_INTERNAL") log.error("An effect failed unexpectedly", { key: effect.key, error });
        // The attempt's usage up to then is real: the journal has it.
        const usage = unsettled(this.#actor.state.effects.get(effect.key));
        return { ok: false as const, error: error.toData(), usage, kept: null };
      });
      // L2. At shutdown, the next owner finds the attempt lost and begins another, from this attempt's kept work.
      if (this.#stopping === "lost" || (this.#stopping === "left" && this.#isRemote(effect))) return;
      // A write that was never sent does not count as a try.
      if (this.#stopping === "left" && !result.ok && result.error.code === "BATON_GITHUB_LIMITED") return;
      if (this.#stopping === "left" && !result.ok && effect.kind !== "publish") {
        const lost = { code: "BATON_ATTEMPT_LOST" as const, message: "Baton was shut down while this step ran." };
        await end({ ...result, error: lost });
        return;
      }
      await end(result);
      if (this.#isRemote(effect))
        await performer.settled?.(this.#dependencies, { run: this.#actor.state.runId, effect: effect.key, attempt });
      await this.#warnOfBudget();
      await this.#status();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** An append of the attempt also keeps what the attempt gathered. */
  async #changeWith({ texts, values }: Gathered, decide: (state: RunState) => RunEvent[]): Promise<void> {
    const also: TransactionWrites = {};
    if (texts.length > 0) also.blobs = [...texts];
    if (values.size > 0) also.values = [...values].map(([name, value]) => ({ name, value }));
    const stored = await this.#change((state) => ({ events: decide(state), also }));
    if (stored.length === 0) return;
    texts.length = 0;
    values.clear();
  }

  /** The worker of the attempt, with the reason: in the append of its prompt, or of its end without one. */
  #routed(state: RunState, key: EffectKey, attempt: number): RunEvent[] {
    const route = this.#routes.get(key);
    return route?.attempt === attempt ? routed(state, key, attempt, route.verdict) : [];
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
        const seen = await performer.observe(await this.#context(effect, 0, new AbortController().signal, null));
        await this.#change((state) => {
          if (!state.open.has(effect.key)) return [];
          const events = observe(state, effect.key, seen.verdict, seen.facts);
          return seen.final ? [...events, ...answer(state, effect.key, seen.output)] : events;
        });
        await this.#status();
      } catch (thrown) {
        const error = afterLag(toBatonError(thrown), effect, clock.now());
        // A check changes nothing, so Baton repeats it until the effect's own timeout. A terminal error ends the
        // effect.
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

  /** L5: from here on, any replica that hears of a change finds the run by its watches. */
  async #watch(): Promise<void> {
    const { store, clock } = this.#dependencies;
    const row = runRow(this.#actor.state, clock.now(), null);
    const watches = row.watches.join("\n");
    if (watches === this.#watched) return;
    await store.write({ run: { ...row, status: "running" } });
    this.#watched = watches;
  }

  /** null: an observer's texts are kept at once. */
  async #context(
    effect: EffectState,
    attempt: number,
    signal: AbortSignal,
    gathered: Gathered | null,
  ): Promise<PerformContext> {
    const { clock } = this.#dependencies;
    const { state } = this.#actor;
    let reports = 0;
    let reportedAt = Number.NEGATIVE_INFINITY;
    return {
      ...(gathered === null
        ? { dependencies: this.#dependencies }
        : {
            dependencies: { ...this.#dependencies, store: gatheringTexts(this.#dependencies.store, gathered) },
            learned: gatheringValues(this.#dependencies.store, gathered),
          }),
      state,
      effect,
      attempt,
      github: await this.#dependencies.github.installation(state.thread.repository.installationId),
      signal,
      decided: async (verdict: Verdict) => {
        this.#routes.set(effect.key, { attempt, verdict });
      },
      judged: async (action, verdict) => {
        await this.#change((now) => judged(now, { key: effect.key, attempt }, action, verdict));
      },
      prompted: async (prompted) => {
        await this.#changeWith(gathered ?? { texts: [], values: new Map() }, (now) =>
          now.open.has(effect.key)
            ? [...this.#routed(now, effect.key, attempt), { type: "effect.prompted", ...prompted }]
            : [],
        );
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

  /**
   * The state changed. Baton shows it at once, or with later changes within the interval (L4). Leaving writes it in any
   * case (L3).
   */
  async #status(): Promise<void> {
    if (this.#dependencies.clock.now() >= this.#nextStatusAt) return this.#writeStatus();
    if (this.#statusDue) return;
    this.#statusDue = true;
    this.#bell.ring();
  }

  /** Rendering grows with the run; an effect's cost must not. So Baton renders as often as it sends (L4). */
  get #nextStatusAt(): number {
    const isNews = this.#asked !== asksOf(this.#actor.state);
    return this.#statusAt + (isNews ? questionIntervalMs : limits.statusEditIntervalMs);
  }

  async #writeStatus(): Promise<void> {
    this.#statusAt = this.#dependencies.clock.now();
    this.#statusDue = false;
    this.#asked = asksOf(this.#actor.state);
    await publishStatus(this.#dependencies, this.#actor.state, this.#shown);
  }

  /** Ends the drive by a fault: only a newer Baton can continue after a newer Baton's events. */
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

  /** An outcome that the journal cannot hold comes again with every try, so it ends the run (A4). */
  #stopRun(thrown: unknown): void {
    const error = new BatonError("BATON_INTERNAL", toBatonError(thrown).message, { cause: thrown });
    this.#dependencies.log.error("An outcome does not fit the journal", { runId: this.#actor.state.runId, error });
    this.#waitFor(`${this.#actor.state.runId}:stop` as EffectKey, async () => {
      await this.#change((state) => stop(state, error));
    });
  }

  /** True when nothing in this process can move the run: people, facts, time or a top-up must. */
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
    this.#ringAt(
      Math.min(
        this.#nextLookAt() ?? Number.POSITIVE_INFINITY,
        this.#statusDue ? this.#nextStatusAt : Number.POSITIVE_INFINITY,
        // Another replica may send the words, and it rings no bell here.
        this.#awaitsWords ? clock.now() + wordsIntervalMs : Number.POSITIVE_INFINITY,
      ),
    );
    await this.#bell.wait();
  }

  /** Steps follow each other faster than the time changes, so one timer serves many of them. */
  #ringAt(at: number): void {
    if (at === this.#alarm.at) return;
    this.#alarm.off.abort();
    const alarm = { at, off: new AbortController() };
    this.#alarm = alarm;
    if (at === Number.POSITIVE_INFINITY) return;
    const ring = (): void => {
      if (this.#alarm === alarm) this.#alarm = { at: Number.POSITIVE_INFINITY, off: alarm.off };
      this.#bell.ring();
    };
    this.#dependencies.clock.sleepUntil(at, alarm.off.signal).then(ring, () => {});
  }
}

function waitsForTurn(count: number, { priority, deadline }: { priority: Priority; deadline: number | null }): Verdict {
  const due = deadline === null ? "" : ` Its deadline is ${showLocal(deadline, "UTC")} (UTC).`;
  const agents = count === 1 ? "1 agent works" : `${count} agents work`;
  return {
    name: "agent slot",
    status: "pending",
    reason: `${agents} here at once (\`BATON_AGENTS\`), for runs of the same or a higher priority. The priority of this run is \`${priority}\`.${due}`,
    evidence: [],
    children: [],
  };
}

/** Texts and values that an attempt keeps with its next event. */
interface Gathered {
  texts: KeptBlob[];
  values: Map<string, Json>;
}

function gatheringTexts(store: Store, { texts }: Gathered): Store {
  const putBlob = async (content: string): Promise<string> => {
    const blob = store.keptBlob(content);
    texts.push(blob);
    return blob.id;
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "putBlob") return putBlob;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function gatheringValues(store: Store, { values }: Gathered): Pick<Store, "value" | "setValue"> {
  return {
    value: async (name) => values.get(name) ?? store.value(name),
    setValue: async (name, value) => void values.set(name, value),
  };
}

/** The things that only people can end now. */
function asksOf(state: RunState): string {
  return [...openQuestions(state).map(({ key }) => key), state.money.stop?.key ?? ""].join("\n");
}

/** Agents and shell steps: work that uses a budget or a machine. */
function effectCosts({ kind }: EffectState): boolean {
  return kind === "agent" || kind === "shell";
}
