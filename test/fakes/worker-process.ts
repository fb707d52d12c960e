/** Starts `contract/worker-process.ts`, reads its output, and kills it without warning. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { builtProgram } from "../built-program.ts";

const script = await builtProgram(fileURLToPath(new URL("../contract/worker-process.ts", import.meta.url)));

export interface WorkerProcess {
  pid: number;
  /** All its lines so far. */
  lines: string[];
  /** The first line with this beginning, past or future. Fails if the process ends without it. */
  line(prefix: string): Promise<string>;
  /** Sends SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
}

export function startWorkerProcess(...args: string[]): WorkerProcess {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const closed = once(child, "close");
  const waiters = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of waiters) wake();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    wakeAll();
  });
  let over = false;
  void closed.then(() => {
    over = true;
    wakeAll();
  });
  return {
    pid: child.pid ?? 0,
    lines,
    async line(prefix) {
      for (;;) {
        const found = lines.find((line) => line.startsWith(prefix));
        if (found !== undefined) return found;
        if (over) throw new Error(`The process ended without "${prefix}": ${errors}`);
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiters.delete(wake);
            resolve();
          };
          waiters.add(wake);
        });
      }
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
