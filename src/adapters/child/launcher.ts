/**
 * Starts programs. Baton starts them itself while it is small. A small process starts them once Baton has grown.
 *
 * LA1 A fork copies the page tables of its parent and stops the parent meanwhile. That takes 14 ms at 500 MB and 0.6 ms
 *     at 40 MB.
 * LA2 The launcher has an empty environment. Outputs come over local sockets, each with a word that only the launcher
 *     knows.
 * LA3 A launcher that ends kills everything that it started. The next call gets another launcher.
 * LA4 A start fails alone if it is not answered in time or nobody waits for it. The programs of other calls go on.
 *     The next call gets another launcher. The late one ends with the last of its programs, at the latest when it has
 *     not answered for as long again.
 * Not covered: systems without abstract sockets (all but Linux). There Baton starts its programs itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { platform } from "node:process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import type { Born } from "./family.ts";
import { launcherSource } from "./launcher-source.ts";
import { openInput, writeInput } from "./open-input.ts";
import { processTable, signalGroup } from "./process-table.ts";

export interface LaunchSpec {
  command: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  input: string | Uint8Array | Readable | null;
  /** Aborts when nobody waits for the start anymore. */
  giveUp?: AbortSignal;
}

export interface Exit {
  exitCode: number | null;
  signal: string | null;
  /** The program does not exist or may not be executed. */
  missing: boolean;
}

export interface Launched {
  /** Undefined: the program did not start. */
  pid: number | undefined;
  stdout: Readable | null;
  stderr: Readable | null;
  exited: Promise<Exit>;
  /** The birth that the parent saw right after the start. Null: Baton is the parent and looks itself. */
  born: Born | null;
}

export interface Launcher {
  /** The parent of the programs that it starts. */
  pid: number;
  start(spec: LaunchSpec): Promise<Launched>;
}

/** From this size on, a fork costs more than a call to the launcher. */
const largeBytes = 150 * 1024 * 1024;
const headBytesMax = 200;
const answerMsDefault = 60_000;
const killed: Exit = { exitCode: null, signal: "SIGKILL", missing: false };

export type Launch = () => Promise<Launcher>;

/** Baton itself while it is small. */
export const launcherBySize: Launch = async () => (process.memoryUsage.rss() < largeBytes ? itself : smallLauncher());

/** One launcher at a time, for all calls. */
export function oneSmallLauncher(answerMs = answerMsDefault): Launch {
  let small: Promise<SmallProcess> | null = null;
  return async () => {
    if (platform !== "linux") return itself;
    const mine = (small ??= SmallProcess.begin(answerMs, () => {
      if (small === mine) small = null;
    }));
    // A launcher that cannot be started costs time, but the call goes on.
    return mine.catch(() => {
      if (small === mine) small = null;
      return itself;
    });
  };
}

export const smallLauncher: Launch = oneSmallLauncher();

function isMissing(code: string | undefined): boolean {
  return code === "ENOENT" || code === "EACCES";
}

export const itself: Launcher = {
  pid: process.pid,

  async start({ command, cwd, env, input }) {
    const [program = "", ...args] = command;
    const isStream = isReadable(input);
    const file = input === null || isStream || input.length === 0 ? null : openInput(input);
    try {
      const child = execa(program, args, {
        cwd,
        env,
        extendEnv: false,
        // Its own process group, so that one signal reaches everything that the program starts.
        detached: true,
        // Any open descriptor works. The types list only the first few.
        stdin: file !== null ? (file.descriptor as 3) : isStream ? "pipe" : "ignore",
        stdout: "pipe",
        stderr: "pipe",
        buffer: false,
        reject: false,
      });
      if (isStream && child.stdin !== null) feed(child.stdin, input);
      const exited = new Promise<Exit>((resolve) => {
        child.nodeChildProcess.once("exit", (exitCode, signal) => resolve({ exitCode, signal, missing: false }));
        // The program never started.
        void child.then(({ code, exitCode = null, signal = null }) =>
          resolve({ exitCode, signal, missing: isMissing(code) }),
        );
      });
      return { pid: child.nodeChildProcess.pid, stdout: child.stdout, stderr: child.stderr, exited, born: null };
    } finally {
      file?.close();
    }
  },
};

interface Told {
  id: number;
  ready?: true;
  pid?: number;
  born?: Born | null;
  code?: string;
  exitCode?: number | null;
  signal?: string | null;
}

interface Asked {
  /** Null: the program did not start. */
  started(told: { pid: number; born: Born | null } | null): void;
  ended(exit: Exit): void;
  pid: number | undefined;
}

class SmallProcess implements Launcher {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #address: string;
  readonly #word = randomUUID();
  readonly #asked = new Map<number, Asked>();
  readonly #awaited = new Map<string, (socket: Socket) => void>();
  readonly #answerMs: number;
  readonly #onEnd: () => void;
  /** Starts that nobody waits for, and that the launcher has not answered yet. */
  readonly #unanswered = new Set<number>();
  #last = 0;
  #isRetired = false;

  static async begin(answerMs: number, onEnd: () => void): Promise<SmallProcess> {
    // An abstract address has no file and ends with this process.
    const address = `\0baton-launcher-${randomUUID()}`;
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address, resolve);
    });
    server.unref();
    const child = spawn(process.execPath, ["-e", launcherSource], {
      cwd: "/",
      env: {},
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced",
    });
    const launched = new SmallProcess(child, server, address, { answerMs, onEnd });
    const patience = new AbortController();
    try {
      await Promise.race([
        once(child, "message", { signal: patience.signal }),
        once(child, "exit", { signal: patience.signal }).then(() => {
          throw new Error("The launcher ended before it began.");
        }),
        delay(answerMs, null, { signal: patience.signal }).then(() => {
          throw new Error("The launcher did not begin.");
        }),
      ]);
    } catch (thrown) {
      child.kill("SIGKILL");
      server.close();
      throw thrown;
    } finally {
      patience.abort();
    }
    launched.#rest();
    return launched;
  }

  private constructor(
    child: ChildProcess,
    server: Server,
    address: string,
    { answerMs, onEnd }: { answerMs: number; onEnd: () => void },
  ) {
    this.pid = child.pid ?? process.pid;
    this.#child = child;
    this.#server = server;
    this.#address = address;
    this.#answerMs = answerMs;
    this.#onEnd = onEnd;
    server.on("connection", (socket) => this.#meet(socket));
    child.on("message", (told: Told) => this.#hear(told));
    child.on("error", () => {});
    child.once("exit", () => {
      onEnd();
      this.#end();
    });
  }

  async start({ command, cwd, env, input, giveUp }: LaunchSpec): Promise<Launched> {
    this.#last += 1;
    const id = this.#last;
    const isStream = isReadable(input);
    const file = input === null || isStream || input.length === 0 ? null : writeInput(input);
    const names = isStream ? ["stdin", "stdout", "stderr"] : ["stdout", "stderr"];
    const sockets = new Map<string, Socket>();
    const connected = names.map(
      (name) =>
        new Promise<void>((resolve) => {
          this.#awaited.set(`${id} ${name}`, (socket) => {
            sockets.set(name, socket);
            resolve();
          });
        }),
    );
    const { promise: exited, resolve: ended } = Promise.withResolvers<Exit>();
    const { promise: begun, resolve: started } = Promise.withResolvers<Parameters<Asked["started"]>[0]>();
    const nothing = { pid: undefined, stdout: null, stderr: null, exited, born: null };
    this.#asked.set(id, { started, ended, pid: undefined });
    this.#child.ref();
    this.#child.channel?.ref();
    this.#child.send(
      { id, command, cwd, env, input: file?.path ?? null, isStream, address: this.#address, word: this.#word },
      (error) => {
        if (error !== null) this.#over(id, killed);
      },
    );
    const { late, stop } = lateAfter(this.#answerMs, giveUp);
    try {
      const told = await Promise.race([begun, late]);
      // LS1
      const whole = told === null || told === "late" ? null : await Promise.race([Promise.all(connected), late]);
      if (told === null || told === "late" || whole === null || whole === "late") {
        // LA4
        if (told === "late") this.#unanswered.add(id);
        if (told === "late" && giveUp?.aborted !== true) this.#retire();
        for (const socket of sockets.values()) socket.destroy();
        if (told !== null && told !== "late") signalGroup(told.pid, "SIGKILL");
        this.#over(id, killed);
        return nothing;
      }
      const stdin = sockets.get("stdin");
      // Only its end comes back on this socket.
      if (isStream && stdin !== undefined) feed(stdin.resume(), input);
      return { ...told, stdout: sockets.get("stdout") ?? null, stderr: sockets.get("stderr") ?? null, exited };
    } finally {
      stop();
      for (const name of names) this.#awaited.delete(`${id} ${name}`);
      file?.remove();
    }
  }

  /** The first line names the program whose output the socket carries. */
  #meet(socket: Socket): void {
    socket.on("error", () => {});
    socket.setTimeout(this.#answerMs, () => socket.destroy());
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\n");
      if (end < 0 && head.length <= headBytesMax) return;
      socket.off("data", read);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      socket.pause();
      const [word, ...name] = head.subarray(0, Math.max(end, 0)).toString("latin1").split(" ");
      const take = this.#awaited.get(name.join(" "));
      if (word !== this.#word || take === undefined) {
        socket.destroy();
        return;
      }
      if (head.length > end + 1) socket.unshift(head.subarray(end + 1));
      take(socket);
    };
    socket.on("data", read);
  }

  #hear({ id, pid, born, code, exitCode, signal }: Told): void {
    const asked = this.#asked.get(id);
    this.#unanswered.delete(id);
    if (pid === undefined) {
      this.#over(id, { exitCode: exitCode ?? null, signal: signal ?? null, missing: isMissing(code) });
    } else if (asked === undefined) {
      // Nobody waits for it anymore.
      signalGroup(pid, "SIGKILL");
      this.#rest();
    } else {
      asked.pid = pid;
      asked.started({ pid, born: born ?? null });
    }
  }

  #over(id: number, exit: Exit): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.started(null);
    asked?.ended(exit);
    this.#rest();
  }

  /** LA4 */
  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#onEnd();
    setTimeout(() => {
      this.#unanswered.clear();
      this.#rest();
    }, this.#answerMs).unref();
  }

  /** A launcher without running programs does not keep Baton from ending. A retired one ends. */
  #rest(): void {
    if (this.#asked.size > 0) return;
    if (this.#isRetired && this.#unanswered.size === 0) {
      // It may have started one of them without a word.
      for (const { pid, parent } of processTable().values()) if (parent === this.pid) signalGroup(pid, "SIGKILL");
      this.#child.kill("SIGKILL");
    }
    this.#child.unref();
    this.#child.channel?.unref();
  }

  /** LA3 */
  #end(): void {
    this.#server.close();
    for (const [id, { pid }] of this.#asked) {
      if (pid !== undefined) signalGroup(pid, "SIGKILL");
      this.#over(id, killed);
    }
  }
}

/** A program that does not read to the end is not an error. The input still belongs to its owner. */
function feed(stdin: Writable, input: Readable): void {
  stdin.on("error", () => {});
  // A source that closed before its end has no more data. It may have closed while the program was starting.
  if (input.destroyed) stdin.end();
  else
    input
      .once("error", () => stdin.destroy())
      .once("close", () => stdin.end())
      .pipe(stdin);
}

/** `late` resolves after `ms`, or when nobody waits anymore. It never resolves after `stop`. */
function lateAfter(ms: number, giveUp?: AbortSignal): { late: Promise<"late">; stop(): void } {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const onLate = (): void => resolve("late");
  const timer = setTimeout(onLate, ms);
  if (giveUp?.aborted === true) onLate();
  giveUp?.addEventListener("abort", onLate, { once: true });
  return {
    late,
    stop() {
      clearTimeout(timer);
      giveUp?.removeEventListener("abort", onLate);
    },
  };
}

function isReadable(input: LaunchSpec["input"]): input is Readable {
  return input !== null && typeof input === "object" && "pipe" in input;
}
