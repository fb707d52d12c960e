/** From facts to arguments: the mounts, their order, and refusals. */
import { describe, expect, it } from "vitest";
import { type BubblewrapInput, bubblewrapArguments, pathConflict } from "./bubblewrap.ts";

const nothing = { binds: [], links: [], hidden: [], procLocked: [], procMasked: [] };

function input(changes: Partial<BubblewrapInput>): BubblewrapInput {
  return {
    host: nothing,
    writable: [],
    readable: [],
    own: [],
    cwd: "/data/tree",
    tmpBytes: 1000,
    sharedMemoryBytes: 1000,
    disableUserNamespaces: true,
    seccompFd: 9,
    ...changes,
  };
}

const at = (path: string) => ({ source: path, target: path });

/** Every mount of a path, as `kind target`, in order. */
function mounts(changes: Partial<BubblewrapInput>): string[] {
  const words = bubblewrapArguments(input(changes));
  return words.flatMap((word, index) => {
    if (word === "--bind" || word === "--ro-bind") return [`${word.slice(2)} ${words[index + 2]}`];
    return word === "--tmpfs" || word === "--remount-ro" ? [`${word.slice(2)} ${words[index + 1]}`] : [];
  });
}

const base = ["tmpfs /", "tmpfs /dev/shm", "tmpfs /tmp"];
const end = ["remount-ro /dev", "remount-ro /"];

describe("mounts", () => {
  it.each<[string, Partial<BubblewrapInput>, string[]]>([
    ["nothing", {}, []],
    ["a writable directory", { writable: ["/data/tree"] }, ["bind /data/tree"]],
    ["one in another is mounted once", { writable: ["/data/tree/tmp", "/data/tree"] }, ["bind /data/tree"]],
    [
      "names that begin alike are two",
      { writable: ["/data/tree2", "/data/tree"] },
      ["bind /data/tree", "bind /data/tree2"],
    ],
    [
      "a writable one in a readable one comes after it",
      { writable: ["/data/objects/new"], readable: ["/data/objects"] },
      ["ro-bind /data/objects", "bind /data/objects/new"],
    ],
    ["writable wins over readable", { writable: ["/data/tree"], readable: ["/data/tree"] }, ["bind /data/tree"]],
    [
      "what a parent shows is not mounted again",
      { host: { ...nothing, binds: [at("/usr"), at("/usr/lib/node")] }, readable: ["/usr/share/x"] },
      ["ro-bind /usr"],
    ],
    [
      "a file from another place is mounted over its parent",
      { host: { ...nothing, binds: [at("/etc/ssl")] }, own: [{ source: "/private/cert", target: "/etc/ssl/cert" }] },
      ["ro-bind /etc/ssl", "ro-bind /etc/ssl/cert"],
    ],
    [
      "a hidden directory below a bound one is empty and read-only",
      { host: { ...nothing, binds: [at("/opt")], hidden: ["/opt/baton"] } },
      ["ro-bind /opt", "tmpfs /opt/baton", "remount-ro /opt/baton"],
    ],
    ["a hidden directory that nothing shows needs no mount", { host: { ...nothing, hidden: ["/srv/baton"] } }, []],
    [
      "what the policy names is there even below a hidden directory",
      {
        host: { ...nothing, binds: [at("/opt")], hidden: ["/opt/baton"] },
        writable: ["/opt/baton/work/1"],
        readable: ["/opt/baton/git"],
      },
      ["ro-bind /opt", "tmpfs /opt/baton", "ro-bind /opt/baton/git", "bind /opt/baton/work/1", "remount-ro /opt/baton"],
    ],
    [
      "nothing is mounted below a writable directory",
      { host: { ...nothing, hidden: ["/data/tree/secret"] }, writable: ["/data/tree"], readable: ["/data"] },
      ["ro-bind /data", "bind /data/tree"],
    ],
  ])("%s", (_, changes, expected) => {
    const expectedEnd = expected.filter((mount) => mount.startsWith("remount-ro"));
    expect(mounts(changes)).toEqual([
      ...base,
      ...expected.filter((mount) => !mount.startsWith("remount-ro")),
      ...expectedEnd,
      ...end,
    ]);
  });

  it("the kernel's settings are read-only before anything else is bound", () => {
    const host = { ...nothing, procLocked: ["/proc/sys"], procMasked: ["/proc/kcore"], binds: [at("/usr")] };
    const words = bubblewrapArguments(input({ host })).join(" ");
    expect(words).toContain("--ro-bind /proc/sys /proc/sys --ro-bind /dev/null /proc/kcore --ro-bind /usr /usr");
  });
});

describe("namespaces", () => {
  it("every namespace is new, the user is not root, and no capability is left", () => {
    const words = bubblewrapArguments(input({})).join(" ");
    for (const kind of ["user", "ipc", "pid", "net", "uts"]) expect(words).toContain(`--unshare-${kind} `);
    expect(words).toContain("--unshare-cgroup-try");
    expect(words).toContain("--uid 1000 --gid 1000");
    expect(words).toContain("--die-with-parent --cap-drop ALL");
    expect(words).not.toContain("--share-net");
  });

  it("the terminal is guarded by the filter, or by a session where there is none", () => {
    expect(bubblewrapArguments(input({ seccompFd: 9 })).join(" ")).toMatch(/--seccomp 9/);
    expect(bubblewrapArguments(input({ seccompFd: 9 }))).not.toContain("--new-session");
    expect(bubblewrapArguments(input({ seccompFd: null }))).toContain("--new-session");
  });

  it("an old bubblewrap gets no option that it does not know", () => {
    expect(bubblewrapArguments(input({ disableUserNamespaces: false }))).not.toContain("--disable-userns");
  });
});

describe("paths that are refused", () => {
  it.each<[string, string[], string[]]>([
    ["relative", ["data/tree"], []],
    ["with a part that goes up", ["/data/../etc"], []],
    ["with an empty part", ["/data//tree"], []],
    ["with a slash at the end", ["/data/tree/"], []],
    ["with a zero byte", ["/data/tree\0"], []],
    ["the root as writable", ["/"], []],
    ["a system directory as writable", ["/usr"], []],
    ["a directory in a system directory as writable", ["/usr/local/share/x"], []],
    ["the kernel's files as writable", ["/proc/self"], []],
    ["where the bridge lies as writable", ["/run"], []],
    ["the root as readable", [], ["/"]],
    ["the host's processes as readable", [], ["/proc"]],
    ["a read-only path in a writable one", ["/data/tree"], ["/data/tree/.git/hooks"]],
  ])("%s", (_, writable, readable) => {
    expect(pathConflict(writable, readable)).toMatch(/^"/);
  });

  it.each<[string, string[], string[]]>([
    ["in a home", ["/home/me/.baton/work/1"], []],
    ["in /opt", ["/opt/baton/work"], ["/opt/baton/git"]],
    ["names that only begin like a system directory", ["/usr2/tree", "/etcetera"], ["/process"]],
    ["dots in a name", ["/data/..tree", "/data/.tree."], []],
  ])("allowed: %s", (_, writable, readable) => {
    expect(pathConflict(writable, readable)).toBeNull();
  });
});
