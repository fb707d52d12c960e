/**
 * A control group for one attempt, where Baton may make one: as root, or in a delegated tree. Version 2, otherwise
 * version 1.
 *
 * CG1 The sandbox joins the group before bubblewrap starts, so all of it is always inside.
 * CG2 Where no group enforces a limit, Baton counts from outside (`resources.ts`). That is late for a fork bomb.
 */
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxResources } from "../../ports/sandbox.ts";
import { isBelow } from "./bubblewrap.ts";

export interface ControlGroup {
  /** Directories whose `cgroup.procs` a process joins. */
  paths: string[];
  /** The limits that the kernel enforces here. */
  holds: { memory: boolean; processes: boolean };
  /** The limit that was hit, if any. */
  exceeded(): Promise<"memory" | "processes" | null>;
  kill(): Promise<void>;
  remove(): Promise<void>;
}

const needed = ["memory", "pids"];

/** The kernel counts threads, and a process of Node or Java has many. */
export const tasksMax = (processesMax: number): number => processesMax * 8 + 64;

/** Null where no group with these controllers can be made. `own` is the content of `/proc/self/cgroup`. */
export async function createControlGroup(
  name: string,
  resources: SandboxResources,
  { root = "/sys/fs/cgroup", own }: { root?: string; own?: string } = {},
): Promise<ControlGroup | null> {
  const mine = own ?? (await readFile("/proc/self/cgroup", "utf8").catch(() => ""));
  for (const parent of candidates(root, /^0::(\/.*)$/m.exec(mine)?.[1])) {
    const path = await tryCreate(join(parent, name), parent, resources);
    if (path !== null) return groupAt(path);
  }
  return await createOldGroup(name, resources, root, mine);
}

/** From Baton's own group up. A group with processes of its own cannot hold groups with limits, but its parent may. */
function candidates(root: string, own: string | undefined): string[] {
  if (own === undefined) return [];
  const found: string[] = [];
  for (let at = join(root, own); isBelow(at, root); at = dirname(at)) found.push(at);
  return found;
}

/** Version 1 has a tree for each controller. Files: https://docs.kernel.org/admin-guide/cgroup-v1/. */
const oldControllers = [
  {
    name: "memory",
    denies: "memory",
    limits: ({ memoryBytesMax }: SandboxResources) => ({ "memory.limit_in_bytes": memoryBytesMax }),
    hit: ["memory.oom_control", "oom_kill"],
  },
  {
    name: "pids",
    denies: "processes",
    limits: ({ processesMax }: SandboxResources) => ({ "pids.max": tasksMax(processesMax) }),
    hit: ["pids.events", "max"],
  },
] as const;

async function createOldGroup(
  name: string,
  resources: SandboxResources,
  root: string,
  own: string,
): Promise<ControlGroup | null> {
  const made: { path: string; denies: "memory" | "processes"; hit: readonly [string, string] }[] = [];
  for (const controller of oldControllers) {
    const mine = new RegExp(`^\\d+:(?:[^:\n]*,)?${controller.name}(?:,[^:\n]*)?:(/.*)$`, "m").exec(own)?.[1];
    // A container may see its own group as the tree's root.
    for (const parent of candidates(join(root, controller.name), mine)) {
      const path = join(parent, name);
      if (!(await makeOld(path, controller.limits(resources)))) continue;
      made.push({ path, denies: controller.denies, hit: controller.hit });
      break;
    }
  }
  if (made.length === 0) return null;
  const holds = (denies: "memory" | "processes"): boolean => made.some((one) => one.denies === denies);
  return {
    paths: made.map(({ path }) => path),
    holds: { memory: holds("memory"), processes: holds("processes") },
    async exceeded() {
      for (const { path, denies, hit } of made) if ((await counter(join(path, hit[0]), hit[1])) > 0) return denies;
      return null;
    },
    // Version 1 has no such file. There the end of the namespace ends everything.
    kill: async () => {},
    async remove() {
      await Promise.all(made.map(async ({ path }) => await removeGroup(path)));
    },
  };
}

async function makeOld(path: string, limits: Record<string, number>): Promise<boolean> {
  try {
    await mkdir(path);
  } catch {
    return false;
  }
  try {
    for (const [file, value] of Object.entries(limits)) await writeFile(join(path, file), String(value));
    return true;
  } catch {
    await rmdir(path).catch(() => {});
    return false;
  }
}

async function tryCreate(path: string, parent: string, resources: SandboxResources): Promise<string | null> {
  const available = await words(join(parent, "cgroup.controllers"));
  if (!needed.every((controller) => available.includes(controller))) return null;
  try {
    const enabled = await words(join(parent, "cgroup.subtree_control"));
    if (!needed.every((controller) => enabled.includes(controller)))
      await writeFile(join(parent, "cgroup.subtree_control"), needed.map((controller) => `+${controller}`).join(" "));
    await mkdir(path);
  } catch {
    return null;
  }
  try {
    await writeFile(join(path, "memory.max"), String(resources.memoryBytesMax));
    await writeFile(join(path, "memory.oom.group"), "1");
    await writeFile(join(path, "pids.max"), String(tasksMax(resources.processesMax)));
    await writeFile(join(path, "memory.swap.max"), "0").catch(() => {});
    return path;
  } catch {
    await rmdir(path).catch(() => {});
    return null;
  }
}

/** For version 2: https://docs.kernel.org/admin-guide/cgroup-v2.html#core-interface-files. */
export function groupAt(path: string): ControlGroup {
  return {
    paths: [path],
    holds: { memory: true, processes: true },
    async exceeded() {
      const memory = await counter(join(path, "memory.events"), "oom_kill");
      if (memory > 0) return "memory";
      return (await counter(join(path, "pids.events"), "max")) > 0 ? "processes" : null;
    },
    async kill() {
      await writeFile(join(path, "cgroup.kill"), "1").catch(() => {});
    },
    remove: async () => await removeGroup(path),
  };
}

/** The processes disappear a moment after their end. */
async function removeGroup(path: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const gone = await rmdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === "ENOENT",
    );
    if (gone) return;
    await delay(20);
  }
}

async function words(path: string): Promise<string[]> {
  return (await readFile(path, "utf8").catch(() => "")).trim().split(/\s+/);
}

async function counter(path: string, name: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => "");
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}
