/** For tests: whether they can run here, and one attempt in the sandbox. */
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallEnd } from "../../ports/child.ts";
import type { SandboxDenial, SandboxPolicy, SandboxResources } from "../../ports/sandbox.ts";
import { children } from "../child/children.ts";
import { startEgressProxy } from "../egress/proxy.ts";
import { findProgram } from "../system/find-program.ts";
import { silentLog } from "../system/log.ts";
import { createSandbox } from "./index.ts";

export const testSandbox = createSandbox({ log: silentLog, children, startEgress: startEgressProxy });

/** Null: the tests can run. */
export const whySkipped: string | null =
  process.platform !== "linux"
    ? "the sandbox needs Linux"
    : findProgram("bwrap") === null
      ? "bubblewrap is not installed"
      : null;

export interface Attempt {
  base: string;
  tree: string;
  home: string;
  denials: SandboxDenial[];
  run(command: readonly string[], changes?: Changes): Promise<CallEnd>;
  remove(): Promise<void>;
}

export interface Changes {
  policy?: Partial<SandboxPolicy>;
  resources?: Partial<SandboxResources>;
  env?: Record<string, string>;
  timeoutMs?: number;
  killGraceMs?: number;
  signal?: AbortSignal;
}

export async function newAttempt(): Promise<Attempt> {
  const base = await mkdtemp(join(await realpath(tmpdir()), "baton-box-"));
  const [tree, home] = [join(base, "tree"), join(base, "home")];
  await mkdir(tree);
  await mkdir(home);
  const denials: SandboxDenial[] = [];
  return {
    base,
    tree,
    home,
    denials,
    async run(command, { policy = {}, resources = {}, env = {}, ...changes } = {}) {
      return await children.call({
        command,
        cwd: tree,
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: home, ...env },
        timeoutMs: 60_000,
        outputBytesMax: 16 * 1024 * 1024,
        ...changes,
        confinement: testSandbox.confine(
          {
            writable: [tree, home],
            readable: [],
            network: { hosts: [], loopbackPorts: [] },
            resources: { memoryBytesMax: 2 ** 30, processesMax: 200, diskBytesMax: 2 ** 30, ...resources },
            ...policy,
          },
          (denial) => denials.push(denial),
        ),
      });
    },
    async remove() {
      await rm(base, { recursive: true, force: true });
    },
  };
}
