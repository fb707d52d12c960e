/**
 * The machine disappears between two steps, and another continues: with the App's store, and with the refs of Actions
 * mode.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { KeptRefs } from "../adapters/git-state/kept-refs.ts";
import { StateRemote } from "../adapters/git-state/remote.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { createSecretScan } from "../adapters/secrets/secret-scan.ts";
import { silentLog } from "../adapters/system/log.ts";
import { createWorkspaces } from "../adapters/workspace/workspaces.ts";
import { BatonError } from "../core/errors.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { KeptWork } from "../ports/kept-work.ts";
import type { ImportOptions, RepositoryAccess, Workspaces } from "../ports/workspace.ts";
import { durableWorkspaces } from "./durable-workspaces.ts";
import { storedWork } from "./stored-work.ts";

const runId = "run_0123456789abcdef" as RunId;
/** Concatenated, so that no scanner reports this file as a leak. */
const secret = `gh${"p"}_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8`;
const key = "correct horse battery staple";
const options: ImportOptions = {
  identity: { name: "baton[bot]", email: "1+baton[bot]@users.noreply.github.com" },
  trailers: ["Baton-Run: x"],
  rescueSubject: "Work",
  limits: { filesMax: 10, blobBytesMax: 10_000, importBytesMax: 100_000 },
};

let root: string;
let remote: string;
let access: RepositoryAccess;
let machines = 0;
/** Successive machines work over the storage that outlives them. */
let next: () => Workspaces;

function sh(cwd: string, ...args: string[]): string {
  return execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd, encoding: "utf8" }).trim();
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "baton-durable-"));
  remote = join(root, "remote");
  sh(root, "init", "-q", "-b", "main", remote);
  writeFileSync(join(remote, "a.txt"), "a\n");
  sh(remote, "add", "-A");
  sh(remote, "commit", "-qm", "first");
  // A base that is not an ancestor of the default branch.
  sh(remote, "checkout", "-qb", "topic");
  sh(remote, "commit", "-q", "--allow-empty", "-m", "topic");
  access = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: remote,
    token: async () => null,
  };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const machine = (): string => {
  // Everything of the earlier machine is gone.
  rmSync(join(root, "machines"), { recursive: true, force: true });
  machines += 1;
  return join(root, "machines", `${machines}`);
};
const over = (place: string, work: KeptWork): Workspaces =>
  durableWorkspaces(
    createWorkspaces({ rootDir: join(place, "workspaces"), log: silentLog, secrets: createSecretScan([]) }),
    work,
  );
const inStore = (): void => {
  const { store } = openMemory({ clock: new ManualClock(), log: silentLog });
  next = () => over(machine(), storedWork(store));
};
const inRefs = (stateKey: string | null): void => {
  next = () => {
    const place = machine();
    const given = { url: remote, token: async () => null };
    const state = new StateRemote({ gitDir: join(place, "kept.git"), ...given });
    const namespace = "refs/baton/";
    return over(
      place,
      new KeptRefs({ remote: state, namespace, key: stateKey, clock: new ManualClock(), onPush() {} }),
    );
  };
};

async function step(workspaces: Workspaces, name: string, baseSha: string, files: Record<string, string>) {
  await workspaces.fetch(access, baseSha);
  const { path } = await workspaces.create(access, { runId, name, baseSha });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  const { headSha } = await workspaces.import(access, { runId, name, baseSha }, options);
  return headSha as string;
}

const begin = (): Promise<string> => next().fetch(access, "topic");
const pushed = (): string[] => sh(remote, "ls-tree", "-r", "--name-only", "baton/x").split("\n");
const refs = (): string[] => sh(remote, "for-each-ref", "--format=%(refname)", "refs/baton/").split("\n");

/** Everything in the repository, as bytes and as the text in them. */
function everything(): string {
  const objects = sh(remote, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split("\n");
  const texts = objects.map((oid) => execFileSync("git", ["cat-file", "-p", oid], { cwd: remote, encoding: "latin1" }));
  const decoded = texts.map((text) => Buffer.from(text, "base64").toString("latin1"));
  return [...texts, ...decoded].join("\n");
}

describe.each([
  ["the App's store", inStore],
  ["the refs of Actions mode", () => inRefs(null)],
])("the machine goes between two steps: %s", (_, keep) => {
  beforeEach(() => keep());

  it.each<[string, Record<string, string>]>([
    ["clean work", { "b.txt": "b" }],
    ["a workflow file", { ".github/workflows/ci.yml": "on: push\n" }],
    ["a protected setting", { "baton.yaml": "version: 1\n" }],
  ])("%s comes back on the next one, step after step", async (_what, files) => {
    let sha = await begin();
    for (const name of ["one", "two"]) sha = await step(next(), name, sha, { ...files, [`${name}.txt`]: name });
    const last = next();
    await last.push(access, { branch: "baton/x", sha, expectedSha: null });
    expect(pushed()).toEqual(["a.txt", "one.txt", "two.txt", ...Object.keys(files)].sort());
    await expect(last.fetch(access, "f".repeat(40))).rejects.toMatchObject({ code: "BATON_GIT_FAILED" });
  });

  it("what is asked of commits that were kept is answered on the next machine; a diff of one file is of that file", async () => {
    const base = await begin();
    const sha = await step(next(), "one", base, { "b.txt": "bee\n", "c.txt": "sea\n" });
    expect(await next().pathStates(access, sha, ["b.txt", "d.txt"])).toMatchObject([
      { mode: "100644" },
      { mode: null },
    ]);
    expect(await next().leftAt(access, base, sha)).toBe(base);
    expect(await next().changes(access, base, sha)).toHaveLength(2);
    const { text } = await next().diff(access, base, sha, 10_000, ["b.txt"]);
    expect(text).toContain("bee");
    expect(text).not.toContain("sea");
  });
});

describe("work that the scan blocked, in refs that others read", () => {
  it.each<[string, Record<string, string>]>([
    ["in a file", { "config.txt": `token = ${secret}\n` }],
    ["in a file of a protected path", { ".github/workflows/ci.yml": `env: { T: ${secret} }\n` }],
    ["in a file name", { [`${secret}.txt`]: "x" }],
  ])("with a key, %s: the next job goes on, and nobody reads it in the repository", async (_, files) => {
    inRefs(key);
    const first = await step(next(), "one", await begin(), files);
    // Work on top of the secret contains it, too.
    const second = await step(next(), "two", first, { "clean.txt": "clean\n" });
    expect(refs().filter((ref) => ref.endsWith(".sealed"))).toHaveLength(2);
    expect(everything()).not.toContain(secret);
    const last = next();
    expect(await last.fetch(access, second)).toBe(second);
    // The commit is here again, and Baton blocks the push again.
    await expect(last.push(access, { branch: "baton/x", sha: second, expectedSha: null })).rejects.toMatchObject({
      code: "BATON_SECRET_FOUND",
    });
    const allowSecrets = Object.keys(files);
    if (allowSecrets[0]?.includes(secret) === true) return;
    await last.push(access, { branch: "baton/x", sha: second, expectedSha: null, allowSecrets });
    expect(pushed()).toContain("clean.txt");
  });

  it.each<[string, Record<string, string>]>([
    ["in a file", { "config.txt": `token = ${secret}\n` }],
    ["in a file name", { [`${secret}.txt`]: "x" }],
    ["in one of two files", { "config.txt": `token = ${secret}\n`, "b.txt": "b" }],
  ])("without a key, %s: the step fails and names the input that would keep it", async (_, files) => {
    inRefs(null);
    const base = await begin();
    const failed = await step(next(), "one", base, files).catch((thrown: unknown) => thrown as Error);
    expect(failed).toMatchObject({ code: "BATON_SECRET_FOUND" });
    expect((failed as Error).message).toMatch(/This work ends with the job.*`state-key`/);
    expect((failed as Error).message).not.toContain(secret);
    expect(refs()).toEqual([""]);
    expect(everything()).not.toContain(secret);
  });

  it.each([
    ["no key", null, "this job has no `state-key`"],
    ["another key", `${key}!`, "is not the one that sealed them"],
  ])("%s in the next job: it says that the commits are sealed", async (_, later, why) => {
    inRefs(key);
    const sha = await step(next(), "one", await begin(), { "config.txt": secret });
    inRefs(later);
    const failed = next().fetch(access, sha);
    await expect(failed).rejects.toMatchObject({ code: "BATON_WORK_SEALED" });
    await expect(failed).rejects.toThrow(why);
  });

  it("changed or moved to another run it does not open", async () => {
    inRefs(key);
    const sha = await step(next(), "one", await begin(), { "config.txt": secret });
    const [ref = ""] = refs();
    const other = ref.replace(runId, "run_fedcba9876543210");
    sh(remote, "update-ref", other, ref);
    sh(remote, "update-ref", "-d", ref);
    await expect(next().fetch(access, sha)).rejects.toMatchObject({ code: "BATON_WORK_SEALED" });
  });

  it("a file that `secrets.allow` names is kept as any other", async () => {
    inRefs(null);
    const base = await begin();
    const workspaces = next();
    await workspaces.fetch(access, base);
    const { path } = await workspaces.create(access, { runId, name: "one", baseSha: base });
    writeFileSync(join(path, "fixture.txt"), secret);
    const given = { ...options, allowSecrets: ["fixture.txt"] };
    const { headSha } = await workspaces.import(access, { runId, name: "one", baseSha: base }, given);
    expect(refs()).toEqual([`refs/baton/kept/${runId}/${headSha}`]);
  });
});

describe("KR3: a ref of kept commits that holds something else", () => {
  const keyOf = (sealed: boolean): string | null => (sealed ? key : null);
  /** Replaces files in the only such ref, starting from `from`. null removes a file. */
  function replace(files: Record<string, string | null>, from = sh(remote, "rev-parse", refs()[0] as string)): void {
    const [ref = ""] = refs();
    const entries = sh(remote, "ls-tree", from)
      .split("\n")
      .filter((line) => !Object.keys(files).includes(line.split("\t")[1] ?? ""));
    for (const [path, text] of Object.entries(files)) {
      if (text === null) continue;
      const file = join(root, "content");
      writeFileSync(file, text);
      entries.push(`100644 blob ${sh(remote, "hash-object", "-w", file)}\t${path}`);
    }
    const tree = execFileSync("git", ["mktree"], { cwd: remote, input: `${entries.join("\n")}\n`, encoding: "utf8" });
    sh(remote, "update-ref", ref, sh(remote, "commit-tree", "-m", "x", tree.trim()));
  }
  const about = (change: object): string => JSON.stringify({ version: 1, baseSha: "a".repeat(40), ...change });
  const otherBundle = Buffer.from(`# v2 git bundle\n${"b".repeat(40)} refs/x\n\nPACK`).toString("base64");

  // All cases share one world, because each world costs a second.
  const others: [string, Record<string, string | null>][] = [
    ["no JSON", { "kept.json": "{" }],
    ["a base that is no commit", { "kept.json": about({ baseSha: "refs/heads/main" }) }],
    ["a base that is a list", { "kept.json": about({ baseSha: ["a".repeat(40)] }) }],
    ["a version of later", { "kept.json": about({ version: 2 }) }],
    ["no such file", { "kept.json": null }],
    ["no bundle", { "bundle.base64": null }],
    ["the bundle of another commit", { "bundle.base64": otherBundle }],
    ["a bundle without a header", { "bundle.base64": "UEFDSw==" }],
  ];
  it("is reported as broken, and nothing is taken from it", async () => {
    inRefs(null);
    const sha = await step(next(), "one", await begin(), { "b.txt": "b" });
    const [ref = ""] = refs();
    const from = sh(remote, "rev-parse", ref);
    for (const [name, files] of others) {
      replace(files, from);
      const failed = next().fetch(access, sha);
      await expect(failed, name).rejects.toMatchObject({ code: "BATON_STATE_BROKEN" });
      await expect(failed, name).rejects.toThrow(ref);
    }
    replace({}, from);
    expect(await next().fetch(access, sha)).toBe(sha);
  });

  it.each([
    ["as it is", false],
    ["sealed", true],
  ])("is not believed to be an earlier try of a commit that is kept %s", async (_, sealed) => {
    inRefs(keyOf(sealed));
    const given = { url: remote, token: async () => null };
    const keeper = (place: string) =>
      new KeptRefs({
        remote: new StateRemote({ gitDir: join(root, place), ...given }),
        namespace: "refs/baton/",
        key: keyOf(sealed),
        clock: new ManualClock(),
        onPush() {},
      });
    const sha = await step(next(), "one", await begin(), { "b.txt": sealed ? secret : "b" });
    const bytes = (await keeper("first").bundle(sha)) as Uint8Array;
    const baseSha = (await keeper("second").find(sha))?.baseSha as string;
    const blocked = sealed ? new BatonError("BATON_SECRET_FOUND", "x") : null;
    const put = (place: string) => keeper(place).put(sha, { runId, baseSha, bytes, secret: blocked });
    await put("third");
    replace({ "bundle.base64": otherBundle });
    await expect(put("fourth")).rejects.toMatchObject({ code: "BATON_STATE_BROKEN" });
  });
});

it("what is too large to be kept ends the step by name, and nothing of it is written", async () => {
  const { store } = openMemory({ clock: new ManualClock(), log: silentLog });
  const puts: string[] = [];
  const put: KeptWork["put"] = async (sha) => void puts.push(sha);
  next = () => over(machine(), { ...storedWork(store), put, bytesMax: 100 });
  const base = await begin();
  const failed = step(next(), "one", base, { "b.txt": "b".repeat(5_000) });
  await expect(failed).rejects.toMatchObject({ code: "BATON_WORK_TOO_LARGE" });
  await expect(failed).rejects.toThrow(/at most 0\.0 MB/);
  expect(puts).toEqual([]);
});
