/**
 * From checked facts to the arguments of bubblewrap. Pure: no I/O, and the same input gives the same arguments.
 *
 * BW1 The root is an allow-list on an empty file system. It shows only the parts of the host that this file names.
 * BW2 A mount point is never created below a path that an agent could have written before (SB5).
 * BW3 The kernel's settings below /proc are read-only. Otherwise real root could write them even without capabilities.
 */

export interface Bind {
  source: string;
  target: string;
}

/** The host's files, checked without following links. */
export interface HostLayout {
  /** Read-only: system directories, files of `/etc`, toolchains. */
  binds: readonly Bind[];
  /** Links that the sandbox makes again: `/bin`, names in `/etc`. */
  links: readonly { target: string; path: string }[];
  /** Directories below a bound one that stay empty: Baton's data, a runner's credentials. */
  hidden: readonly string[];
  /** Entries of `/proc` that are bound read-only. */
  procLocked: readonly string[];
  /** Files of `/proc` that read as empty. */
  procMasked: readonly string[];
}

export interface BubblewrapInput {
  host: HostLayout;
  writable: readonly string[];
  readable: readonly string[];
  /** Files that Baton wrote for this attempt: `/etc/passwd`, the bridge, the directory of sockets. Read-only inside. */
  own: readonly Bind[];
  cwd: string;
  tmpBytes: number;
  sharedMemoryBytes: number;
  /** `--disable-userns` exists since 0.8.0. */
  disableUserNamespaces: boolean;
  /**
   * Number of the open file with the filter of system calls. Null: no filter. A session of its own guards the terminal
   * then.
   */
  seccompFd: number | null;
}

export const sandboxUserId = 1000;
export const sandboxHostname = "sandbox";
/** Where Baton's own files appear inside. */
export const insideDir = "/run/baton";

const sharedMemory = "/dev/shm";

const reserved = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/etc",
  "/proc",
  "/dev",
  "/sys",
  insideDir,
];

/** Null when the paths can be bound as requested. Otherwise the reason. */
export function pathConflict(writable: readonly string[], readable: readonly string[]): string | null {
  for (const path of [...writable, ...readable])
    if (!isPlain(path)) return `"${path}" is not an absolute path without "." and ".." parts.`;
  for (const path of writable) {
    // Every sandbox has its own shared memory. A directory below it hides nothing of the system.
    const isShared = path !== sharedMemory && isBelow(path, sharedMemory);
    const system = isShared ? undefined : reserved.find((root) => isBelow(path, root) || isBelow(root, path));
    if (system !== undefined) return `"${path}" cannot be writable: it contains or lies in ${system}.`;
  }
  for (const path of readable) {
    const holder = writable.find((directory) => directory !== path && isBelow(path, directory));
    if (holder !== undefined) return `"${path}" cannot be read-only: it lies in the writable directory "${holder}".`;
    if (path === "/" || isBelow("/proc", path) || isBelow(path, "/proc"))
      return `"${path}" cannot be readable: it contains the whole system.`;
  }
  return null;
}

export function bubblewrapArguments(input: BubblewrapInput): string[] {
  const { host } = input;
  const hidden = mountedHidden(input);
  return [
    ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
    input.disableUserNamespaces ? ["--disable-userns"] : [],
    ["--uid", String(sandboxUserId), "--gid", String(sandboxUserId), "--hostname", sandboxHostname],
    ["--die-with-parent", "--cap-drop", "ALL"],
    // Signals of a process group reach the agent only in the same session. With the filter, the agent can stay in the
    // session. The filter blocks TIOCSTI.
    input.seccompFd === null ? ["--new-session"] : ["--seccomp", String(input.seccompFd)],
    ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"],
    ["--size", String(input.sharedMemoryBytes), "--perms", "1777", "--tmpfs", "/dev/shm"],
    ["--dir", "/run", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"],
    ["--size", String(input.tmpBytes), "--perms", "1777", "--tmpfs", "/tmp"],
    host.procLocked.flatMap((path) => ["--ro-bind", path, path]),
    host.procMasked.flatMap((path) => ["--ro-bind", "/dev/null", path]),
    host.links.flatMap(({ target, path }) => ["--symlink", target, path]),
    mounts(input, hidden).flatMap(({ words }) => words),
    hidden.flatMap((path) => ["--remount-ro", path]),
    ["--remount-ro", "/dev", "--remount-ro", "/"],
    ["--chdir", input.cwd],
  ].flat();
}

interface Mount {
  target: string;
  words: string[];
}

/** Parents come before children. Every mount point then lies on a file system of the sandbox or in a checked source. */
function mounts(input: BubblewrapInput, hidden: readonly string[]): Mount[] {
  const writable = outermost(input.writable);
  const readable = input.readable.filter((path) => !writable.includes(path));
  const binds = [...input.host.binds, ...readable.map((path) => ({ source: path, target: path })), ...input.own];
  const kept = binds.filter((bind) => !isCovered(bind, binds, hidden));
  const all: Mount[] = [
    ...kept.map(({ source, target }) => ({ target, words: ["--ro-bind", source, target] })),
    ...hidden.map((target) => ({ target, words: ["--perms", "0755", "--tmpfs", target] })),
    ...writable.map((target) => ({ target, words: ["--bind", target, target] })),
  ];
  const byTarget = new Map(all.map((mount) => [mount.target, mount]));
  return [...byTarget.values()].toSorted((a, b) => depth(a.target) - depth(b.target) || (a.target < b.target ? -1 : 1));
}

/** Already visible through a bind of a parent at its own place, with nothing hidden in between. */
function isCovered(bind: Bind, binds: readonly Bind[], hidden: readonly string[]): boolean {
  if (bind.source !== bind.target) return false;
  return binds.some(
    (other) =>
      other.source === other.target &&
      other.target !== bind.target &&
      isBelow(bind.target, other.target) &&
      !hidden.some((path) => isBelow(bind.target, path) && isBelow(path, other.target)),
  );
}

/** Only directories that a bind would show, and never below a directory that the agent may write (BW2). */
function mountedHidden({ host, readable, writable }: BubblewrapInput): string[] {
  const shown = [...host.binds.map(({ target }) => target), ...readable];
  return outermost(host.hidden).filter(
    (path) =>
      !readable.includes(path) &&
      !writable.some((directory) => isBelow(path, directory)) &&
      shown.some((target) => target !== path && isBelow(path, target)),
  );
}

function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isBelow(path, other)));
}

export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

function isPlain(path: string): boolean {
  return (
    path.startsWith("/") &&
    !path.includes("\0") &&
    path
      .slice(1)
      .split("/")
      .every((part, _, parts) => part !== "." && part !== ".." && (part !== "" || parts.length === 1))
  );
}

const depth = (path: string): number => path.split("/").length;
