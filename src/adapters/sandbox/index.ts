/**
 * The sandbox of this machine: bubblewrap. Linux only.
 *
 * Owns: the files, network and resources of an agent. Does not own: how children start (`ports/child`), the allowed
 * hosts.
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { SandboxState } from "../../policy/sandbox.ts";
import type { Sandbox, SandboxPolicy } from "../../ports/sandbox.ts";
import { refused } from "./checked-path.ts";
import { confine } from "./confinement.ts";
import { notInstalled } from "./diagnosis.ts";
import { findMachinery, type Machinery, readSystemFacts, type SandboxOptions } from "./machinery.ts";
import type { ProbeResult } from "./probes/probe.ts";

/** Runs every break-out probe, one after the other. */
export async function testSandbox(
  options: SandboxOptions,
  onResult: (result: ProbeResult) => void,
): Promise<ProbeResult[]> {
  const machinery = await requireMachinery(options);
  const [{ probeEgress }, { allProbes, runProbes }] = await Promise.all([
    import("./probes/network.ts"),
    import("./probes/run-probes.ts"),
  ]);
  const own = { ...machinery, startEgress: probeEgress(machinery.startEgress) };
  const run = {
    children: options.children,
    nodePath: machinery.nodePath,
    confine: (policy: SandboxPolicy) => confine(own, policy, () => {}),
  };
  return await runProbes(run, allProbes, onResult);
}

/** Null when the program answers `--version` in the sandbox. Otherwise its output. */
export async function whyNotStarting(options: SandboxOptions, command: readonly string[]): Promise<string | null> {
  const machinery = await requireMachinery(options);
  const directory = await mkdtemp(join(await realpath(tmpdir()), "baton-starts-"));
  try {
    const end = await options.children.call({
      command: [...command, "--version"],
      cwd: directory,
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: directory },
      timeoutMs: 60_000,
      outputBytesMax: 1024 * 1024,
      confinement: confine(machinery, { ...smallPolicy, writable: [directory] }, () => {}),
    });
    if (end.exitCode === 0) return null;
    const said = (end.stderr.toString() || end.stdout.toString()).trim().split("\n").at(-1) ?? "";
    return said === "" ? `it ended with status ${end.exitCode}` : said.slice(0, 300);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const smallPolicy: SandboxPolicy = {
  writable: [],
  readable: [],
  network: { hosts: [], loopbackPorts: [] },
  resources: { memoryBytesMax: 4 * 2 ** 30, processesMax: 256, diskBytesMax: 2 ** 30 },
};

/** The parts of this machine that every sandbox shows, and why. */
export async function describeHost(options: SandboxOptions): Promise<{ path: string; why: string }[]> {
  const { binds, links } = await (await requireMachinery(options)).host();
  const whyOf = (path: string): string => {
    if (path.startsWith("/etc/")) return "named files of /etc";
    if (/^\/(?:usr|bin|sbin|lib\w*|opt)(?:\/|$)/.test(path)) return "system";
    return "toolchain or certificates found through PATH and the environment";
  };
  return [...binds.map(({ target }) => target), ...links.map(({ path }) => path)]
    .toSorted()
    .map((path) => ({ path, why: whyOf(path) }));
}

async function requireMachinery(options: SandboxOptions): Promise<Machinery> {
  const machinery = await findMachinery(options);
  if (machinery !== null) return machinery;
  const { problem, remedy } = notInstalled(await readSystemFacts(null));
  throw new BatonError("BATON_SANDBOX_REFUSED", `${problem} ${remedy}`);
}

export type { SandboxOptions } from "./machinery.ts";

export function createSandbox(options: SandboxOptions): Sandbox {
  let machinery: Promise<Machinery | null> | null = null;
  let state: Promise<SandboxState> | null = null;
  const found = (): Promise<Machinery | null> => (machinery ??= findMachinery(options));
  return {
    state() {
      state ??= found().then(async (one) => {
        if (one !== null) {
          // Only a self-test loads the probes.
          const { selfTest } = await import("./self-test.ts");
          return await selfTest(one, options.children);
        }
        return { works: false, name: "bubblewrap", ...notInstalled(await readSystemFacts(null)) };
      });
      return state;
    },
    confine(policy, onDenied) {
      return {
        policy,
        async prepare(program) {
          const one = await found();
          if (one === null) throw refused("bwrap", "bubblewrap is not installed");
          return await confine(one, policy, onDenied).prepare(program);
        },
      };
    },
  };
}
