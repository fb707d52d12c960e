/** A Baton in a process of its own, started by a test: it stands by, begins at a word, says where it listens, and is killed. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { signalProcess } from "../../src/adapters/child/process-table.ts";

export class BatonProcess {
  readonly ended: Promise<void>;
  /** Null until it listens. */
  url: string | null = null;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: { prefix: string; resolve: (rest: string) => void }[] = [];

  /** `onLine` hears each whole line of its standard output, in order. */
  constructor(
    path: string,
    environment: Record<string, string | undefined>,
    onLine: (line: string) => void = () => {},
  ) {
    const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
    // A short life does not pay for optimised code of the database.
    this.#process = spawn(process.execPath, ["--liftoff-only", path], {
      env: { ...env, PATH: process.env["PATH"] } as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#process.stderr.pipe(process.stderr, { end: false });
    // A child that is killed while it stands by breaks the pipe.
    this.#process.stdin.on("error", () => {});
    this.ended = new Promise((resolve) => this.#process.once("close", () => resolve()));
    let text = "";
    this.#process.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("ready ")) this.url = line.slice(6);
        onLine(line);
        for (const { prefix, resolve } of this.#waiting)
          if (line.startsWith(prefix)) resolve(line.slice(prefix.length));
      }
    });
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** What follows `prefix` on the first line from now on that begins with it; empty when the process ends without it. */
  line(prefix: string): Promise<string> {
    const said = new Promise<string>((resolve) => this.#waiting.push({ prefix, resolve }));
    return Promise.race([said, this.ended.then(() => "")]);
  }

  go(): void {
    this.#process.stdin.write("go\n");
  }

  /** It ends, or ended, by a signal of ours. */
  get wasKilled(): boolean {
    return this.#process.killed;
  }

  pause(): void {
    signalProcess(this.pid, "SIGSTOP");
  }

  goOn(): void {
    signalProcess(this.pid, "SIGCONT");
  }

  /** At once, wherever it is. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}
