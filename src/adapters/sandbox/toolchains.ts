/** Compilers, interpreters and agents that the operator's PATH finds outside of the system's directories. */
import { access, constants, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Bind, isBelow } from "./bubblewrap.ts";
import { resolved } from "./checked-path.ts";
import type { HostFacts, HostOptions } from "./host-layout.ts";

interface Toolchain {
  /** Part of a directory of PATH that identifies the toolchain. */
  mark: string;
  /** Bound paths, relative to the directory above the mark. */
  paths: readonly string[];
  /** Variable that names a path of it, relative to the same directory. */
  variable?: readonly [name: string, path: string];
}

/** Toolchains that live in a home. Their registries' credentials lie next to these paths, not below them. */
const known: readonly Toolchain[] = [
  { mark: "/.cargo/bin", paths: [".cargo/bin", ".rustup"], variable: ["RUSTUP_HOME", ".rustup"] },
  { mark: "/.pyenv/", paths: [".pyenv"], variable: ["PYENV_ROOT", ".pyenv"] },
  { mark: "/.rbenv/", paths: [".rbenv"], variable: ["RBENV_ROOT", ".rbenv"] },
  { mark: "/.asdf/", paths: [".asdf"], variable: ["ASDF_DATA_DIR", ".asdf"] },
  { mark: "/.volta/", paths: [".volta/bin", ".volta/tools"], variable: ["VOLTA_HOME", ".volta"] },
  { mark: "/.bun/bin", paths: [".bun/bin"] },
  { mark: "/.deno/bin", paths: [".deno/bin"] },
  { mark: "/.local/share/mise/", paths: [".local/share/mise"], variable: ["MISE_DATA_DIR", ".local/share/mise"] },
  { mark: "/.local/share/fnm", paths: [".local/share/fnm"] },
  { mark: "/.local/share/pnpm", paths: [".local/share/pnpm"] },
];

/** Parts of an install prefix. `etc` and dot files are not among them. */
const prefixParts = [
  "bin",
  "sbin",
  "lib",
  "lib64",
  "libexec",
  "share",
  "include",
  "conf",
  "jmods",
  "legal",
  "pkg",
  "src",
];

export async function toolchainsOf(
  { environment, home, nodePath, hidden }: HostOptions,
  shown: readonly string[],
): Promise<{ binds: Bind[]; variables: Record<string, string> }> {
  const binds: Bind[] = [];
  const variables: Record<string, string> = {};
  const isShown = (path: string): boolean => shown.some((root) => isBelow(path, root));
  const directories = (environment["PATH"] ?? "").split(":").filter((path) => path.startsWith("/"));
  for (const directory of new Set([...directories, dirname(nodePath)])) {
    const real = await resolved(directory);
    if (real === null || isShown(real) || isShown(directory)) continue;
    if (real === "/" || real === home || hidden.some((path) => isBelow(real, path))) continue;
    if (!(await isDirectory(real))) continue;
    if (real !== directory) binds.push({ source: real, target: directory });
    const toolchain = known.find(({ mark }) => `${real}/`.includes(mark.endsWith("/") ? mark : `${mark}/`));
    if (toolchain === undefined) binds.push(...(await prefixBinds(real, home)));
    else {
      const above = real.slice(0, `${real}/`.indexOf(toolchain.mark));
      for (const path of toolchain.paths) binds.push(...(await existing(join(above, path))));
      const [name, path] = toolchain.variable ?? [];
      if (name !== undefined && path !== undefined) variables[name] = join(above, path);
    }
    binds.push(...(await linkedShares(real)));
  }
  return { binds: binds.filter(({ target }) => !isShown(target)), variables };
}

/** The needs of a program, by name in PATH or by path, beyond the existing binds. */
export async function programBinds(program: string, path: string, host: HostFacts): Promise<Bind[]> {
  const found = program.includes("/") ? program : await findProgram(program, path);
  if (found === null || !found.startsWith("/")) return [];
  const real = await resolved(found);
  if (real === null || !(await isExecutable(real))) return [];
  const isShown = (one: string): boolean =>
    host.binds.some(({ target, source }) => isBelow(one, target) && source === target) ||
    host.links.some((link) => isBelow(one, link.path));
  const binds: Bind[] = [];
  if (!isShown(found)) binds.push({ source: real, target: found });
  const modules = outermostModules(real);
  if (!isShown(real)) binds.push(...(await existing(modules ?? real)));
  return binds;
}

function outermostModules(path: string): string | null {
  const at = path.indexOf("/node_modules/");
  return at === -1 ? null : path.slice(0, at + "/node_modules".length);
}

async function prefixBinds(directory: string, home: string): Promise<Bind[]> {
  const modules = outermostModules(`${directory}/`);
  if (modules !== null) return await existing(modules);
  const prefix = dirname(directory);
  const isPrefix = ["bin", "sbin", "shims"].includes(basename(directory));
  // `~/bin` and `~/.local/bin` have no prefix of their own.
  const isShared = prefix === "/" || prefix === home || basename(prefix) === ".local" || dirname(prefix) === "/home";
  if (!isPrefix || isShared) return await existing(directory);
  const found = await Promise.all([directory, ...prefixParts.map((part) => join(prefix, part))].map(existing));
  const versions = await Promise.all(["VERSION", "release"].map(async (name) => await existing(join(prefix, name))));
  return [...found, ...versions].flat();
}

/** Installers put the program below `~/.local/share/<name>` and a link to it into `~/.local/bin`. */
async function linkedShares(directory: string): Promise<Bind[]> {
  if (!directory.endsWith("/.local/bin")) return [];
  const share = join(dirname(directory), "share");
  const binds: Bind[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isSymbolicLink()) continue;
    const real = await resolved(join(directory, entry.name));
    if (real === null || !isBelow(real, share) || real === share) continue;
    const [name = ""] = real.slice(share.length + 1).split("/");
    binds.push(...(await existing(outermostModules(real) ?? join(share, name))));
  }
  return binds;
}

async function findProgram(name: string, path: string): Promise<string | null> {
  for (const directory of path.split(":").filter((one) => one.startsWith("/"))) {
    const candidate = join(directory, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

/** A bind at the path's own place, if it exists without a link in its path. */
async function existing(path: string): Promise<Bind[]> {
  return (await resolved(path)) === path ? [{ source: path, target: path }] : [];
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

async function isExecutable(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null);
  if (facts?.isFile() !== true) return false;
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
