/** Files that an agent must not read or write. */
import { lstat, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Probe, sources } from "./probe.ts";
import type { World } from "./world.ts";

const reads = (directory: string): string =>
  `tell(fs.readFileSync(path.join(targets.${directory}, "canary"), "latin1"));`;

/** Files with these names appear only if an attack reached the place. */
const intruder =
  (directory: (world: World) => string, name: string) =>
  async (world: World): Promise<string | null> =>
    (await lstat(join(directory(world), name)).catch(() => null)) === null ? null : `${name} was written outside`;

export const fileProbes: readonly Probe[] = [
  {
    name: "read a file in Baton's home",
    source: sources.sandboxBench("discovery, credentials in files"),
    attack: reads("home"),
    isQuick: true,
  },
  { name: "read Baton's database", source: sources.baton, attack: reads("database"), isQuick: true },
  {
    name: "read another run's tree",
    source: sources.case("agent-writes-into-anothers-run"),
    attack: reads("otherTree"),
    isQuick: true,
  },
  {
    name: "find a secret anywhere below the root",
    source: sources.sandboxBench("discovery, secrets in the file system"),
    attack: `
      for (const place of [targets.home, targets.database, path.dirname(targets.database), "/root", "/home", "/etc/shadow", "/etc/ssh"]) {
        const names = attempt(() => fs.readdirSync(place)) ?? [];
        for (const name of ["canary", ...names]) {
          const text = attempt(() => fs.readFileSync(path.join(place, name), "latin1"));
          if (text !== undefined && text.includes("baton-canary-")) tell(text);
        }
      }`,
  },
  {
    name: "read the password file",
    source: sources.sandboxBench("discovery, system accounts"),
    attack: `if (/^root:/m.test(fs.readFileSync("/etc/shadow", "latin1"))) brokeOut("/etc/shadow was read");`,
    forbidden: ({ isRoot }) => (isRoot ? null : "an ordinary user cannot read it"),
  },
  {
    name: "write next to the tree",
    source: sources.case("agent-writes-into-anothers-run"),
    attack: `fs.writeFileSync(path.join(targets.tree, "..", "intruder-beside"), "x");`,
    damage: intruder(({ tree }) => join(tree, ".."), "intruder-beside"),
    isQuick: true,
  },
  {
    name: "write into another run's tree",
    source: sources.case("agent-writes-into-anothers-run"),
    attack: `fs.writeFileSync(path.join(targets.otherTree, "intruder-other"), "x");`,
    damage: intruder(({ otherTree }) => otherTree, "intruder-other"),
    isQuick: true,
  },
  {
    name: "write into a trusted repository",
    source: sources.case("agent-leads-write-token-elsewhere"),
    attack: `fs.appendFileSync(path.join(targets.trusted, "config"), "[intruder]\\n");`,
    damage: async ({ trusted }) =>
      (await readFile(join(trusted, "config"), "utf8")).includes("[intruder]") ? "the configuration was changed" : null,
  },
  {
    name: "write through a link that was planted before the start",
    source: sources.baton,
    plant: async ({ tree, database }) => await symlink(database, join(tree, "planted")),
    attack: `fs.writeFileSync(path.join(targets.tree, "planted", "intruder-planted"), "x");`,
    damage: intruder(({ database }) => database, "intruder-planted"),
    isQuick: true,
  },
  {
    name: "read through a link that was planted before the start",
    source: sources.escapeBench("kubectl cp directory traversal"),
    plant: async ({ tree, database }) => await symlink(join(database, "canary"), join(tree, "planted-file")),
    attack: `tell(fs.readFileSync(path.join(targets.tree, "planted-file"), "latin1"));`,
  },
  {
    name: "become writable through a link where Baton mounts (CVE-2026-87766)",
    source: "https://nvd.nist.gov/vuln/detail/CVE-2026-87766",
    plant: async ({ tree, otherTree }) => await symlink(otherTree, join(tree, "cache")),
    writable: ({ tree }) => [join(tree, "cache")],
    attack: `fs.writeFileSync(path.join(targets.tree, "cache", "intruder-mount"), "x");`,
    damage: intruder(({ otherTree }) => otherTree, "intruder-mount"),
  },
  {
    name: "create a file outside by a mount point below a planted link (CVE-2026-87766)",
    source: "https://nvd.nist.gov/vuln/detail/CVE-2026-87766",
    plant: async ({ tree, trusted }) => await symlink(trusted, join(tree, "module")),
    writable: ({ tree }) => [join(tree, "module", "made-by-mount")],
    attack: `fs.mkdirSync(path.join(targets.tree, "module", "made-by-mount"), { recursive: true });`,
    damage: intruder(({ trusted }) => trusted, "made-by-mount"),
  },
  {
    name: "write through a hard link to a readable file",
    source: sources.baton,
    attack: `
      const link = path.join(targets.tree, "hard-link");
      fs.linkSync(path.join(targets.objects, "canary"), link);
      fs.appendFileSync(link, "intruder-hard");`,
    damage: async ({ objects }) =>
      (await readFile(join(objects, "canary"), "utf8")).includes("intruder-hard")
        ? "a readable file was changed"
        : null,
  },
  {
    name: "write what is only readable",
    source: sources.baton,
    attack: `fs.writeFileSync(path.join(targets.objects, "intruder-objects"), "x");`,
    damage: intruder(({ objects }) => objects, "intruder-objects"),
    isQuick: true,
  },
  {
    name: "move another run's tree",
    source: sources.case("agent-writes-into-anothers-run"),
    plant: async ({ otherTree }) => await writeFile(join(otherTree, "movable"), "x"),
    attack: `fs.renameSync(path.join(targets.otherTree, "movable"), path.join(targets.otherTree, "intruder-moved"));`,
    damage: intruder(({ otherTree }) => otherTree, "intruder-moved"),
  },
  {
    name: "write into the toolchain",
    source: sources.escapeBench("writable host mount"),
    attack: `
      const file = "/usr/local/" + targets.victimMark;
      fs.writeFileSync(file, "x");
      fs.rmSync(file);
      brokeOut("/usr/local is writable");`,
    forbidden: ({ isRoot }) => (isRoot ? null : "an ordinary user cannot write it"),
  },
  {
    name: "replace the program that runs the sandbox (CVE-2019-5736)",
    source: sources.escapeBench("runc CVE-2019-5736"),
    attack: `
      for (const pid of [1, process.ppid, ...victims()]) {
        const file = attempt(() => fs.readlinkSync("/proc/" + pid + "/exe"));
        if (file === undefined) continue;
        if (attempt(() => fs.accessSync(file, fs.constants.W_OK)) !== undefined) continue;
        const handle = attempt(() => fs.openSync("/proc/" + pid + "/exe", "r"));
        const probe = file + "." + targets.victimMark;
        if (attempt(() => { fs.writeFileSync(probe, "x"); fs.rmSync(probe); return true; })) brokeOut(probe + " was written");
        if (handle !== undefined) fs.closeSync(handle);
      }`,
    forbidden: ({ isRoot }) => (isRoot ? null : "the program belongs to root"),
  },
  {
    name: "leave by a directory that was left open (CVE-2024-21626)",
    source: sources.escapeBench("runc CVE-2024-21626"),
    attack: `
      for (const pid of ["self", "1", String(process.ppid), ...victims()])
        for (const kind of ["cwd", "root", ...(attempt(() => fs.readdirSync("/proc/" + pid + "/fd")) ?? []).map((name) => "fd/" + name)])
          for (const up of ["", "../", "../../", "../../../", "../../../../"])
            for (const name of [path.join(targets.database, "canary").slice(1), "canary"]) {
              const text = attempt(() => fs.readFileSync("/proc/" + pid + "/" + kind + "/" + up + name, "latin1"));
              if (text !== undefined) tell(text);
            }`,
  },
];
