/** A Baton in its own process, which a test starts. It stands by, begins at a word, prints its address, and is killed. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { signalProcess } from "../../src/adapters/child/process-table.ts";
import { shortLived } from "../short-lived.ts";

export class BatonProcess {
  readonly ended: Promise<void>;
  /** null until it listens. */
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
    this.#process = spawn(process.execPath, [...shortLived, path], {
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

  /** The text after `prefix` on the next line that begins with it. Empty if the process ends first. */
  line(prefix: string): Promise<string> {
    const said = new Promise<string>((resolve) => this.#waiting.push({ prefix, resolve }));
    return Promise.race([said, this.ended.then(() => "")]);
  }

  go(): void {
    this.#process.stdin.write("go\n");
  }

  /** Whether it ends, or ended, by a signal of the test. */
  get wasKilled(): boolean {
    return this.#process.killed;
  }

  pause(): void {
    signalProcess(this.pid, "SIGSTOP");
  }

  goOn(): void {
    signalProcess(this.pid, "SIGCONT");
  }

  /** Kills at once, wherever it is. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}
