/**
 * A control group of version 2 for one attempt, where Baton may make one: as root, or in a delegated tree.
 *
 * CG1 The sandbox joins the group before bubblewrap starts, so nothing of it is ever outside.
 */
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxResources } from "../../ports/sandbox.ts";
import { isBelow } from "./bubblewrap.ts";

export interface ControlGroup {
  path: string;
  /** Which limit was hit, if any. */
  exceeded(): Promise<"memory" | "processes" | null>;
  kill(): Promise<void>;
  remove(): Promise<void>;
}

const needed = ["memory", "pids"];

/** The kernel counts threads, and a process of Node or Java has many. */
export const tasksMax = (processesMax: number): number => processesMax * 8 + 64;

/** Null where no group with these controllers can be made. */
export async function createControlGroup(
  name: string,
  resources: SandboxResources,
  root = "/sys/fs/cgroup",
): Promise<ControlGroup | null> {
  for (const parent of await candidates(root)) {
    const path = await tryCreate(join(parent, name), parent, resources);
    if (path !== null) return groupAt(path);
  }
  return null;
}

/** From Baton's own group up: a group with processes of its own cannot hold groups with limits, its parent may. */
async function candidates(root: string): Promise<string[]> {
  const own = /^0::(\/.*)$/m.exec(await readFile("/proc/self/cgroup", "utf8").catch(() => ""))?.[1];
  if (own === undefined) return [];
  const found: string[] = [];
  for (let at = join(root, own); isBelow(at, root); at = dirname(at)) found.push(at);
  return found;
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

function groupAt(path: string): ControlGroup {
  return {
    path,
    async exceeded() {
      const memory = await counter(join(path, "memory.events"), "oom_kill");
      if (memory > 0) return "memory";
      return (await counter(join(path, "pids.events"), "max")) > 0 ? "processes" : null;
    },
    async kill() {
      await writeFile(join(path, "cgroup.kill"), "1").catch(() => {});
    },
    async remove() {
      for (let tries = 0; tries < 50; tries += 1) {
        const gone = await rmdir(path).then(
          () => true,
          (error: NodeJS.ErrnoException) => error.code === "ENOENT",
        );
        if (gone) return;
        await delay(20);
      }
    },
  };
}

async function words(path: string): Promise<string[]> {
  return (await readFile(path, "utf8").catch(() => "")).trim().split(/\s+/);
}

async function counter(path: string, name: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => "");
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}
