/**
 * A live process function between two events of its journal.
 *
 * Owns: keys of effects, scopes, promises that wait for outcomes, race and cancel inside the process.
 * Does not own: the journal, the clock, performing. It receives one event at a time and returns the process's next
 * requests.
 * I1 One event is delivered, then the process runs until it only waits. Nothing else moves it.
 * I2 Time and randomness inside come from the delivered events and the run's id.
 * I3 A process awaits only effects. Otherwise Baton finds it stalled: nothing is open, and it has not ended.
 * I4 Every mistake of a process ends its run, by name: an output that is not JSON, a request that the journal cannot
 *    hold, a used key, a turn without an end.
 * I5 A cancelled run ends: after the cancel, shielded work may ask for a bounded total of effects. The time is bounded,
 *    too: each request carries it (`hints.shieldedMs`), and `due.ts` enforces it.
 */

import { z } from "zod";
import {
  type EffectInput,
  type EffectKind,
  type EffectOutput,
  effectSchemas,
  type RetryPolicy,
} from "../core/effect.ts";
import { BatonError, errorCatalogue, errorDataSchema, fromData, isBatonError, toBatonError } from "../core/errors.ts";
import { type RunEventOf, requestedSchema, type StoredEvent } from "../core/event.ts";
import { limits } from "../core/limits.ts";
import { defaultRetry } from "../core/retry.ts";
import type { Turn } from "../core/turn.ts";
import { type EffectKey, effectKeySchema, type Json, type RunId } from "../core/vocabulary.ts";
import { asJson } from "./as-json.ts";
import { runFork } from "./fork.ts";
import { entriesOf } from "./named.ts";
import { runPipeline } from "./pipeline.ts";
import { runPlan } from "./plan.ts";
import type { EffectOptions, ProcessContext, ProcessDefinition } from "./process.ts";
import { beyondReach } from "./reach.ts";
import { firstFailure, runWorkflow } from "./workflow.ts";

interface Waiter {
  kind: EffectKind;
  scope: Scope;
  resolve(value: unknown): void;
  reject(reason: BatonError): void;
}

interface Scope {
  path: string;
  parent: Scope | null;
  counts: Map<string, number>;
  shielded: boolean;
  /** null: the default applies. */
  shieldedMs: number | null;
  abandoned: boolean;
}

export class ProcessInstance {
  readonly #definition: ProcessDefinition;
  readonly #settle: () => Promise<void>;
  readonly #waiters = new Map<EffectKey, Waiter>();
  #requests: RunEventOf<"effect.requested">[] = [];
  #cancellations: EffectKey[] = [];
  #end: Turn["end"] = null;
  #cause = 0;
  #nowMs = 0;
  #seed: number;
  #requested = 0;
  #cancelled = false;
  /** The number of effects requested since the cancel. */
  #shielded = 0;
  /** Every requested key: the journal identifies an effect by its key. */
  readonly #keys = new Set<EffectKey>();
  #callsInTurn = 0;
  /**
   * The promise class that calls of `ctx` return. Each wait counts as a call, because a loop over a settled promise
   * never rests.
   */
  readonly #Waited: PromiseConstructor;

  /** `settle` resolves after every microtask has run: a macrotask of the host (`setImmediate`). */
  constructor(definition: ProcessDefinition, runId: RunId, settle: () => Promise<void>) {
    this.#definition = definition;
    this.#settle = settle;
    this.#seed = seedOf(runId);
    const mayWait = (): boolean => this.#mayCall();
    this.#Waited = class<T> extends Promise<T> {
      // biome-ignore lint/suspicious/noThenProperty: `await`, `catch` and `finally` all come here.
      // oxlint-disable-next-line unicorn/no-thenable
      override then<A = T, B = never>(
        ...reactions: [((value: T) => A | PromiseLike<A>)?, ((reason: unknown) => B | PromiseLike<B>)?]
      ): Promise<A | B> {
        return mayWait() ? super.then(...reactions) : new Promise(() => {});
      }
    };
  }

  /** The first turn, caused by `run.created`. */
  async begin(created: StoredEvent): Promise<Turn> {
    if (created.event.type !== "run.created")
      throw new BatonError("BATON_INTERNAL", "A process begins with run.created.");
    const input = created.event.input;
    return this.#turn(created, () => {
      const root: Scope = {
        path: "",
        parent: null,
        counts: new Map(),
        shielded: false,
        shieldedMs: null,
        abandoned: false,
      };
      // A microtask calls the function, so that a synchronous throw is an outcome like any other.
      Promise.resolve()
        .then(() => this.#definition.run(this.#context(root), this.#definition.input.parse(input)))
        .then((output) => this.#checked(output))
        .then(
          (output) => {
            this.#end ??= { ok: true, output };
          },
          (thrown: unknown) => {
            this.#end ??= { ok: false, error: thrownError(thrown) };
          },
        );
    });
  }

  /** True for the events that move a process. */
  static moves(stored: StoredEvent): boolean {
    const { type } = stored.event;
    return (
      type === "effect.succeeded" ||
      type === "effect.failed" ||
      type === "effect.cancelled" ||
      type === "run.cancel-requested"
    );
  }

  async deliver(stored: StoredEvent): Promise<Turn> {
    return this.#turn(stored, () => {
      const { event } = stored;
      switch (event.type) {
        case "effect.succeeded":
          this.#take(event.key)?.resolve(event.output);
          return;
        case "effect.failed":
          this.#take(event.key)?.reject(fromData(event.error));
          return;
        case "effect.cancelled":
          this.#take(event.key)?.reject(new BatonError("BATON_CANCELLED", event.reason));
          return;
        case "run.cancel-requested":
          this.#cancelled = true;
          this.#cancelOpen(event.reason);
          return;
        default:
          throw new BatonError("BATON_INTERNAL", `${event.type} does not move a process.`);
      }
    });
  }

  /** I4 */
  #checked(output: unknown): Json {
    const { name } = this.#definition;
    const parsed = this.#definition.output.safeParse(output);
    if (!parsed.success)
      throw new BatonError(
        "BATON_PROCESS_FAILED",
        `The output of process ${name} is not valid: ${fields(parsed.error)}`,
      );
    const json = asJson(parsed.data);
    if (!json.ok)
      throw new BatonError("BATON_PROCESS_FAILED", `The output of process ${name} is not JSON: ${json.problem}.`);
    return json.value;
  }

  get waitsFor(): EffectKey[] {
    return [...this.#waiters.keys()];
  }

  async #turn(stored: StoredEvent, move: () => void): Promise<Turn> {
    this.#cause = stored.position;
    this.#nowMs = stored.at;
    this.#requests = [];
    this.#cancellations = [];
    this.#callsInTurn = 0;
    if (this.#end === null) {
      move();
      await this.#settle();
      if (this.#end === null && this.#waiters.size === 0) {
        this.#end = {
          ok: false,
          error: new BatonError(
            "BATON_PROCESS_STALLED",
            `Process ${this.#definition.name} waits for something that is not an effect, after event ${stored.position}.`,
          ),
        };
      }
      // The rest of an ended process's requests has no owner.
      if (this.#end !== null) {
        for (const key of this.#waiters.keys()) this.#cancellations.push(key);
        this.#waiters.clear();
      }
    }
    return { requests: this.#requests, cancellations: this.#cancellations, end: this.#end };
  }

  /**
   * A cancel rejects the promises that the process waits for. The process may catch it and clean up in a shielded
   * scope.
   */
  #cancelOpen(reason: string): void {
    for (const [key, waiter] of this.#waiters) {
      if (waiter.scope.shielded) continue;
      this.#waiters.delete(key);
      this.#cancellations.push(key);
      waiter.reject(new BatonError("BATON_CANCELLED", reason));
    }
  }

  #take(key: EffectKey): Waiter | undefined {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    return waiter;
  }

  #request<K extends EffectKind>(
    scope: Scope,
    kind: K,
    name: string,
    input: EffectInput<K>,
    options: EffectOptions = {},
  ): Promise<EffectOutput<K>> {
    if (this.#cancelled && !scope.shielded)
      return quiet(Promise.reject(new BatonError("BATON_CANCELLED", "The run was cancelled.")));
    if (this.#end !== null || isAbandoned(scope)) return new Promise(() => {});
    if (this.#cancelled) {
      this.#shielded += 1;
      if (this.#shielded > limits.shieldedEffectsMax)
        return this.#break(
          `Process ${this.#definition.name} asked for more than ${limits.shieldedEffectsMax} effects in shielded scopes after the cancel.`,
        );
    }
    const parsed = effectSchemas[kind].input.safeParse(input);
    if (!parsed.success) {
      return quiet(
        Promise.reject(
          new BatonError("BATON_INPUT_INVALID", `Effect ${scope.path}${name} (${kind}): ${fields(parsed.error)}`),
        ),
      );
    }
    const beyond = this.#definition.reach === undefined ? null : beyondReach(this.#definition.reach, kind, parsed.data);
    if (beyond !== null)
      return quiet(
        Promise.reject(
          new BatonError(
            "BATON_POLICY_DENIED",
            `Process ${this.#definition.name} is ${this.#definition.reach}: ${beyond}, and "${scope.path}${name}" is more than that.`,
          ),
        ),
      );
    this.#requested += 1;
    if (this.#requested > limits.effectsPerRunMax) {
      return quiet(
        Promise.reject(
          new BatonError(
            "BATON_PROCESS_FAILED",
            `A run may ask for ${limits.effectsPerRunMax} effects; this one asks for more.`,
          ),
        ),
      );
    }
    const key = uniqueKey(scope, name);
    const retry: RetryPolicy = { ...defaultRetry[kind], ...options.retry };
    const request: RunEventOf<"effect.requested"> = {
      type: "effect.requested",
      key,
      kind,
      input: parsed.data as Json,
      cause: this.#cause,
      timeoutMs: options.timeoutMs ?? null,
      retry,
      hints: { ...options.hints, ...(scope.shieldedMs === null ? {} : { shieldedMs: scope.shieldedMs }) },
    };
    const problem = this.#problemOf(request);
    if (problem !== null) return this.#break(`Process ${this.#definition.name}, step \`${shown(key)}\`: ${problem}`);
    this.#keys.add(key);
    this.#requests.push(request);
    return quiet(
      new Promise<EffectOutput<K>>((resolve, reject) => {
        this.#waiters.set(key, { kind, scope, resolve: (value) => resolve(value as EffectOutput<K>), reject });
      }),
    );
  }

  /** The part of a request that the journal cannot hold. null: there is none. */
  #problemOf(request: RunEventOf<"effect.requested">): string | null {
    const { key } = request;
    if (this.#keys.has(key)) return "two steps have this key. Give one of them another name.";
    const longest = effectKeySchema.maxLength ?? Number.POSITIVE_INFINITY;
    if (key.length > longest) return `the key has ${key.length} characters; at most ${longest} are allowed.`;
    // The ledger keeps keys as database text, which allows neither kind of character.
    if (/[\p{Cc}\p{Cs}]/u.test(key)) return "the key has control characters.";
    const checked = requestedSchema.safeParse(request);
    return checked.success ? null : `the journal cannot hold this request: ${fields(checked.error)}`;
  }

  /** I4: ends the run. The process cannot catch it, and gets no further turn. */
  #break<T>(message: string): Promise<T> {
    this.#end ??= { ok: false, error: new BatonError("BATON_PROCESS_FAILED", message) };
    return new Promise<T>(() => {});
  }

  /** False when the process gets no further turn. */
  #mayCall(): boolean {
    this.#callsInTurn += 1;
    if (this.#callsInTurn > limits.callsPerTurnMax)
      void this.#break(
        `Process ${this.#definition.name} called \`ctx\` more than ${limits.callsPerTurnMax} times without waiting for anything.`,
      );
    return this.#callsInTurn <= limits.callsPerTurnMax;
  }

  /** The same context with counted calls. Otherwise a loop that never waits would block every other run. */
  #counted(context: ProcessContext): ProcessContext {
    const counted: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(context))) {
      const call = member.value as ((...args: unknown[]) => unknown) | undefined;
      if (call === undefined) continue;
      const isAsync = name !== "now" && name !== "random";
      counted[name] = (...args: unknown[]): unknown => {
        if (this.#mayCall()) {
          const returned = call(...args);
          return returned instanceof Promise ? quiet(new this.#Waited((resolve) => resolve(returned))) : returned;
        }
        // A loop that waits for the answer rests here. The throw stops a loop that does not wait.
        if (isAsync && this.#callsInTurn <= 2 * limits.callsPerTurnMax) return new Promise(() => {});
        throw turnIsOver();
      };
    }
    const isCancelled = (): boolean => {
      if (this.#mayCall()) return this.#cancelled;
      throw turnIsOver();
    };
    Object.defineProperty(counted, "cancelled", { enumerable: true, get: isCancelled });
    return counted as unknown as ProcessContext;
  }

  #abandon(scope: Scope): void {
    scope.abandoned = true;
    for (const [key, waiter] of this.#waiters) {
      if (!isWithin(waiter.scope, scope)) continue;
      this.#waiters.delete(key);
      this.#cancellations.push(key);
    }
  }

  #context(scope: Scope): ProcessContext {
    const ask =
      <K extends EffectKind>(kind: K) =>
      (name: string, input: EffectInput<K>, options?: EffectOptions) =>
        this.#request(scope, kind, name, input, options);
    const child = (name: string): Scope => childOf(scope, name);
    const isCancelled = (): boolean => this.#cancelled;
    const context: ProcessContext = {
      agent: ask("agent"),
      shell: ask("shell"),
      join: ask("join"),
      base: ask("base"),
      place: ask("place"),
      gate: ask("gate"),
      breakpoint: ask("breakpoint"),
      ask: ask("ask"),
      publish: ask("publish"),
      subprocess: ask("subprocess"),
      sleep: async (name, durationMs) => context.sleepUntil(name, this.#nowMs + durationMs),
      sleepUntil: async (name, until) => {
        await this.#request(scope, "sleep", name, { title: `Wait: ${name}`, until });
      },
      waitFor: async (name, condition, { everyMs, timeoutMs }) => {
        const inner = child(name);
        const ctx = this.#context(inner);
        const deadline = this.#nowMs + timeoutMs;
        while (!(await condition(ctx))) {
          if (this.#nowMs >= deadline)
            throw new BatonError("BATON_TIMEOUT", `"${name}" did not come true within ${timeoutMs} ms.`);
          await ctx.sleepUntil("pause", Math.min(deadline, this.#nowMs + everyMs));
        }
      },
      retryWithBackoff: async (name, body, { attemptsMax, pauseMs }) => {
        const ctx = this.#context(child(name));
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await body(ctx, attempt);
          } catch (thrown) {
            if (attempt >= attemptsMax || (isBatonError(thrown) && thrown.treatment !== "retryable")) throw thrown;
            await ctx.sleep("backoff", pauseMs * 2 ** (attempt - 1));
          }
        }
      },
      parallel: async (name, branches, options) => {
        const outer = child(name);
        const entries = entriesOf<(ctx: ProcessContext) => Promise<unknown>>(branches);
        const results = await settleAll(
          entries.map(
            ([branch, body]) =>
              () =>
                body(this.#context(childOf(outer, branch))),
          ),
          options?.branchesMax ?? entries.length,
        );
        const failed = results.find((result) => result.status === "rejected");
        if (failed?.status === "rejected") throw failed.reason;
        const values = results.map((result, index) => [
          entries[index]?.[0],
          result.status === "fulfilled" ? result.value : undefined,
        ]);
        return Object.fromEntries(values) as never;
      },
      race: async (name, branches) => {
        const outer = child(name);
        const entries = entriesOf(branches);
        if (entries.length === 0)
          throw new BatonError("BATON_INPUT_INVALID", `The race "${name}" has no branch, so nobody can win it.`);
        const scopes = new Map(entries.map(([branch]) => [branch, childOf(outer, branch)]));
        const runs = entries.map(async ([branch, body]) => {
          const value = await body(this.#context(scopes.get(branch) as Scope));
          return { winner: branch, value };
        });
        try {
          const first = await Promise.any(runs);
          for (const [branch, loser] of scopes) if (branch !== first.winner) this.#abandon(loser);
          return first;
        } catch (thrown) {
          throw thrown instanceof AggregateError ? thrown.errors[0] : thrown;
        }
      },
      workflow: async (name, steps) => {
        const outer = child(name);
        const results = await runWorkflow(context, steps, (step) => this.#context(childOf(outer, step)));
        const failure = firstFailure(results);
        if (failure !== null) throw failure.error;
        return Object.fromEntries(results);
      },
      fork: async (name, options) => {
        const outer = child(name);
        return runFork(this.#context(outer), options, (branch) => this.#context(childOf(outer, branch)));
      },
      plan: async (name, steps, options) => {
        const outer = child(name);
        return runPlan(steps, options, (step) => this.#context(childOf(outer, step)), this.#context(outer));
      },
      pipeline: async (pipeline, input) => {
        const outer = child(pipeline.name);
        return runPipeline(pipeline, input, (stage) => this.#context(childOf(outer, stage)));
      },
      shielded: async (name, body, { atMostMs: shieldedMs } = {}) => {
        if (shieldedMs !== undefined && !(shieldedMs > 0 && shieldedMs <= limits.shieldedMsMax))
          throw new BatonError(
            "BATON_INPUT_INVALID",
            `\`ctx.shielded("${shown(name)}")\` asks for ${shieldedMs} ms; more than 0 and at most ${limits.shieldedMsMax} are allowed.`,
          );
        const inner = child(name);
        return body(this.#context({ ...inner, shielded: true, shieldedMs: shieldedMs ?? inner.shieldedMs }));
      },
      now: () => this.#nowMs,
      random: () => this.#random(),
      get cancelled() {
        return isCancelled();
      },
    };
    return this.#counted(context);
  }

  /** mulberry32: small, well distributed, and repeatable for the same run (I2). */
  #random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

function turnIsOver(): BatonError {
  return new BatonError("BATON_PROCESS_FAILED", "The turn of this process is over.");
}

/** A value that a process threw, as an error that the journal can hold. */
function thrownError(thrown: unknown): BatonError {
  if (isBatonError(thrown)) {
    if (errorDataSchema.safeParse(thrown.toData()).success) return thrown;
    const code = thrown.code in errorCatalogue ? thrown.code : "BATON_PROCESS_FAILED";
    return new BatonError(code, shown(String(thrown.message)), { cause: thrown });
  }
  if (thrown instanceof z.ZodError) return new BatonError("BATON_PROCESS_FAILED", fields(thrown), { cause: thrown });
  try {
    return toBatonError(thrown, "BATON_PROCESS_FAILED");
  } catch {
    return new BatonError("BATON_PROCESS_FAILED", "The process threw something that has no text.");
  }
}

/** Each field with its problem, for people. */
function fields({ issues }: z.ZodError): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join(".") || "(value)"}: ${message}`)
    .join("; ");
}

function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function uniqueKey(scope: Scope, name: string): EffectKey {
  const count = (scope.counts.get(name) ?? 0) + 1;
  scope.counts.set(name, count);
  return `${scope.path}${name}${count === 1 ? "" : `#${count}`}` as EffectKey;
}

function childOf(scope: Scope, name: string): Scope {
  return {
    path: `${uniqueKey(scope, name)}/`,
    parent: scope,
    counts: new Map(),
    shielded: scope.shielded,
    shieldedMs: scope.shieldedMs,
    abandoned: false,
  };
}

function isWithin(scope: Scope | null, ancestor: Scope): boolean {
  for (let at = scope; at !== null; at = at.parent) if (at === ancestor) return true;
  return false;
}

function isAbandoned(scope: Scope | null): boolean {
  for (let at = scope; at !== null; at = at.parent) if (at.abandoned) return true;
  return false;
}

/** A process may leave an effect in the background and never await it. The effect's failure must not stop the host. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  // This call is not a wait of the process.
  void Promise.prototype.then.call(promise, undefined, () => {});
  return promise;
}

async function settleAll<T>(bodies: (() => Promise<T>)[], runningMax: number): Promise<PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = Array.from({ length: bodies.length });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < bodies.length) {
      const index = next++;
      try {
        results[index] = { status: "fulfilled", value: await (bodies[index] as () => Promise<T>)() };
      } catch (reason) {
        results[index] = { status: "rejected", reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(runningMax, bodies.length)) }, lane));
  return results;
}

function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
