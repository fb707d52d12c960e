import { describe, expect, it } from "vitest";
import { silentLog } from "../adapters/system/log.ts";
import type { CallEnd, CallSpec } from "../ports/child.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { prepareSandbox, selfPreparing } from "./prepare-sandbox.ts";

const ended = (exitCode: number): CallEnd => ({
  exitCode,
  signal: null,
  missing: false,
  timedOut: false,
  silent: false,
  aborted: false,
  flooded: false,
  denied: null,
  durationMs: 1,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
});

function recorded(exitCode: (command: readonly string[]) => number) {
  const calls: CallSpec[] = [];
  return {
    calls,
    children: {
      async call(spec: CallSpec) {
        calls.push(spec);
        return ended(exitCode(spec.command));
      },
    },
  };
}

const sandboxOf = (works: boolean): Sandbox => ({
  state: async () => ({ works, name: "bubblewrap", problem: works ? null : "missing", remedy: null }),
  confine: () => ({ policy: null, works }) as never,
});

describe("the sandbox of a job's machine", () => {
  it("is installed and gets its namespaces, as root without a password", async () => {
    const { calls, children } = recorded(() => 0);
    await prepareSandbox(children, silentLog);
    expect(calls.map(({ command }) => command.slice(2, 4).join(" "))).toEqual([
      "true",
      "apt-get update",
      "apt-get install",
      "tee /etc/apparmor.d/bwrap",
      "apparmor_parser --replace",
    ]);
    expect(calls.every(({ command }) => command[1] === "--non-interactive")).toBe(true);
    expect(calls[3]?.input).toContain("profile bwrap /usr/bin/bwrap");
  });

  it("is left alone where sudo asks", async () => {
    const { calls, children } = recorded(() => 1);
    await prepareSandbox(children, silentLog);
    expect(calls).toHaveLength(1);
  });

  it("gets its profile although the package index is out of reach", async () => {
    const { calls, children } = recorded((command) => (command.includes("update") ? 100 : 0));
    await prepareSandbox(children, silentLog);
    expect(calls).toHaveLength(5);
  });

  it("is asked again after it was prepared, once", async () => {
    const made = [sandboxOf(false), sandboxOf(true)];
    let prepared = 0;
    const sandbox = selfPreparing(
      () => made.shift() as Sandbox,
      async () => void (prepared += 1),
      silentLog,
    );
    expect(await Promise.all([sandbox.state(), sandbox.state()])).toMatchObject([{ works: true }, { works: true }]);
    expect(prepared).toBe(1);
    expect(sandbox.confine({} as never, () => {})).toMatchObject({ works: true });
  });

  it("says what the self-test says when preparing fails", async () => {
    const sandbox = selfPreparing(
      () => sandboxOf(false),
      async () => {
        throw new Error("no network");
      },
      silentLog,
    );
    expect(await sandbox.state()).toMatchObject({ works: false, problem: "missing" });
  });
});
