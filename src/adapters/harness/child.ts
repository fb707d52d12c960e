/**
 * One child process of an agent, from start to certain end.
 *
 * H3 Whatever happens, nothing of it is left: TERM to the group, grace, KILL, then survivors by their marker in the environment.
 * CH1 Output is bounded: lines are cut, the transcript keeps head and tail.
 */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { limits } from "../../core/limits.ts";

export interface ChildOptions {
  command: string[];
  cwd: string;
  env: Record<string, string>;
  input: string | null;
  timeoutMs: number;
  silenceMs: number;
  /** Value of BATON_ATTEMPT in `env`. */
  marker: string;
  signal: AbortSignal;
  onLine(line: string, stream: "stdout" | "stderr"): void;
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
  transcript: string;
  transcriptTruncated: boolean;
  durationMs: number;
}

export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const [program = "", ...args] = options.command;
  const startedAt = performance.now();
  const transcript = new Transcript();
  const end = { missing: false, timedOut: false, silent: false, aborted: false };
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
    ...(options.input === null ? { stdin: "ignore" as const } : { input: options.input }),
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
  });
  let stopping: Promise<void> | null = null;
  const stop = (why: "timedOut" | "silent" | "aborted"): void => {
    if (stopping !== null) return;
    end[why] = true;
    stopping = killGroup(child.pid, options.killGraceMs ?? limits.killGraceMs, child);
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
      transcript.add(line);
      options.onLine(line, name);
    });
    child[name]?.on("data", (chunk: Buffer) => {
      heard();
      lines.push(chunk);
    });
    child[name]?.on("end", () => lines.end());
  };
  read("stdout");
  read("stderr");
  try {
    const result = await child;
    if (stopping !== null) await stopping;
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
    options.signal.removeEventListener("abort", onAbort);
    signalGroup(child.pid, "SIGKILL");
    await killSurvivors(options.marker);
  }
}

async function killGroup(pid: number | undefined, graceMs: number, ended: PromiseLike<unknown>): Promise<void> {
  signalGroup(pid, "SIGTERM");
  const grace = new AbortController();
  await Promise.race([
    Promise.resolve(ended).then(() => {}),
    delay(graceMs, undefined, { signal: grace.signal }).catch(() => {}),
  ]);
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

/** Tools start groups of their own; they carry the attempt's marker in their environment (Linux). */
export async function killSurvivors(marker: string): Promise<number> {
  const needle = `BATON_ATTEMPT=${marker}\0`;
  let killed = 0;
  for (let round = 0; round < 5; round += 1) {
    const found = await findByMarker(needle);
    if (found.length === 0) return killed;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
        killed += 1;
      } catch {
        // Ended meanwhile.
      }
    }
    await delay(20);
  }
  return killed;
}

async function findByMarker(needle: string): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  );
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      return `${environment}\0`.includes(needle) ? Number(pid) : null;
    }),
  );
  return found.filter((pid): pid is number => pid !== null);
}

/** Bytes to lines: cut at the limit, invalid UTF-8 replaced, the last one also without its newline. */
class LineCutter {
  readonly #emit: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #skipping = false;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) {
      if (this.#skipping) this.#skipping = false;
      else this.#emit(part.slice(0, limits.transcriptLineBytesMax).replace(/\r$/, ""));
    }
    if (this.#rest.length > limits.transcriptLineBytesMax) {
      if (!this.#skipping) this.#emit(this.#rest.slice(0, limits.transcriptLineBytesMax));
      this.#rest = "";
      this.#skipping = true;
    }
  }

  end(): void {
    const last = this.#rest + this.#decoder.decode();
    if (last !== "" && !this.#skipping) this.#emit(last);
    this.#rest = "";
  }
}

/** Keeps the first half and the last half of what it may keep. */
class Transcript {
  #head = "";
  #tail: string[] = [];
  #tailLength = 0;
  #dropped = 0;
  readonly #half = limits.transcriptBytesMax / 2;

  add(line: string): void {
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
    const cut = this.#dropped > 0 ? `… (${this.#dropped} lines left out)\n` : "";
    return { transcript: this.#head + cut + this.#tail.join("\n"), transcriptTruncated: this.#dropped > 0 };
  }
}
