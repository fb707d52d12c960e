/**
 * One child process of an agent, from start to certain end.
 *
 * H3 Whatever happens, nothing of it is left: TERM to the group and to all that carry its marker, grace, KILL.
 * CH1 Output is bounded: lines are cut, the transcript keeps head and tail, a flood is stopped.
 * CH2 The end of the first process is the end of the attempt: who holds its pipes open after that is killed, not waited for.
 */
import { readdir, readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { limits } from "../../core/limits.ts";

export interface ChildOptions {
  command: string[];
  cwd: string;
  env: Record<string, string>;
  /** A stream is kept open for as long as it is: a conversation. */
  input: string | Readable | null;
  timeoutMs: number;
  silenceMs: number;
  /** Value of BATON_ATTEMPT in `env`. */
  marker: string;
  signal: AbortSignal;
  onLine(line: string, stream: "stdout" | "stderr"): void;
  /** False: the line does not belong into the transcript. */
  keeps?(line: string): boolean;
  killGraceMs?: number;
}

export interface ChildEnd {
  exitCode: number | null;
  signal: string | null;
  /** Exactly one may be true; none when it ended by itself. */
  missing: boolean;
  timedOut: boolean;
  silent: boolean;
  aborted: boolean;
  /** It printed more than anybody will read. */
  flooded: boolean;
  transcript: string;
  transcriptTruncated: boolean;
  durationMs: number;
}

/** A line longer than this is cut before it is parsed; the transcript cuts earlier. Results with whole files in them fit. */
const lineCharactersMax = 4 * 1024 * 1024;
/** Streams of an hour's work stay below a tenth of this. */
const outputBytesMax = 256 * 1024 * 1024;
/** From the end of the process to the end of its pipes, when somebody else holds them. */
const drainMs = 1_000;

export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const [program = "", ...args] = options.command;
  const startedAt = performance.now();
  const transcript = new Transcript();
  const end = { missing: false, timedOut: false, silent: false, aborted: false, flooded: false };
  if (options.signal.aborted)
    return {
      ...end,
      aborted: true,
      exitCode: null,
      signal: null,
      transcript: "",
      transcriptTruncated: false,
      durationMs: 0,
    };
  const child = execa(program, args, {
    cwd: options.cwd,
    env: options.env,
    extendEnv: false,
    // Its own process group, so that one signal reaches what it starts.
    detached: true,
    // Written and closed; without input it is closed at once.
    input: options.input ?? "",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
  });
  const exited = new Promise<void>((resolve) => {
    child.nodeChildProcess.once("exit", () => resolve());
    child.nodeChildProcess.once("error", () => resolve());
  });
  let drain: NodeJS.Timeout | undefined;
  // CH2
  void exited.then(async () => {
    await killSurvivors(options.marker);
    drain = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, drainMs);
  });
  const stopping: Promise<void>[] = [];
  let outputBytes = 0;
  const stop = (why: "timedOut" | "silent" | "aborted" | "flooded"): void => {
    if (stopping.length > 0) return;
    end[why] = true;
    stopping.push(killAll(child.pid, options.marker, options.killGraceMs ?? limits.killGraceMs, exited));
  };
  const timeout = setTimeout(() => stop("timedOut"), options.timeoutMs);
  let silence = setTimeout(() => stop("silent"), options.silenceMs);
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => stop("silent"), options.silenceMs);
  };
  const onAbort = (): void => stop("aborted");
  options.signal.addEventListener("abort", onAbort, { once: true });
  const read = (name: "stdout" | "stderr"): void => {
    const lines = new LineCutter((line) => {
      if (options.keeps?.(line) !== false) transcript.add(line);
      options.onLine(line, name);
    });
    child[name]?.on("data", (chunk: Buffer) => {
      heard();
      outputBytes += chunk.length;
      if (outputBytes > outputBytesMax) stop("flooded");
      else lines.push(chunk);
    });
    child[name]?.on("end", () => lines.end());
  };
  read("stdout");
  read("stderr");
  try {
    const result = await child;
    await Promise.all(stopping);
    end.missing = result.code === "ENOENT" || result.code === "EACCES";
    return {
      ...end,
      exitCode: result.exitCode ?? null,
      signal: result.signal ?? null,
      ...transcript.end(),
      durationMs: performance.now() - startedAt,
    };
  } finally {
    clearTimeout(timeout);
    clearTimeout(silence);
    clearTimeout(drain);
    options.signal.removeEventListener("abort", onAbort);
    signalGroup(child.pid, "SIGKILL");
    await killSurvivors(options.marker);
  }
}

async function killAll(pid: number | undefined, marker: string, graceMs: number, exited: Promise<void>): Promise<void> {
  signalGroup(pid, "SIGTERM");
  for (const survivor of await findByMarker(marker)) if (survivor !== pid) signalOne(survivor, "SIGTERM");
  const grace = new AbortController();
  await Promise.race([exited, delay(graceMs, undefined, { signal: grace.signal }).catch(() => {})]);
  grace.abort();
  signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone.
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // Ended meanwhile.
    return false;
  }
}

/** A killed process still has to be given a core to end on; on a busy machine that takes a while, in kernel sleep for ever. */
const killPatienceMs = 5_000;

/** Tools start groups of their own; they carry the attempt's marker in their environment (Linux). Returns when they are gone. */
export async function killSurvivors(marker: string): Promise<number> {
  const killed = new Set<number>();
  const until = performance.now() + killPatienceMs;
  for (;;) {
    const found = await findByMarker(marker);
    for (const pid of found) if (signalOne(pid, "SIGKILL")) killed.add(pid);
    // One that is ending has no environment any more, but is still there.
    const ending = await Promise.all([...killed].map(isRunning));
    if ((found.length === 0 && !ending.includes(true)) || performance.now() > until) return killed.size;
    await delay(20);
  }
}

/** False for a process that only waits for its parent to ask how it ended. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}

export async function findByMarker(marker: string): Promise<number[]> {
  const needle = `\0BATON_ATTEMPT=${marker}\0`;
  const pids = (await readdir("/proc").catch(() => [])).filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  );
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      return `\0${environment}\0`.includes(needle) ? Number(pid) : null;
    }),
  );
  return found.filter((pid): pid is number => pid !== null);
}

/** Bytes to lines: cut at the limit, invalid UTF-8 replaced, the last one also without its newline. */
class LineCutter {
  readonly #emit: (line: string) => void;
  readonly #decoder = new TextDecoder();
  /** Pieces of the line that is not at its end; joined once, so that a long line costs no more than its length. */
  #pieces: string[] = [];
  #length = 0;
  #skipping = false;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    const parts = this.#decoder.decode(chunk, { stream: true }).split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
      this.#add(part);
      this.#flush();
      this.#skipping = false;
    }
    this.#add(rest);
  }

  end(): void {
    this.#add(this.#decoder.decode());
    if (this.#length > 0) this.#flush();
  }

  #add(piece: string): void {
    if (this.#skipping) return;
    this.#pieces.push(piece.slice(0, lineCharactersMax - this.#length));
    this.#length += piece.length;
    if (this.#length < lineCharactersMax) return;
    this.#flush();
    this.#skipping = true;
  }

  #flush(): void {
    if (this.#skipping) return;
    this.#emit(this.#pieces.join("").replace(/\r$/, ""));
    this.#pieces = [];
    this.#length = 0;
  }
}

/** Keeps the first half and the last half of what it may keep. */
class Transcript {
  #head = "";
  #tail: string[] = [];
  #tailLength = 0;
  #dropped = 0;
  #cut = false;
  readonly #half = limits.transcriptBytesMax / 2;

  add(whole: string): void {
    const line = whole.slice(0, limits.transcriptLineBytesMax);
    if (line.length < whole.length) this.#cut = true;
    if (this.#head.length + line.length < this.#half && this.#tail.length === 0) {
      this.#head += `${line}\n`;
      return;
    }
    this.#tail.push(line);
    this.#tailLength += line.length + 1;
    while (this.#tailLength > this.#half && this.#tail.length > 1) {
      const gone = this.#tail.shift() ?? "";
      this.#tailLength -= gone.length + 1;
      this.#dropped += 1;
    }
  }

  end(): { transcript: string; transcriptTruncated: boolean } {
    const note = this.#dropped > 0 ? `… (${this.#dropped} lines left out)\n` : "";
    return {
      transcript: this.#head + note + this.#tail.join("\n"),
      transcriptTruncated: this.#cut || this.#dropped > 0,
    };
  }
}
