/**
 * How a call ends. Nothing that the call started survives, however it hides. Limits hold, no matter which process holds
 * the pipes.
 */
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallSpec, FollowSpec } from "../../ports/child.ts";
import { childrenBy } from "./children.ts";
import { Family } from "./family.ts";
import { itself, type Launch, smallLauncher } from "./launcher.ts";
import { processIds, processRow } from "./process-table.ts";
import { supervisorWorks } from "./supervisor.ts";

const supervised = await supervisorWorks();
const path = process.env["PATH"] ?? "/usr/bin:/bin";
const launches: [who: string, launch: Launch][] = [
  ["Baton", async () => itself],
  ["the launcher", smallLauncher],
];
describe.each(launches)("started by %s", (_who, launch) => {
  const children = childrenBy(launch);
  let directory: string;
  let marker: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "baton-child-"));
    marker = `ends-test/${directory}`;
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const follow = (script: string, options: Partial<FollowSpec> = {}) =>
    children.follow({
      command: ["bash", "-c", script],
      cwd: directory,
      env: { PATH: path, BATON_ATTEMPT: marker },
      timeoutMs: 60_000,
      silenceMs: 60_000,
      marker,
      onLine: () => {},
      ...options,
    });
  const call = (script: string, options: Partial<CallSpec> = {}) =>
    children.call({
      command: ["bash", "-c", script],
      cwd: directory,
      env: { PATH: path },
      timeoutMs: 60_000,
      outputBytesMax: 1_000_000,
      ...options,
    });

  /** Writes its process id to `pid`, then stays. `detail` runs before that. */
  function program(detail = ""): void {
    writeFileSync(
      join(directory, "daemon"),
      `#!/bin/bash\n${detail}\necho $$ > made && mv made pid\nexec sleep 600\n`,
      {
        mode: 0o700,
      },
    );
  }

  const isRunning = (): boolean => {
    const row = processRow(Number(readFileSync(join(directory, "pid"), "utf8")));
    return row !== null && !row.ended;
  };

  /** The process works in this test's directory. */
  const isHere = (pid: number): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === directory;
    } catch {
      return false;
    }
  };

  const clean = `env -i PATH="$PATH"`;
  const quiet = ">/dev/null 2>&1 </dev/null";
  const chain = `n=$1; [ "$n" = 0 ] && exec ./daemon; setsid sh -c "$C" c $((n - 1)) & exit`;
  const daemons: [name: string, script: string, detail?: string][] = [
    ["env -i setsid", `${clean} setsid ./daemon ${quiet} &`],
    ["unset and setsid", `(unset BATON_ATTEMPT; setsid ./daemon ${quiet} &)`],
    ["double fork", `${clean} sh -c '(setsid sh -c "./daemon & exit" ${quiet} &)'`],
    ["nohup and disown", `${clean} nohup bash -c 'set -m; ./daemon & disown -a; exit' ${quiet} & disown`],
    ["setsid twice", `${clean} setsid setsid ./daemon ${quiet} &`],
    ["another name", `${clean} setsid bash -c 'exec -a "[kworker/0:1]" ./daemon' ${quiet} &`, "echo x > /proc/$$/comm"],
    [
      "a chain of ten, each of which ends",
      `${clean} C='${chain}' sh -c 'setsid env C="$C" sh -c "$C" c 10' ${quiet} &`,
    ],
    [
      "another directory",
      `here=$PWD; (cd / && ${clean} setsid bash -c "cd / && umask 0 && cd $here && exec ./daemon" ${quiet} &)`,
    ],
    ["its pipes held open", `${clean} setsid ./daemon &`],
    ["signals ignored", `${clean} setsid ./daemon ${quiet} &`, 'trap "" TERM HUP INT'],
    [
      "perl's own way to be a daemon",
      `${clean} perl -e 'exit if fork; setpgrp; exit if fork; exec "./daemon"' ${quiet} &`,
    ],
  ];
  const whenStarted = "until [ -e pid ]; do read -rt 0.02 <> <(:); done";

  if (!supervised)
    process.stderr.write(
      "Tests of orphans are skipped: no /usr/bin/perl on this machine, so no supervisor adopts them.\n",
    );

  describe("daemon-without-marker-survives", () => {
    it.runIf(supervised).each(daemons)("%s: gone after a good end", async (_, script, detail) => {
      program(detail);
      expect(await follow(`${script}\n${whenStarted}\nexit 0`)).toMatchObject({ exitCode: 0, signal: null });
      expect(isRunning()).toBe(false);
    });

    it.runIf(supervised).each(daemons)("%s: gone after an abort", async (_, script, detail) => {
      program(detail);
      const stop = new AbortController();
      const end = await follow(`${script}\n${whenStarted}\necho ready\nexec sleep 600`, {
        signal: stop.signal,
        onLine: () => stop.abort(),
      });
      expect(end).toMatchObject({ aborted: true, exitCode: null, signal: "SIGTERM" });
      expect(isRunning()).toBe(false);
    });

    it.runIf(supervised)("a hundred of them: gone after a time limit", async () => {
      program();
      const end = await follow(`for i in {1..100}; do ${clean} setsid ./daemon ${quiet} & done; exec sleep 600`, {
        timeoutMs: 3_000,
      });
      expect(end).toMatchObject({ timedOut: true, signal: "SIGTERM" });
      expect(processIds().filter(isHere)).toEqual([]);
    });

    it("without a supervisor: one that was seen before it hid", async () => {
      program();
      const parent = execa("bash", ["-c", `${clean} bash -c './daemon ${quiet} & read' & wait`], {
        cwd: directory,
        detached: true,
        reject: false,
        cleanup: false,
      });
      const family = new Family({ root: parent.nodeChildProcess.pid ?? 0, marker: null, isHolder: false });
      await expect.poll(() => existsSync(join(directory, "pid"))).toBe(true);
      family.look();
      parent.kill("SIGKILL");
      await parent;
      expect(isRunning()).toBe(true);
      await family.kill();
      expect(isRunning()).toBe(false);
    });
  });

  describe("statuses come through unchanged", () => {
    it.each([
      ["exit 0", { exitCode: 0, signal: null }],
      ["exit 143", { exitCode: 143, signal: null }],
      ["kill -SEGV $$", { exitCode: null, signal: "SIGSEGV" }],
      ["kill -KILL $$", { exitCode: null, signal: "SIGKILL" }],
      ["kill -HUP $$", { exitCode: null, signal: "SIGHUP" }],
    ])("%s", async (script, expected) => {
      expect(await follow(script)).toMatchObject({ ...expected, missing: false, timedOut: false });
      expect(await call(script)).toMatchObject({ ...expected, missing: false, timedOut: false });
    });
  });
});
