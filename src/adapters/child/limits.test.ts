/** The input, the limits and the sandbox's part of a call. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallSpec } from "../../ports/child.ts";
import type { ConfinedCommand, Confinement, SandboxDenial } from "../../ports/sandbox.ts";
import { childrenBy } from "./children.ts";
import { itself, type Launch, smallLauncher } from "./launcher.ts";
import { processIds, processRow } from "./process-table.ts";

const path = process.env["PATH"] ?? "/usr/bin:/bin";
const launches: [who: string, launch: Launch][] = [
  ["Baton", async () => itself],
  ["the launcher", smallLauncher],
];
describe.each(launches)("started by %s", (who, launch) => {
  const children = childrenBy(launch);
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "baton-child-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const call = (script: string, options: Partial<CallSpec> = {}) =>
    children.call({
      command: ["bash", "-c", script],
      cwd: directory,
      env: { PATH: path },
      timeoutMs: 60_000,
      outputBytesMax: 1_000_000,
      ...options,
    });
  const isRunning = (file: string): boolean => {
    const row = processRow(Number(readFileSync(join(directory, file), "utf8")));
    return row !== null && !row.ended;
  };
  /** Blocks the event loop until a file exists. */
  function blockUntil(file: string): void {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + 60_000;
    while (!existsSync(join(directory, file)) && performance.now() < until) Atomics.wait(cell, 0, 0, 10);
  }

  describe("input", () => {
    it("a blocked event loop does not keep it from the child", async () => {
      const prompt = "word ".repeat(1_000_000);
      let wasBlocked = false;
      // Like real programs, this one assumes that there is no input if none arrives in time.
      const script = `
      const fs = require("node:fs"); let text = "";
      process.stdin.on("data", (piece) => { text += piece; });
      const finish = () => { fs.writeFileSync("part", String(text.length)); fs.renameSync("part", "read"); process.exit(0); };
      process.stdin.on("end", finish);
      setTimeout(finish, 3000);
      console.log("ready");`;
      const end = await children.follow({
        command: [process.execPath, "-e", script],
        cwd: directory,
        env: { PATH: path, BATON_ATTEMPT: directory },
        input: prompt,
        timeoutMs: 120_000,
        silenceMs: 120_000,
        marker: directory,
        onLine: () => {
          blockUntil("read");
          wasBlocked = true;
        },
      });
      expect(end.exitCode).toBe(0);
      expect(wasBlocked).toBe(true);
      expect(readFileSync(join(directory, "read"), "utf8")).toBe(`${prompt.length}`);
    });

    it.each([
      ["text", "é\n".repeat(100_000)],
      ["bytes", Buffer.from([0, 255, 10, 13])],
      ["nothing", ""],
    ])("%s is a file at its begin that the child cannot write, and leaves no file behind", async (_, input) => {
      const before = readdirSync(tmpdir()).filter((name) => name.startsWith("baton-input-"));
      const end = await call("cat; echo x 2>/dev/null >&0 && echo written", { input });
      expect(end.stdout).toEqual(Buffer.from(input));
      const left = readdirSync(tmpdir()).filter((name) => name.startsWith("baton-input-"));
      expect(left.filter((name) => !before.includes(name))).toEqual([]);
    });

    it("a stream is a conversation", async () => {
      const input = new PassThrough();
      const work = call("read -r one; echo got $one; read -r two; echo got $two", { input });
      input.write("a\n");
      input.end("b\n");
      expect((await work).stdout.toString()).toBe("got a\ngot b\n");
    });
  });

  describe("a call", () => {
    const grandchild = (more: string): string =>
      `setsid bash -c '${more} echo $$ > made; mv made pid; exec sleep 3600' & until [ -e pid ]; do :; done;`;

    it.each([
      ["in another session", grandchild(""), ""],
      ["that ignores TERM", grandchild('trap "" TERM;'), ""],
      ["whose parent is gone", `( ${grandchild("")} ) &`, "until [ -e pid ]; do :; done;"],
    ])("settles at its limit though a grandchild %s holds its pipes", async (_, start, wait) => {
      const end = await call(`${start} ${wait} sleep 3600`, { timeoutMs: 5_000, killGraceMs: 500 });
      expect(end).toMatchObject({ timedOut: true, exitCode: null, signal: "SIGTERM" });
      expect(isRunning("pid")).toBe(false);
    });

    it("does not wait for one that holds its pipes after a good end, and leaves none", async () => {
      // A busy machine can run the whole program before Baton reads the names of its pipes. So it waits for that.
      const script = `env -i PATH="$PATH" ${grandchild("")} echo ready >&2; until [ -e seen ]; do :; done; echo done`;
      const end = await call(script, { onErrorText: () => writeFileSync(join(directory, "seen"), "") });
      expect(end).toMatchObject({ exitCode: 0, timedOut: false });
      expect(end.stdout.toString()).toBe("done\n");
      expect(isRunning("pid")).toBe(false);
    });

    // Baton cannot see the pipes of a program that ended before it looked; the launcher holds their other ends.
    it.skipIf(who === "Baton")("one that ends at once leaves none that holds its pipes either", async () => {
      const name = `holder-${directory.split("-").at(-1)}`;
      expect(await call(`setsid bash -c 'exec -a ${name} sleep 3600' & exit 0`)).toMatchObject({ exitCode: 0 });
      const left = processIds().filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(name);
        } catch {
          return false;
        }
      });
      expect(left).toEqual([]);
    });

    it("what ignores TERM is killed after the grace", async () => {
      const end = await call(`trap "" TERM; echo $$ > pid; while :; do sleep 1; done`, {
        timeoutMs: 3_000,
        killGraceMs: 300,
      });
      expect(end).toMatchObject({ timedOut: true, signal: "SIGKILL" });
      expect(isRunning("pid")).toBe(false);
    });

    it("more output than allowed ends it", async () => {
      const end = await call("yes", { outputBytesMax: 100_000, killGraceMs: 500 });
      expect(end).toMatchObject({ flooded: true, timedOut: false });
      expect(end.stdout.length).toBeLessThanOrEqual(100_000);
    });

    it.each(["/no/such/program", "no-such-program-here"])(
      "%s is missing, and an abort before the start starts nothing",
      async (program) => {
        expect(await call("", { command: [program] })).toMatchObject({ missing: true, exitCode: null });
        expect(await call("touch made", { signal: AbortSignal.abort() })).toMatchObject({
          aborted: true,
          durationMs: 0,
        });
        expect(existsSync(join(directory, "made"))).toBe(false);
      },
    );

    it("a limit beyond what timers can hold is no limit at once", async () => {
      expect(await call("echo yes", { timeoutMs: Number.POSITIVE_INFINITY })).toMatchObject({
        timedOut: false,
        exitCode: 0,
      });
    });
  });

  describe("a confined call", () => {
    const confined = (
      started: ConfinedCommand["started"],
      released: (failed: boolean) => SandboxDenial | null | void,
    ): Confinement => ({
      policy: {
        writable: [],
        readable: [],
        network: { hosts: [], loopbackPorts: [] },
        resources: { memoryBytesMax: 1, processesMax: 1, diskBytesMax: 1 },
      },
      prepare: async ({ command, env, cwd }) => ({
        command: ["env", "INSIDE=yes", ...command],
        env: { ...env, OUTSIDE: "no" },
        cwd: join(cwd, ".."),
        started,
        release: async (failed) => released(failed) ?? null,
      }),
    });

    it("what the kernel ended it for is told, of a program that failed alone", async () => {
      const denial = { kind: "memory", name: "1 MiB" } as const;
      const asked: boolean[] = [];
      const confinement = confined(
        () => {},
        (failed) => {
          asked.push(failed);
          return failed ? denial : null;
        },
      );
      expect(await call("exit 0", { confinement })).toMatchObject({ exitCode: 0, denied: null });
      expect(await call("kill -9 $$", { confinement })).toMatchObject({ signal: "SIGKILL", denied: denial });
      expect(await call("exit 137", { confinement })).toMatchObject({ exitCode: 137, denied: denial });
      expect(asked).toEqual([false, true, true]);
    });

    it("has its command, environment and directory from there, and releases it", async () => {
      const seen: string[] = [];
      const confinement = confined(
        (pid) => seen.push(`started ${pid > 0}`),
        () => void seen.push("released"),
      );
      const end = await call("echo $INSIDE $OUTSIDE; pwd", { confinement });
      expect(end.stdout.toString()).toBe(`yes no\n${join(directory, "..")}\n`);
      expect(seen).toEqual(["started true", "released"]);
    });

    it.each([
      ["a missing program", ["/no/such/program"], AbortSignal.any([])],
      ["a failure", ["false"], AbortSignal.any([])],
      ["an abort", ["true"], AbortSignal.abort()],
    ])("nothing is held after %s", async (_, command, signal) => {
      const seen: string[] = [];
      const confinement = confined(
        () => {},
        () => void seen.push("released"),
      );
      await call("", { confinement, command, signal });
      expect(seen).toEqual(signal.aborted ? [] : ["released"]);
    });

    it("a denial ends it, and is told", async () => {
      const denial: SandboxDenial = { kind: "memory", name: "512 MB" };
      const confinement = confined(
        (_, stop) => stop(denial),
        () => {},
      );
      const end = await call("sleep 600", { confinement, killGraceMs: 500 });
      expect(end).toMatchObject({ denied: denial, timedOut: false, aborted: false });
    });
  });
});
