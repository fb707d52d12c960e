/**
 * One child process, from its start to its certain end. Owns the limits and the end, not the meaning of the output.
 *
 * RU1 The call ends when the first process ends. Any process that holds its pipes open after that is killed.
 * RU2 A limit settles the call within the grace period plus a few seconds, even for an unkillable process.
 */
import { limits } from "../../core/limits.ts";
import type { ChildSpec, ChildStatus } from "../../ports/child.ts";
import type { SandboxDenial } from "../../ports/sandbox.ts";
import { Family } from "./family.ts";
import { type Exit, type Launch, type Launched } from "./launcher.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { signalGroup } from "./process-table.ts";

export interface RunSpec extends ChildSpec {
  outputBytesMax: number;
  /** Null: the process may be silent. */
  silenceMs: number | null;
  /** `NAME=value` in its environment. Null: Baton does not search for descendants after a good end. */
  marker: string | null;
  onChunk(name: StreamName, chunk: Buffer): void;
}

export type StreamName = "stdout" | "stderr";

export interface RunEnd extends ChildStatus {
  silent: boolean;
}

/** From the end of the process to the end of its pipes, when another process holds them. */
const drainMs = 1_000;
/** From SIGKILL to the end of the process. */
const killedMs = 1_000;
/** How often Baton looks for descendants of a child, by the process that adopts orphans. */
const lookMs = { plain: 100, supervised: 1_000, confined: null };
const timerMsMax = 2 ** 31 - 1;

export async function run(spec: RunSpec, launch: Launch): Promise<RunEnd> {
  const begun = performance.now();
  const status = new Status();
  const isAborted = (): boolean => spec.signal?.aborted === true;
  if (isAborted()) return { ...status.end(null), aborted: true, durationMs: 0 };
  const starter = await launch();
  const prepared = await prepare(spec, spec.marker !== null, starter.pid);
  if (prepared === null) return { ...status.end(null), missing: true, durationMs: performance.now() - begun };
  let exit: Exit | null = null;
  let denied: SandboxDenial | null = null;
  try {
    if (!isAborted()) {
      const giveUp = AbortSignal.any([
        // A timer of Node accepts whole milliseconds only. The rest of a deadline rarely is a whole number.
        AbortSignal.timeout(Math.min(Math.ceil(spec.timeoutMs), timerMsMax)),
        ...(spec.signal === undefined ? [] : [spec.signal]),
      ]);
      const child = await starter.start({ ...prepared, input: spec.input ?? null, giveUp });
      exit = await new Run(spec, { prepared, child, status }).ended;
    }
  } finally {
    denied = await prepared.release(exit !== null && exit.exitCode !== 0);
  }
  if (exit === null) return { ...status.end(null), aborted: true, durationMs: performance.now() - begun };
  status.reason ??= denied;
  return { ...status.end(exit), durationMs: performance.now() - begun };
}

type Reason = "timedOut" | "silent" | "aborted" | "flooded" | SandboxDenial;

/** The first reason counts. */
class Status {
  reason: Reason | null = null;

  end(exit: Exit | null): RunEnd {
    const { reason } = this;
    return {
      exitCode: exit?.exitCode ?? null,
      signal: exit?.signal ?? null,
      missing: exit?.missing ?? false,
      timedOut: reason === "timedOut",
      silent: reason === "silent",
      aborted: reason === "aborted",
      flooded: reason === "flooded",
      denied: typeof reason === "object" ? reason : null,
      durationMs: 0,
    };
  }
}

class Run {
  readonly ended: Promise<Exit>;
  readonly #spec: RunSpec;
  readonly #prepared: Prepared;
  readonly #status: Status;
  readonly #child: Launched;
  readonly #family: Family | null;
  readonly #closed: Promise<unknown>;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #stopped: Promise<Exit> | null = null;
  #isOver = false;
  #outputBytes = 0;
  #wake: () => void = () => {};

  constructor(spec: RunSpec, given: { prepared: Prepared; child: Launched; status: Status }) {
    const { prepared, child } = given;
    this.#spec = spec;
    this.#prepared = prepared;
    this.#status = given.status;
    this.#child = child;
    this.#family =
      child.pid === undefined
        ? null
        : new Family({ root: child.pid, marker: spec.marker, isHolder: prepared.kind !== "plain", born: child.born });
    this.#closed = Promise.all([this.#read("stdout"), this.#read("stderr")]);
    this.ended = this.#live();
  }

  async #live(): Promise<Exit> {
    const { signal, timeoutMs } = this.#spec;
    const onAbort = (): void => this.#stop("aborted");
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#timer("limit", timeoutMs, () => this.#stop("timedOut"));
    this.#heard();
    const look = lookMs[this.#prepared.kind];
    if (look !== null && this.#spec.marker !== null)
      this.#timers.set(
        "look",
        setInterval(() => this.#family?.look(), look),
      );
    const pid = this.#child.pid;
    if (pid !== undefined) {
      if (this.#prepared.kind !== "supervised") live.add(pid);
      this.#prepared.started(pid, (why) => this.#stop(why));
    }
    try {
      const stopping = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // The signal aborted during the start.
      if (signal?.aborted === true) onAbort();
      await Promise.race([this.#child.exited, stopping]);
      const exit = (await this.#stopped) ?? (await this.#child.exited);
      this.#isOver = true;
      await this.#cleanUp();
      return this.#reported(exit);
    } finally {
      if (pid !== undefined) live.delete(pid);
      for (const timer of this.#timers.values()) clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #stop(why: Reason): void {
    if (this.#stopped !== null || (this.#isOver && why !== "flooded")) return;
    this.#status.reason = why;
    if (this.#isOver) return;
    this.#stopped = this.#forceEnd();
    this.#wake();
  }

  async #forceEnd(): Promise<Exit> {
    this.#family?.terminate();
    const polite = await within(this.#child.exited, this.#spec.killGraceMs ?? limits.killGraceMs);
    await this.#family?.kill();
    // RU2
    return (
      polite ?? (await within(this.#child.exited, killedMs)) ?? { exitCode: null, signal: "SIGKILL", missing: false }
    );
  }

  /** RU1 */
  async #cleanUp(): Promise<void> {
    if (this.#spec.marker !== null) await this.#family?.kill();
    else if (this.#child.pid !== undefined) signalGroup(this.#child.pid, "SIGKILL");
    if ((await within(this.#closed, drainMs)) !== null) return;
    await this.#family?.kill(true);
    if ((await within(this.#closed, drainMs)) !== null) return;
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** A sandbox reports the signal that ended the program the way a shell does. */
  #reported(exit: Exit): Exit {
    if (this.#prepared.kind !== "confined" || this.#status.reason === null) return exit;
    if (exit.exitCode === 128 + 15) return { ...exit, exitCode: null, signal: "SIGTERM" };
    if (exit.exitCode === 128 + 9) return { ...exit, exitCode: null, signal: "SIGKILL" };
    return exit;
  }

  #read(name: StreamName): Promise<true> {
    const stream = this.#child[name];
    stream?.on("data", (chunk: Buffer) => {
      this.#heard();
      this.#outputBytes += chunk.length;
      if (this.#outputBytes > this.#spec.outputBytesMax) this.#stop("flooded");
      if (this.#status.reason !== "flooded") this.#spec.onChunk(name, chunk);
    });
    return new Promise((resolve) => {
      if (stream === null) resolve(true);
      stream?.once("close", () => resolve(true));
      stream?.resume();
    });
  }

  #heard(): void {
    const { silenceMs } = this.#spec;
    if (silenceMs !== null) this.#timer("silence", silenceMs, () => this.#stop("silent"));
  }

  #timer(name: string, ms: number, act: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(act, Math.min(ms, timerMsMax)));
  }
}

/** Null: the promise did not settle within this time. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  // Each call of a program waits here. A timer that is aborted costs an error with its stack, a cleared one nothing.
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Groups of running children. */
const live = new Set<number>();
// Their own groups keep them from the signals of Baton's terminal. Supervised ones notice Baton's end by themselves.
process.once("exit", () => {
  for (const group of live) signalGroup(group, "SIGKILL");
});
