/**
 * The files of this machine that an agent may read. They are system directories, named files of `/etc`, and toolchains
 * of the operator's PATH.
 *
 * HL1 A toolchain in a home is bound at its own place, without the rest of the home. Credentials next to it are not
 *     bound.
 * HL2 PATH and certificates are the operator's, never those of a repository.
 */
import { readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Bind, type HostLayout, isBelow } from "./bubblewrap.ts";
import { checkedKind, resolved } from "./checked-path.ts";
import { toolchainsOf } from "./toolchains.ts";

const systemRoots = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"];

/**
 * Files and directories of `/etc` that programs need and that hold no secret. Baton writes its own versions of the four
 * that name users and hosts.
 */
const etcNames = [
  "alternatives",
  "bash.bashrc",
  "ca-certificates",
  "ca-certificates.conf",
  "crypto-policies",
  "debian_version",
  "fonts",
  "inputrc",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "locale.alias",
  "locale.conf",
  "localtime",
  "magic",
  "magic.mime",
  "maven",
  "mime.types",
  "networks",
  "os-release",
  "perl",
  "pki/ca-trust/extracted",
  "pki/tls/cert.pem",
  "pki/tls/certs",
  "pki/tls/openssl.cnf",
  "profile",
  "protocols",
  "rpc",
  "services",
  "ssl/cert.pem",
  "ssl/certs",
  "ssl/openssl.cnf",
  "terminfo",
  "timezone",
];
const etcPatterns = [/^java/, /^python/, /^(alpine|redhat|fedora|centos|arch|lsb)-release$/];

/** Files that mark a directory of `/opt` as an installation with secrets, of a self-hosted runner or of a service. */
const secretNames = [".credentials", ".credentials_rsaparams", ".env", ".netrc", ".npmrc"];

const certificateVariables = [
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "CARGO_HTTP_CAINFO",
  "PIP_CERT",
];

export interface HostFacts extends HostLayout {
  /** Without these variables, a toolchain looks for itself in the agent's home. */
  variables: Record<string, string>;
}

export interface HostOptions {
  environment: Readonly<Record<string, string | undefined>>;
  home: string;
  /** The node that Baton runs on. */
  nodePath: string;
  /** Baton's data and installation, where they lie below a bound directory. */
  hidden: readonly string[];
}

export async function readHostLayout(options: HostOptions): Promise<HostFacts> {
  const roots = await systemEntries();
  const opt = await optEntries();
  const etc = await etcEntries();
  const shown = [...roots.binds, ...opt.binds].map(({ target }) => target);
  const tools = await toolchainsOf(options, shown);
  const binds = [...roots.binds, ...opt.binds, ...etc.binds, ...tools.binds, ...(await certificates(options, shown))];
  return {
    binds: unique(binds),
    links: [...roots.links, ...etc.links],
    hidden: [...options.hidden, ...opt.hidden],
    ...(await procEntries()),
    variables: tools.variables,
  };
}

type Entries = Pick<HostLayout, "binds" | "links">;

async function systemEntries(): Promise<{ binds: Bind[]; links: { target: string; path: string }[] }> {
  const entries = { binds: [] as Bind[], links: [] as { target: string; path: string }[] };
  for (const path of systemRoots) {
    const target = await readlink(path).catch(() => null);
    if (target !== null) entries.links.push({ target, path });
    else if ((await checkedKind(path)) === "directory") entries.binds.push({ source: path, target: path });
  }
  return entries;
}

async function optEntries(): Promise<{ binds: Bind[]; hidden: string[] }> {
  const names: string[] = await readdir("/opt").catch(() => []);
  const binds: Bind[] = [];
  const hidden: string[] = [];
  for (const name of names) {
    const path = join("/opt", name);
    const inside: string[] = await readdir(path).catch(() => []);
    if (secretNames.some((secret) => inside.includes(secret))) hidden.push(path);
    else if ((await kindOf(path)) !== null) binds.push({ source: path, target: path });
  }
  return { binds, hidden };
}

async function etcEntries(): Promise<Entries> {
  const here = await readdir("/etc").catch(() => []);
  const names = [...etcNames, ...here.filter((name) => etcPatterns.some((pattern) => pattern.test(name)))];
  const binds: Bind[] = [];
  const links: { target: string; path: string }[] = [];
  for (const path of names.map((name) => join("/etc", name))) {
    const link = await readlink(path).catch(() => null);
    const real = await resolved(path);
    if (real === null) continue;
    if (link !== null && systemRoots.some((root) => isBelow(real, root))) links.push({ target: real, path });
    else if ((await kindOf(real)) !== null) binds.push({ source: real, target: path });
  }
  return { binds, links };
}

async function certificates({ environment }: HostOptions, shown: readonly string[]): Promise<Bind[]> {
  const binds: Bind[] = [];
  for (const name of certificateVariables) {
    const path = environment[name];
    if (path === undefined || !path.startsWith("/") || shown.some((root) => isBelow(path, root))) continue;
    if (path.startsWith("/etc/")) continue;
    const real = await resolved(path);
    if (real !== null && (await kindOf(real)) !== null) binds.push({ source: real, target: path });
  }
  return binds;
}

/**
 * Directories of `/proc` with settings of the whole machine. Real root may write some of them without any capability.
 */
const procDirectories = ["sys", "irq", "bus", "fs", "acpi", "driver", "scsi", "tty", "asound", "dynamic_debug"];
const procHidden = ["kcore", "kallsyms", "keys", "key-users", "sched_debug", "latency_stats", "timer_list"];

async function procEntries(): Promise<Pick<HostLayout, "procLocked" | "procMasked">> {
  const locked: string[] = [];
  const masked: string[] = [];
  for (const entry of await readdir("/proc", { withFileTypes: true }).catch(() => [])) {
    const path = join("/proc", entry.name);
    if (/^\d+$/.test(entry.name) || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) {
      if (procDirectories.includes(entry.name)) locked.push(path);
      continue;
    }
    const facts = await stat(path).catch(() => null);
    if (facts === null) continue;
    const isPublic = (facts.mode & 0o004) !== 0;
    if (!isPublic || (facts.mode & 0o222) !== 0 || procHidden.includes(entry.name)) masked.push(path);
  }
  return { procLocked: locked, procMasked: masked };
}

async function kindOf(path: string): Promise<"file" | "directory" | null> {
  return await checkedKind(path).catch(() => null);
}

function unique(binds: readonly Bind[]): Bind[] {
  return [...new Map(binds.map((bind) => [bind.target, bind])).values()];
}
