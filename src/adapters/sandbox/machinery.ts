/** Facts found once on this machine: the programs, their options, and the input for a diagnosis. */
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import type { Children } from "../../ports/child.ts";
import type { Log } from "../../ports/log.ts";
import { findProgram } from "../system/find-program.ts";
import { kernelSettings, packageManagers, type SystemFacts } from "./diagnosis.ts";
import { type HostFacts, readHostLayout } from "./host-layout.ts";
import type { StartEgressProxy } from "./network.ts";

export interface SandboxOptions {
  log: Log;
  children: Children;
  startEgress: StartEgressProxy;
  /** Baton's data and other directories that no agent may see, even below a readable directory. */
  hidden?: readonly string[];
  /** For tests: another bubblewrap, or null for none. */
  bubblewrapPath?: string | null;
}

export interface Machinery {
  bubblewrap: Bubblewrap;
  /** From util-linux. Null: not installed. */
  prlimit: string | null;
  nodePath: string;
  host(): Promise<HostFacts>;
  startEgress: StartEgressProxy;
  log: Log;
}

export interface Bubblewrap {
  path: string;
  /** For example `bubblewrap 0.8.0`. */
  name: string;
  disablesUserNamespaces: boolean;
}

/** Null: bubblewrap is not installed. */
export async function findMachinery(options: SandboxOptions): Promise<Machinery | null> {
  const path = options.bubblewrapPath === undefined ? findProgram("bwrap") : options.bubblewrapPath;
  if (path === null || process.platform !== "linux") return null;
  const ask = async (word: string): Promise<string> => {
    const end = await options.children.call({
      command: [path, word],
      cwd: "/",
      env: {},
      timeoutMs: 10_000,
      outputBytesMax: 1024 * 1024,
    });
    return end.stdout.toString() + end.stderr.toString();
  };
  const [version, help] = await Promise.all([ask("--version"), ask("--help")]);
  const environment = { ...process.env };
  return {
    bubblewrap: {
      path,
      name: /^bubblewrap [\w.+~-]+/m.exec(version)?.[0] ?? "bubblewrap",
      disablesUserNamespaces: help.includes("--disable-userns"),
    },
    prlimit: findProgram("prlimit"),
    nodePath: process.execPath,
    host: async () =>
      await readHostLayout({ environment, home: homedir(), nodePath: process.execPath, hidden: options.hidden ?? [] }),
    startEgress: options.startEgress,
    log: options.log,
  };
}

export async function readSystemFacts(bubblewrapPath: string | null): Promise<SystemFacts> {
  const settings: Record<string, string> = {};
  for (const name of kernelSettings) {
    const value = await readFile(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").catch(() => null);
    if (value !== null) settings[name] = value.trim();
  }
  const program = bubblewrapPath === null ? null : await stat(bubblewrapPath).catch(() => null);
  return {
    platform: process.platform,
    packageManagers: packageManagers.filter((name) => findProgram(name) !== null),
    settings,
    isContainer: await isContainer(),
    isRoot: process.getuid?.() === 0,
    isSetuid: program !== null && (program.mode & 0o4000) !== 0,
  };
}

async function isContainer(): Promise<boolean> {
  for (const path of ["/.dockerenv", "/run/.containerenv"])
    if ((await stat(path).catch(() => null)) !== null) return true;
  return process.env["KUBERNETES_SERVICE_HOST"] !== undefined;
}
