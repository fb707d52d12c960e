/**
 * Bounds the resources of one sandbox. Over a limit Baton kills the whole namespace, and the denial names the limit.
 *
 * RS1 The kernel enforces memory and processes where there is a control group. Elsewhere Baton counts them here.
 * RS2 Files without a name, in memory or on disk, count.
 * RS3 Counting costs at most a twentieth of the time, unless the disk fills quickly.
 */
import { readdir, readFile, readlink, stat, statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxDenial, SandboxResources } from "../../ports/sandbox.ts";
import { type ControlGroup, tasksMax } from "./cgroup.ts";
import { type FileSystemUse, fileSystemUse, measureDirectories } from "./disk-use.ts";
import { type ProcessEntry, readDescendants, readProcess } from "./process-table.ts";

export interface WatchOptions {
  /** The process id of bubblewrap, outside. */
  pid: number;
  resources: SandboxResources;
  writable: readonly string[];
  group: ControlGroup | null;
  onExceeded(denial: SandboxDenial): void;
}

export interface Watch {
  /** Ends the watch and everything that is left in the namespace. */
  stop(): Promise<void>;
}

const processPeriodMs = 200;
const diskPeriodMs = 1_000;
/** Counting files may use one part in this many of the time. */
const diskShare = 20;

export function watchResources(options: WatchOptions): Watch {
  const ending = new AbortController();
  const state: State = { options, root: null, disk: null };
  const watching = watchUntil(state, ending.signal);
  return {
    async stop() {
      ending.abort();
      await watching;
      if (state.root !== null) await endNamespace(state.root);
      await options.group?.kill();
    },
  };
}

interface State {
  options: WatchOptions;
  /** The first process of the namespace. */
  root: ProcessEntry | null;
  disk: { at: number; tookMs: number; bytes: number; system: FileSystemUse; begin: FileSystemUse } | null;
}

async function watchUntil(state: State, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const denial = await check(state).catch(() => null);
    if (denial !== null && !signal.aborted) {
      state.options.onExceeded(denial);
      if (state.root !== null) await endNamespace(state.root);
      await state.options.group?.kill();
      return;
    }
    // The first look comes early, so that the namespace can be killed at the end.
    await delay(state.root === null ? 10 : processPeriodMs, undefined, { signal }).catch(() => {});
  }
}

async function check(state: State): Promise<SandboxDenial | null> {
  const { pid, resources, group } = state.options;
  const all = await readDescendants(pid);
  state.root ??= all.find(({ parent }) => parent === pid) ?? null;
  const inside = all.filter((entry) => entry.pid !== pid && !entry.ended);
  const hit = await limitHit(group, resources);
  if (hit !== null) return hit;
  if (hasTooManyProcesses(inside, resources.processesMax)) return overLimit("processes", resources);
  if (group?.holds.memory !== true && (await usesTooMuchMemory(state.root, inside, resources.memoryBytesMax)))
    return overLimit("memory", resources);
  return (await usesTooMuchDisk(state, inside)) ? { kind: "disk", name: inBytes(resources.diskBytesMax) } : null;
}

/** The limit that the kernel itself enforced, if any. */
export async function limitHit(group: ControlGroup | null, resources: SandboxResources): Promise<SandboxDenial | null> {
  const hit = (await group?.exceeded()) ?? null;
  return hit === null ? null : overLimit(hit, resources);
}

function overLimit(kind: "memory" | "processes", resources: SandboxResources): SandboxDenial {
  return kind === "memory"
    ? { kind, name: inBytes(resources.memoryBytesMax) }
    : { kind, name: `${resources.processesMax} processes` };
}

/** The first process of the namespace and the bridge do not belong to the agent. */
const ownProcesses = 2;

function hasTooManyProcesses(inside: readonly ProcessEntry[], max: number): boolean {
  const threads = inside.reduce((sum, one) => sum + one.threads, 0);
  return inside.length - ownProcesses > max || threads > tasksMax(max);
}

async function usesTooMuchMemory(
  root: ProcessEntry | null,
  inside: readonly ProcessEntry[],
  bytesMax: number,
): Promise<boolean> {
  const pageBytes = await pageSize();
  const resident = inside.reduce((sum, { pages }) => sum + pages * pageBytes, 0);
  const unnamed =
    (await unnamedBytes(inside, ["/memfd:"])) + (root === null ? 0 : await temporaryBytes(root.pid, bytesMax));
  if (resident + unnamed <= bytesMax) return false;
  // The total above counts shared pages once per process. This call divides them among the processes, but costs more.
  const shares = await Promise.all(inside.map(async ({ pid }) => await proportionalBytes(pid)));
  return shares.reduce((sum, bytes) => sum + bytes, 0) + unnamed > bytesMax;
}

async function proportionalBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "latin1").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

let pageBytes: number | null = null;

async function pageSize(): Promise<number> {
  const text = pageBytes === null ? await readFile("/proc/self/smaps", "latin1").catch(() => "") : "";
  pageBytes ??= Number(/^KernelPageSize:\s+(\d+) kB/m.exec(text)?.[1] ?? 4) * 1024;
  return pageBytes;
}

/**
 * Bytes in the sandbox's file systems in memory. Before the sandbox has its own root, larger file systems of the host
 * are there.
 */
async function temporaryBytes(pid: number, bytesMax: number): Promise<number> {
  const uses = await Promise.all(
    ["tmp", "dev/shm"].map(async (name) => await statfs(`/proc/${pid}/root/${name}`).catch(() => null)),
  );
  return uses.reduce((sum, use) => {
    const isOwn = use !== null && use.blocks * use.bsize <= temporaryBytesMax(bytesMax);
    return isOwn ? sum + (use.blocks - use.bfree) * use.bsize : sum;
  }, 0);
}

/** For each of the two, so that together they use at most half of the memory. */
export function temporaryBytesMax(memoryBytesMax: number): number {
  return Math.max(Math.floor(memoryBytesMax / 4), 16 * 1024 * 1024);
}

/** Files without a name that processes hold open and whose last name had one of these beginnings. */
async function unnamedBytes(inside: readonly ProcessEntry[], beginnings: readonly string[]): Promise<number> {
  const sizes = new Map<string, number>();
  for (const { pid } of inside) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const path = `/proc/${pid}/fd/${descriptor}`;
      const name = await readlink(path).catch(() => "");
      if (!name.endsWith(" (deleted)") || !beginnings.some((beginning) => name.startsWith(beginning))) continue;
      const facts = await stat(path).catch(() => null);
      if (facts?.isFile() === true && facts.nlink === 0) sizes.set(`${facts.dev}:${facts.ino}`, facts.blocks * 512);
    }
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

async function usesTooMuchDisk(state: State, inside: readonly ProcessEntry[]): Promise<boolean> {
  const { writable, resources } = state.options;
  const max = resources.diskBytesMax;
  const system = await fileSystemUse(writable);
  const last = state.disk;
  const elapsedMs = last === null ? 0 : performance.now() - last.at;
  if (last !== null && elapsedMs < diskPeriodMs) return false;
  if (last !== null && elapsedMs < last.tookMs * diskShare) {
    // Between two counts, the file system shows whether enough was written to exceed the limit.
    const grownBytes = Math.max(
      system.usedBytes - last.system.usedBytes,
      (system.usedFiles - last.system.usedFiles) * 4096,
    );
    if (last.bytes + grownBytes <= max) return false;
  }
  const begun = performance.now();
  const use = await measureDirectories(writable, max);
  const begin = last?.begin ?? system;
  const grown = system.usedBytes - begin.usedBytes;
  let { bytes } = use;
  // Others may have written it as well. Only the agent hides directories or holds nameless files open.
  if (grown > max / 2) bytes += await unnamedBytes(inside, writable);
  if (use.partial) bytes = Math.max(bytes, grown);
  state.disk = { at: performance.now(), tookMs: performance.now() - begun, bytes, system, begin };
  return bytes > max;
}

/** The first process of a namespace ends all others with it, and disappears only after them. */
async function endNamespace(root: ProcessEntry): Promise<void> {
  for (;;) {
    const now = await readProcess(root.pid);
    if (now === null || now.startTime !== root.startTime || now.ended) return;
    try {
      process.kill(root.pid, "SIGKILL");
    } catch {
      return;
    }
    await delay(10);
  }
}

function inBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${units[power]}`;
}
