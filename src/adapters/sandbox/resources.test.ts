/** Each kind of abuse ends soon after its limit, and nothing of it is left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createControlGroup, groupAt, tasksMax } from "./cgroup.ts";
import { measureDirectories } from "./disk-use.ts";
import { type Attempt, type Changes, newAttempt, whySkipped } from "./test-attempt.ts";

const MiB = 1024 * 1024;

describe.skipIf(whySkipped !== null)(`abusers${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`, () => {
  let attempt: Attempt;
  beforeEach(async () => {
    attempt = await newAttempt();
  });
  afterEach(async () => {
    await attempt.remove();
  });

  const node = (script: string): string[] => [process.execPath, "-e", `const fs = require("fs");${script}`];
  const sh = (script: string): string[] => ["/bin/sh", "-c", script];

  it.each<[string, string[], NonNullable<Changes["resources"]>, "memory" | "processes" | "disk", string]>([
    [
      // Without a control group only the watch ends it. An endless bomb would starve the machine that runs this test.
      "a fork bomb",
      sh("b() { [ $1 = 9 ] || { b $(($1 + 1)) | b $(($1 + 1)) & }; wait; sleep 3600; }; b 0"),
      { processesMax: 50 },
      "processes",
      "50 processes",
    ],
    [
      "processes that wait",
      sh("i=0; while [ $i -lt 200 ]; do sleep 3600 & i=$((i+1)); done; wait"),
      { processesMax: 100 },
      "processes",
      "100 processes",
    ],
    [
      "a process that fills its memory",
      node("const all = []; for (;;) all.push(Buffer.alloc(8e6, 1));"),
      { memoryBytesMax: 300 * MiB },
      "memory",
      "300 MiB",
    ],
    [
      "many processes that fill their memory",
      sh(
        `i=0; while [ $i -lt 8 ]; do "${process.execPath}" -e "globalThis.x = Buffer.alloc(60e6, 1); setTimeout(() => {}, 3600000)" & i=$((i+1)); done; wait`,
      ),
      { memoryBytesMax: 400 * MiB },
      "memory",
      "400 MiB",
    ],
    [
      "files in memory",
      sh(
        "dd if=/dev/zero of=/tmp/a bs=1M count=90 2>/dev/null; dd if=/dev/zero of=/dev/shm/b bs=1M count=90 2>/dev/null; exec \"$NODE\" -e 'globalThis.x = Buffer.alloc(250e6, 1); setTimeout(() => {}, 3600000)'",
      ),
      { memoryBytesMax: 400 * MiB },
      "memory",
      "400 MiB",
    ],
    [
      "one large file",
      sh("dd if=/dev/zero of=large bs=1M count=10240 2>/dev/null; sleep 3600"),
      { diskBytesMax: 100 * MiB },
      "disk",
      "100 MiB",
    ],
    [
      "a million small files",
      node(
        `for (let i = 0; i < 1e6; i++) { if (i % 1000 === 0) fs.mkdirSync("d" + i / 1000); fs.writeFileSync("d" + Math.floor(i / 1000) + "/" + i, "x"); } setTimeout(() => {}, 3600000)`,
      ),
      // In memory's own file system they count as memory, too, before a busy machine measures the disk.
      { diskBytesMax: 60 * MiB, memoryBytesMax: 16 * 1024 * MiB },
      "disk",
      "60 MiB",
    ],
    ["a sparse file", sh("truncate -s 120M sparse; sleep 3600"), { diskBytesMax: 100 * MiB }, "disk", "100 MiB"],
    [
      "files without a name",
      node(
        `for (let i = 0; i < 5; i++) { const f = fs.openSync("f" + i, "w"); fs.unlinkSync("f" + i); fs.writeSync(f, Buffer.alloc(50e6, 1)); } setTimeout(() => {}, 3600000)`,
      ),
      { diskBytesMax: 100 * MiB },
      "disk",
      "100 MiB",
    ],
    [
      "files in a directory that nobody may read",
      sh("mkdir closed; cd closed; dd if=/dev/zero of=large bs=1M count=160 2>/dev/null; chmod 000 .; sleep 3600"),
      { diskBytesMax: 100 * MiB },
      "disk",
      "100 MiB",
    ],
  ])("%s", async (_, command, resources, kind, name) => {
    const end = await attempt.run(command, { resources, env: { NODE: process.execPath }, timeoutMs: 600_000 });
    expect(attempt.denials).toEqual([{ kind, name }]);
    expect(end).toMatchObject({ timedOut: false, denied: { kind } });
    const left = (await readdir("/proc")).filter((pid) => /^\d+$/.test(pid));
    const words = await Promise.all(
      left.map(async (pid) => await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "")),
    );
    expect(words.filter((text) => text.includes(attempt.base))).toEqual([]);
  });

  it("a file far over the limit cannot be made at all", async () => {
    const end = await attempt.run(sh("truncate -s 1T sparse; ls -s sparse 2>/dev/null | grep -v ^0; true"), {
      resources: { diskBytesMax: 100 * MiB },
    });
    expect(end.stdout.toString()).toBe("");
  });

  it("work below the limits is left alone", async () => {
    const end = await attempt.run(
      sh("dd if=/dev/zero of=a bs=1M count=20 2>/dev/null; for i in 1 2 3 4 5; do sleep 1 & done; wait; echo done"),
      {
        resources: { diskBytesMax: 100 * MiB, memoryBytesMax: 400 * MiB, processesMax: 20 },
      },
    );
    expect(end.stdout.toString()).toBe("done\n");
    expect(attempt.denials).toEqual([]);
  });
});

describe("disk use", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "baton-disk-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });
  const measured = async (enough = Number.MAX_SAFE_INTEGER): Promise<number> =>
    (await measureDirectories([directory], enough)).bytes;

  it("an empty file is a block, a sparse one its size, a link itself", async () => {
    expect(await measured()).toBe(0);
    await writeFile(join(directory, "empty"), "");
    expect(await measured()).toBe(4096);
    await writeFile(join(directory, "sparse"), "");
    await truncate(join(directory, "sparse"), 10 * MiB);
    expect(await measured()).toBe(4096 + 10 * MiB);
    await symlink("/usr", join(directory, "link"));
    expect(await measured()).toBe(2 * 4096 + 10 * MiB);
  });

  it("counting ends soon after the limit", async () => {
    for (let index = 0; index < 50; index += 1) await writeFile(join(directory, String(index)), "x");
    expect(await measured(10 * 4096)).toBe(11 * 4096);
  });

  it("a directory that is not there is said to be unread", async () => {
    expect(await measureDirectories([join(directory, "absent")], 1)).toEqual({ bytes: 0, partial: true });
  });
});

/**
 * A real tree of version 2 on this machine, where this user may make groups. Its controllers may belong to version 1,
 * as on hybrid machines. Then the tree cannot test limits, and the directory below replaces it.
 */
const realTree = ((): string | null => {
  try {
    const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
    const at = mounts.map((line) => line.split(" ")).find(([, , type]) => type === "cgroup2")?.[1] ?? "/nonexistent";
    const probe = join(at, `baton-probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
    return at;
  } catch {
    return null;
  }
})();

describe.skipIf(realTree === null)("a real control group of version 2", () => {
  const path = join(realTree ?? "", `baton-test-${process.pid}`);
  afterEach(() => groupAt(path).remove());

  it("takes a process in, kills it with those that left its session, and goes away", async () => {
    mkdirSync(path);
    const group = groupAt(path);
    const script = `echo $$ > "$0/cgroup.procs"; setsid sleep 600 & exec sleep 601`;
    const child = spawn("/bin/sh", ["-c", script, path], { stdio: "ignore" });
    const ended = once(child, "exit");
    const inside = async (): Promise<number> =>
      (await readFile(join(path, "cgroup.procs"), "utf8")).trim().split("\n").length;
    await expect.poll(inside, { timeout: 60_000 }).toBe(2);
    expect(await group.exceeded()).toBeNull();
    await group.kill();
    expect(await ended).toEqual([null, "SIGKILL"]);
    await group.remove();
    expect(existsSync(path)).toBe(false);
  });

  it("a tree without the controllers gives no group, and nothing is left in it", async () => {
    const resources = { memoryBytesMax: 100 * MiB, processesMax: 10, diskBytesMax: MiB };
    const controllers = readFileSync(join(realTree ?? "", "cgroup.controllers"), "utf8")
      .trim()
      .split(" ");
    const group = await createControlGroup(`baton-test-${process.pid}`, resources, {
      root: realTree ?? "",
      own: "0::/\n",
    });
    if (["memory", "pids"].every((name) => controllers.includes(name))) await group?.remove();
    else expect(group).toBeNull();
    expect(existsSync(path)).toBe(false);
  });
});

describe("control groups", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "baton-cgroup-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });
  const resources = { memoryBytesMax: 100 * MiB, processesMax: 10, diskBytesMax: MiB };

  it("has no group where the controllers are not there", async () => {
    const options = { root, own: "0::/\n" };
    expect(await createControlGroup("one", resources, options)).toBeNull();
    await writeFile(join(root, "cgroup.controllers"), "cpu memory\n");
    expect(await createControlGroup("one", resources, options)).toBeNull();
    expect(await readdir(root)).toEqual(["cgroup.controllers"]);
    expect(await createControlGroup("one", resources, { root, own: "" })).toBeNull();
  });

  it("version 2: sets its limits and tells which was hit", async () => {
    const parent = join(root, "baton.slice/app");
    await mkdir(parent, { recursive: true });
    await writeFile(join(parent, "cgroup.controllers"), "cpu memory pids\n");
    const group = await createControlGroup("one", resources, { root, own: "0::/baton.slice/app\n" });
    const read = async (name: string): Promise<string> => await readFile(join(parent, "one", name), "utf8");
    expect(group).toMatchObject({ paths: [join(parent, "one")], holds: { memory: true, processes: true } });
    expect(await read("memory.max")).toBe(String(100 * MiB));
    expect(await read("memory.oom.group")).toBe("1");
    expect(await read("pids.max")).toBe(String(tasksMax(10)));
    expect(await readFile(join(parent, "cgroup.subtree_control"), "utf8")).toBe("+memory +pids");
    expect(await read("memory.swap.max")).toBe("0");
    expect(await group?.exceeded()).toBeNull();
    // In the kernel's format: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files.
    await writeFile(
      join(parent, "one", "memory.events"),
      "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n",
    );
    await writeFile(join(parent, "one", "pids.events"), "max 0\n");
    expect(await group?.exceeded()).toBeNull();
    await writeFile(join(parent, "one", "pids.events"), "max 3\n");
    expect(await group?.exceeded()).toBe("processes");
    await writeFile(
      join(parent, "one", "memory.events"),
      "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\noom_group_kill 1\n",
    );
    expect(await group?.exceeded()).toBe("memory");
  });

  it.each([
    ["its own trees", "9:pids:/\n4:memory:/job/7\n0::/\n", ["memory/job/7/one", "pids/one"]],
    ["a tree of several controllers", "5:cpu,pids:/\n4:memory:/\n", ["memory/one", "pids/one"]],
    ["a path that a container does not see", "9:pids:/\n4:memory:/docker/ab:c\n", ["memory/one", "pids/one"]],
    ["one controller alone", "9:pids:/\n", ["pids/one"]],
  ])("version 1: %s", async (_, own, paths) => {
    for (const path of ["memory", "pids", "memory/job/7"]) await mkdir(join(root, path), { recursive: true });
    const group = await createControlGroup("one", resources, { root, own });
    expect(group?.paths).toEqual(paths.map((path) => join(root, path)));
    expect(group?.holds).toEqual({ memory: paths.length === 2, processes: true });
    const pids = join(root, "pids/one");
    expect(await readFile(join(pids, "pids.max"), "utf8")).toBe(String(tasksMax(10)));
    expect(await group?.exceeded()).toBeNull();
    await writeFile(join(pids, "pids.events"), "max 1\n");
    expect(await group?.exceeded()).toBe("processes");
    if (paths.length < 2) return;
    const memory = group?.paths[0] ?? "";
    expect(await readFile(join(memory, "memory.limit_in_bytes"), "utf8")).toBe(String(100 * MiB));
    await writeFile(join(memory, "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    expect(await group?.exceeded()).toBe("memory");
  });
});
