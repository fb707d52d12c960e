/** One attempt's sandbox: its files, its sockets, its limits, and its start command. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ConfinedCommand, Confinement, SandboxDenial, SandboxPolicy } from "../../ports/sandbox.ts";
import { bubblewrapArguments, insideDir, isBelow, pathConflict } from "./bubblewrap.ts";
import { type ControlGroup, createControlGroup } from "./cgroup.ts";
import { checkedKind, refused, requireDirectories } from "./checked-path.ts";
import type { HostFacts } from "./host-layout.ts";
import type { Machinery } from "./machinery.ts";
import { forwardToLoopback, proxyVariables, type Service, servicesOf } from "./network.ts";
import { type OwnFiles, writeOwnFiles } from "./own-files.ts";
import { readProcess } from "./process-table.ts";
import { limitHit, temporaryBytesMax, type Watch, watchResources } from "./resources.ts";
import { programBinds } from "./toolchains.ts";

interface Program {
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

export function confine(
  machinery: Machinery,
  policy: SandboxPolicy,
  onDenied: (denial: SandboxDenial) => void,
): Confinement {
  const denied = onceEach(onDenied);
  return {
    policy,
    async prepare(program) {
      const attempt = new Attempt(machinery, policy, denied);
      try {
        return await attempt.prepare(program);
      } catch (error) {
        await attempt.release();
        throw error;
      }
    },
  };
}

class Attempt {
  readonly #machinery: Machinery;
  readonly #policy: SandboxPolicy;
  readonly #denied: (denial: SandboxDenial) => void;
  readonly #open: { close(): Promise<void> }[] = [];
  #files: OwnFiles | null = null;
  #group: ControlGroup | null = null;
  #watch: Watch | null = null;

  constructor(machinery: Machinery, policy: SandboxPolicy, denied: (denial: SandboxDenial) => void) {
    this.#machinery = machinery;
    this.#policy = policy;
    this.#denied = denied;
  }

  async prepare(program: Program): Promise<ConfinedCommand> {
    const { bubblewrap, nodePath } = this.#machinery;
    const { writable, readable, resources } = this.#policy;
    const host = await this.#machinery.host();
    await checkPolicy(this.#policy, program.cwd);
    const files = await writeOwnFiles(program.env["HOME"] ?? "/tmp");
    this.#files = files;
    this.#group = await createControlGroup(basename(files.directory), resources);
    const { proxy, services } = await this.#listen(files);
    const env = environmentInside(program.env, host, proxy);
    const [name = "", ...words] = program.command;
    const extra = await programBinds(name, program.env["PATH"] ?? "", host);
    const bridge = { services, environment: nodeVariables(env) };
    const temporaryBytes = temporaryBytesMax(resources.memoryBytesMax);
    const wrapped = [
      bubblewrap.path,
      ...bubblewrapArguments({
        host: { ...host, binds: [...host.binds, ...extra] },
        writable,
        readable,
        own: files.binds,
        cwd: program.cwd,
        tmpBytes: temporaryBytes,
        sharedMemoryBytes: temporaryBytes,
        disableUserNamespaces: bubblewrap.disablesUserNamespaces,
        seccompFd: files.filterPath === null ? null : descriptors.filter,
      }),
      "--json-status-fd",
      String(descriptors.status),
      ...Object.keys(bridge.environment).flatMap((variable) => ["--unsetenv", variable]),
      "--",
      nodePath,
      `${insideDir}/bridge.cjs`,
      JSON.stringify(bridge),
      name,
      ...words,
    ];
    return {
      command: this.#launcher(files, wrapped),
      env,
      cwd: "/",
      started: (pid, stop) => this.#started(pid, stop),
      release: async (failed) => await this.release(failed),
    };
  }

  /** Closes everything once nothing of the attempt is left. */
  async release(failed = false): Promise<SandboxDenial | null> {
    await this.#watch?.stop();
    // The kernel may have ended the program before the watch noticed.
    const denial = failed ? await limitHit(this.#group, this.#policy.resources) : null;
    if (denial !== null) this.#denied(denial);
    this.#watch = null;
    if (this.#files !== null) await waitForEnd(this.#files.statusPath);
    await Promise.all(this.#open.splice(0).map(async (one) => await one.close()));
    await this.#group?.remove();
    await this.#files?.remove();
    this.#group = null;
    this.#files = null;
    return denial;
  }

  async #listen(files: OwnFiles): Promise<{ proxy: Service; services: { port: number; socketPath: string }[] }> {
    const { loopbackPorts, hosts } = this.#policy.network;
    const { proxy, ports } = servicesOf(loopbackPorts);
    for (const { port, fileName } of ports)
      this.#open.push(await forwardToLoopback(join(files.inside, fileName), port));
    this.#open.push(
      await this.#machinery.startEgress({
        socketPath: join(files.inside, proxy.fileName),
        hosts,
        onDenied: (name, reason) => {
          this.#machinery.log.info("The sandbox denied a host", { name, reason });
          this.#denied({ kind: "host", name });
        },
      }),
    );
    return {
      proxy,
      services: [proxy, ...ports].map(({ port, fileName }) => ({ port, socketPath: join(insideDir, fileName) })),
    };
  }

  #launcher(files: OwnFiles, wrapped: readonly string[]): string[] {
    const { processesMax, diskBytesMax } = this.#policy.resources;
    const { prlimit } = this.#machinery;
    // A file may exceed the limit a little, so that the count notices it. A core limit of 1 byte also stops core dumps
    // to programs.
    const fileBytesMax = diskBytesMax + fileMarginBytes;
    const limits =
      prlimit === null
        ? []
        : [prlimit, `--fsize=${fileBytesMax}`, "--core=1", `--nproc=${processesMax * 8 + userProcessesMax}`, "--"];
    return [
      "/bin/sh",
      "-c",
      launcherScript,
      "sandbox",
      this.#group?.paths.join("\n") ?? "",
      files.statusPath,
      files.filterPath ?? "/dev/null",
      String(Math.ceil(fileBytesMax / 512)),
      ...limits,
      ...wrapped,
    ];
  }

  #started(pid: number, stop: (why: SandboxDenial) => void): void {
    this.#watch = watchResources({
      pid,
      resources: this.#policy.resources,
      writable: this.#policy.writable,
      group: this.#group,
      onExceeded: (denial) => {
        this.#machinery.log.warn("The sandbox ended an attempt over a limit", { ...denial });
        this.#denied(denial);
        stop(denial);
      },
    });
  }
}

const descriptors = { status: 8, filter: 9 };
const fileMarginBytes = 64 * 1024 * 1024;
/** Older kernels also count processes of the same user outside. */
const userProcessesMax = 4096;

/**
 * Joins the control groups before anything starts, and opens the files that bubblewrap reads. A polite signal would end
 * bubblewrap, and with it the agent at once. Bubblewrap therefore ignores such signals. The bridge, in the same group,
 * passes them on.
 */
const launcherScript = `
trap '' TERM INT HUP QUIT USR1 USR2
set -f
IFS='
'
for group in $1; do echo $$ >"$group/cgroup.procs" || exit 125; done
unset IFS
exec 8>"$2" 9<"$3" || exit 125
ulimit -f "$4" || exit 125
shift 4
exec "$@"
`;

/**
 * Variables that would change Node in the bridge. The bridge gives them to the program. A thread of Node reads the file of
 * `NODE_EXTRA_CA_CERTS`, and the bridge would close that file with the inherited ones.
 */
function nodeVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith("NODE_")));
}

function environmentInside(
  env: Readonly<Record<string, string>>,
  host: HostFacts,
  proxy: Service,
): Record<string, string> {
  return { ...host.variables, ...env, ...proxyVariables(proxy.port, env) };
}

async function checkPolicy({ writable, readable }: SandboxPolicy, cwd: string): Promise<void> {
  const conflict = pathConflict(writable, readable);
  if (conflict !== null) throw refused(cwd, conflict);
  await requireDirectories(writable);
  for (const path of readable) if ((await checkedKind(path)) === null) throw refused(path, "nothing is there");
  if (![...writable, ...readable].some((path) => isBelow(cwd, path)))
    throw refused(cwd, "the working directory lies outside of what the program may see");
}

/** Bubblewrap ends first. Then the kernel needs a moment to end the namespace. */
async function waitForEnd(statusPath: string): Promise<void> {
  const text = await readFile(statusPath, "utf8").catch(() => "");
  const pid = Number(/"child-pid": (\d+)/.exec(text)?.[1] ?? 0);
  if (pid === 0) return;
  for (let tries = 0; tries < 500; tries += 1) {
    const entry = await readProcess(pid);
    if (entry === null || entry.ended) return;
    await delay(10);
  }
}

function onceEach(onDenied: (denial: SandboxDenial) => void): (denial: SandboxDenial) => void {
  const seen = new Set<string>();
  return (denial) => {
    const key = `${denial.kind} ${denial.name}`;
    if (seen.has(key)) return;
    seen.add(key);
    onDenied(denial);
  };
}
