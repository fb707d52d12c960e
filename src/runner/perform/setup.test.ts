import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { children } from "../../adapters/child/children.ts";
import { openPackageCaches } from "../../adapters/sandbox/package-caches.ts";
import type { Confinement } from "../../ports/sandbox.ts";
import { type CacheUse, runSetup, type SetupEnd, type SetupRequest, setupKey } from "./setup.ts";

/** Confines nothing, because the child port tests how a confinement is applied. */
const open: Confinement = {
  policy: {
    writable: [],
    readable: [],
    network: { hosts: [], loopbackPorts: [] },
    resources: { memoryBytesMax: 1, processesMax: 1, diskBytesMax: 1 },
  },
  prepare: async ({ command, env, cwd }) => ({
    command: [...command],
    env: { ...env },
    cwd,
    started() {},
    release: async () => null,
  }),
};

let folder = "";
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "setup-")));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const key = "a".repeat(64);
const cache = (mayWrite = true): CacheUse => ({
  caches: openPackageCaches({ children, root: join(folder, "caches") }),
  repositoryId: 7,
  key,
  mayWrite,
});

async function setup(name: string, commands: readonly string[], more: Partial<SetupRequest> = {}): Promise<SetupEnd> {
  const workspace = { path: join(folder, name, "tree"), homePath: join(folder, name, "home") };
  await mkdir(workspace.path, { recursive: true });
  await mkdir(workspace.homePath, { recursive: true });
  return await runSetup({
    children,
    confinement: open,
    workspace,
    commands,
    env: { PATH: process.env["PATH"] ?? "" },
    timeoutMs: 60_000,
    outputCharactersMax: 100,
    marker: "setup-test",
    signal: new AbortController().signal,
    redact: (text) => text.replaceAll("sesame", "[hidden]"),
    cache: null,
    ...more,
  });
}

const install = 'mkdir -p "$npm_config_cache" && echo package > "$npm_config_cache/one"';

describe("commands", () => {
  test("run in order in the workspace, with its home and nothing of Baton's environment", async () => {
    process.env["SETUP_TEST_SECRET"] = "leak";
    const end = await setup("one", ["echo first > file", 'cat file; echo "$HOME"', "env | grep -c SECRET; true"]);
    delete process.env["SETUP_TEST_SECRET"];
    expect(end).toMatchObject({ ok: true, cache: "unused" });
    expect(end.steps.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(end.steps[1]?.output).toBe(`first\n${join(folder, "one/home")}\n`);
    expect(end.steps[2]?.output).toBe("0\n");
    expect(await readFile(join(folder, "one/tree/file"), "utf8")).toBe("first\n");
  });

  test("one that fails ends the setup, with its exit code and output", async () => {
    const end = await setup("one", ["echo good", "echo broken >&2; exit 3", "touch never"]);
    expect(end.ok).toBe(false);
    expect(end.steps.map(({ command, exitCode }) => [command, exitCode])).toEqual([
      ["echo good", 0],
      ["echo broken >&2; exit 3", 3],
    ]);
    expect(end.steps[1]).toMatchObject({ output: "broken\n", outputTruncated: false, timedOut: false });
    expect(await readdir(join(folder, "one/tree"))).toEqual([]);
  });

  test("output is redacted and its end is kept", async () => {
    const end = await setup("one", ["for n in $(seq 200); do echo line $n; done; echo open sesame"]);
    expect(end.steps[0]?.output).toHaveLength(100);
    expect(end.steps[0]?.output).toMatch(/line 200\nopen \[hidden\]\n$/);
    expect(end.steps[0]?.outputTruncated).toBe(true);
  });

  test("time is bounded for all of them together", async () => {
    const end = await setup("one", ["true", "sleep 600", "touch never"], { timeoutMs: 1_500 });
    expect(end.ok).toBe(false);
    expect(end.steps).toHaveLength(2);
    expect(end.steps[1]).toMatchObject({ exitCode: null, timedOut: true });
  });

  test("a signal stops them", async () => {
    const stop = new AbortController();
    stop.abort();
    const end = await setup("one", ["touch never"], { signal: stop.signal });
    expect(end).toMatchObject({ ok: false, steps: [{ exitCode: null, aborted: true }] });
    expect(await readdir(join(folder, "one/tree"))).toEqual([]);
  });
});

describe("the package cache", () => {
  const copied = async (name: string): Promise<string[]> =>
    await readdir(join(folder, name, "home/packages/npm")).catch(() => []);

  test("is kept from the first setup and copied into the next workspace", async () => {
    expect(await setup("one", [install], { cache: cache() })).toMatchObject({ ok: true, cache: "saved" });
    // An agent that runs after the setup changes only its own copy.
    await writeFile(join(folder, "one/home/packages/npm/one"), "poison");
    const end = await setup("two", ['cat "$npm_config_cache/one"'], { cache: cache() });
    expect(end).toMatchObject({ ok: true, cache: "restored", steps: [{ output: "package\n" }] });
    expect(end.variables["npm_config_cache"]).toBe(join(folder, "two/home/packages/npm"));
  });

  test.each<[string, Partial<SetupRequest>, string[]]>([
    ["when the commit is not on the default branch", { cache: cache(false) }, [install]],
    ["without a sandbox", { cache: cache(), confinement: null }, [install]],
    ["after a failure", { cache: cache() }, [install, "false"]],
    ["without commands", { cache: cache() }, []],
  ])("is not written %s", async (_, more, commands) => {
    const use = more.cache == null ? null : { ...cache(), mayWrite: more.cache.mayWrite };
    await setup("one", commands, { ...more, cache: use });
    expect(await readdir(join(folder, "caches")).catch(() => [])).toEqual([]);
  });

  test("is read where it may not be written", async () => {
    await setup("one", [install], { cache: cache() });
    const end = await setup("two", ['echo poison > "$npm_config_cache/one"'], { cache: cache(false) });
    expect(end).toMatchObject({ ok: true, cache: "restored" });
    await setup("three", ["true"], { cache: cache() });
    expect(await readFile(join(folder, "three/home/packages/npm/one"), "utf8")).toBe("package\n");
  });

  test.each([
    [
      "a directory that an agent filled",
      async (path: string) => await mkdir(join(path, "npm"), { recursive: true }).then(() => {}),
    ],
    ["a link that an agent planted", async (path: string) => await symlink(folder, path)],
    ["a link to nothing", async (path: string) => await symlink(join(folder, "absent"), path)],
  ])("is neither restored over %s nor written from it", async (_, plant) => {
    await mkdir(join(folder, "one/home"), { recursive: true });
    await plant(join(folder, "one/home/packages"));
    const end = await setup("one", ["true"], { cache: cache() });
    expect(end).toMatchObject({ ok: true, cache: "unused" });
    expect(await readdir(join(folder, "caches")).catch(() => [])).toEqual([]);
    expect(await copied("one")).toEqual([]);
  });
});

describe("the key", () => {
  const tree = [
    { path: "package-lock.json", objectId: "1" },
    { path: "web/package.json", objectId: "2" },
    { path: "src/index.ts", objectId: "3" },
  ];
  const base = setupKey(["npm ci"], tree);

  test("is a hash of the commands and the lock files, in any order", () => {
    expect(base).toMatch(/^[0-9a-f]{64}$/);
    expect(setupKey(["npm ci"], tree.toReversed())).toBe(base);
    expect(setupKey(["npm ci"], [...tree, { path: "src/other.ts", objectId: "4" }])).toBe(base);
    expect(setupKey(["npm install"], tree)).not.toBe(base);
    expect(setupKey(["npm", "ci"], tree)).not.toBe(base);
  });

  test.each([
    ["another lock file", [...tree, { path: "go.sum", objectId: "4" }]],
    ["another content", tree.map((entry) => ({ ...entry, objectId: `${entry.objectId}0` }))],
    ["another place", tree.map((entry) => ({ ...entry, path: `app/${entry.path}` }))],
    ["one less", tree.slice(1)],
  ])("differs for %s", (_, other) => {
    expect(setupKey(["npm ci"], other)).not.toBe(base);
  });

  test.each([
    "a/Cargo.lock",
    "pom.xml",
    "requirements-dev.txt",
    "gradle/libs.versions.toml",
    "build.gradle.kts",
    "uv.lock",
    ".npmrc",
  ])("depends on %s", (path) =>
    expect(setupKey(["true"], [{ path, objectId: "1" }])).not.toBe(setupKey(["true"], [{ path, objectId: "2" }])),
  );
});
