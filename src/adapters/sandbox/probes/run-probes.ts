/** Runs probes, with the sandbox or without, and judges the result of each from outside. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { Children } from "../../../ports/child.ts";
import type { Confinement, SandboxPolicy } from "../../../ports/sandbox.ts";
import { attackProgram, outMark, outputOf } from "./attack.ts";
import { fileProbes } from "./files.ts";
import { kernelProbes } from "./kernel.ts";
import { networkProbes } from "./network.ts";
import type { Probe, ProbeHost, ProbeResult, Verdict } from "./probe.ts";
import { lastVictim, processProbes } from "./processes.ts";
import { createWorld, type World } from "./world.ts";

export const allProbes: readonly Probe[] = [...fileProbes, ...processProbes, ...kernelProbes, ...networkProbes];

/** One attempt is enough for these. They show at each start that the sandbox holds. */
export async function runQuickProbes(run: ProbeRun): Promise<ProbeResult[]> {
  const quick = allProbes.filter(({ isQuick }) => isQuick === true);
  const world = await createWorld(run.children);
  try {
    return await runBatch(run, world, [
      ...quick.filter(({ isAlone }) => isAlone !== true),
      ...quick.filter(({ isAlone }) => isAlone === true),
    ]);
  } finally {
    await world.close();
  }
}

export interface ProbeRun {
  children: Children;
  /** Null: with the sandbox off. */
  confine: ((policy: SandboxPolicy) => Confinement) | null;
  nodePath: string;
}

export async function runProbes(
  run: ProbeRun,
  probes: readonly Probe[],
  onResult: (result: ProbeResult) => void = () => {},
): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  const world = await createWorld(run.children);
  try {
    for (const batch of batches(probes)) {
      for (const result of await runBatch(run, world, batch)) {
        results.push(result);
        onResult(result);
      }
    }
    return results;
  } finally {
    await world.close();
  }
}

/** Groups of probes that may share an attempt, in their order. */
function batches(probes: readonly Probe[]): Probe[][] {
  const all: Probe[][] = [];
  const shared = new Map<string, Probe[]>();
  for (const probe of probes) {
    const key = JSON.stringify(probe.hosts ?? []);
    const batch = probe.isAlone === true || probe.writable !== undefined ? undefined : shared.get(key);
    if (batch !== undefined) batch.push(probe);
    else {
      const begun = [probe];
      all.push(begun);
      if (probe.isAlone !== true && probe.writable === undefined) shared.set(key, begun);
    }
  }
  return all;
}

async function runBatch(run: ProbeRun, world: World, batch: readonly Probe[]): Promise<ProbeResult[]> {
  let outcome: { text: string; problem: string };
  try {
    for (const probe of batch) await probe.plant?.(world);
    outcome = await attack(run, world, batch);
  } catch (error) {
    const refusal = error instanceof Error ? error : new Error(String(error));
    // Baton does not start an attempt with such a policy.
    const isRefused = "code" in refusal && refusal.code === "BATON_SANDBOX_REFUSED";
    return batch.map((probe) =>
      isRefused && probe.writable !== undefined
        ? resultOf(probe, "stopped", null)
        : resultOf(probe, "could not run", refusal.message.slice(0, 300)),
    );
  }
  const results: ProbeResult[] = [];
  for (const [index, probe] of batch.entries()) results.push(await judge(world, probe, outcome, index));
  return results;
}

async function judge(
  world: World,
  probe: Probe,
  { text, problem }: { text: string; problem: string },
  index: number,
): Promise<ProbeResult> {
  const damage = (await probe.damage?.(world)) ?? null;
  if (damage !== null) return resultOf(probe, "not stopped", damage);
  const output = outputOf(text, index);
  if (output === null) return resultOf(probe, "could not run", problem);
  const out = output.split("\n").find((line) => line.startsWith(outMark));
  if (out !== undefined) return resultOf(probe, "not stopped", out.slice(outMark.length + 1));
  return output.includes(world.canary)
    ? resultOf(probe, "not stopped", "the canary was read")
    : resultOf(probe, "stopped", null);
}

function resultOf({ name, source }: Probe, verdict: Verdict, detail: string | null): ProbeResult {
  return { name, source, verdict, detail };
}

async function attack(
  run: ProbeRun,
  world: World,
  batch: readonly Probe[],
): Promise<{ text: string; problem: string }> {
  const victim = await world.victim();
  lastVictim.set(world, victim.pid);
  const targets = {
    ...world,
    victim: victim.pid,
    tcpPort: victim.tcpPort,
    udpPort: victim.udpPort,
    abstractName: victim.abstractName,
    socketPath: victim.socketPath,
    engineSocket: victim.socketPath,
    addresses: ownAddresses(),
    resolvers: await resolvers(),
    // The attacker does not get the value that it searches for.
    canary: undefined,
  };
  const confinement =
    run.confine?.({
      writable: [world.tree, world.scratch, ...batch.flatMap((probe) => probe.writable?.(world) ?? [])],
      readable: [world.objects],
      network: { hosts: batch[0]?.hosts ?? [], loopbackPorts: [] },
      resources: { memoryBytesMax: 2 ** 30, processesMax: 64, diskBytesMax: 2 ** 30 },
    }) ?? null;
  const end = await run.children.call({
    command: [run.nodePath, "-e", attackProgram(batch.map((probe) => probe.attack))],
    cwd: world.tree,
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: world.scratch,
      PROBE_TARGETS: JSON.stringify(targets),
    },
    timeoutMs: 5 * 60_000,
    killGraceMs: 100,
    outputBytesMax: 64 * 1024 * 1024,
    confinement,
  });
  const problem = end.stderr.toString("utf8").trim().split("\n").at(-1) ?? "";
  return {
    text: end.stdout.toString("latin1"),
    problem: problem === "" ? "neither perl nor python3 is here, or the attempt was ended" : problem.slice(0, 300),
  };
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address }) => address);
}

async function resolvers(): Promise<string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  return [...text.matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)$/gm)].flatMap(([, address]) => address ?? []);
}

/** Facts that decide which attacks are possible here at all. @internal for tests */
export async function probeHost(): Promise<ProbeHost> {
  const routes = await readFile("/proc/net/route", "utf8").catch(() => "");
  const interesting = [
    "/proc/sysrq-trigger",
    "/proc/kmsg",
    "/proc/kcore",
    "/proc/modules",
    "/proc/sys/kernel/io_uring_disabled",
    "/proc/sys/kernel/yama/ptrace_scope",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/dev/vsock",
    "/sys/fs/cgroup",
  ];
  return {
    isRoot: process.getuid?.() === 0,
    hasReleaseAgent: ["cpu", "memory", "pids", "devices"].some((name) =>
      existsSync(`/sys/fs/cgroup/${name}/release_agent`),
    ),
    hasDefaultRoute: /^\S+\t0{8}\t/m.test(routes),
    hasIpv6: Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some(({ address }) => address === "::1"),
    ),
    paths: new Set(interesting.filter((path) => existsSync(path))),
  };
}
