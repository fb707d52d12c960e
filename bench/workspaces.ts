/**
 * `workspaces.thirtyTwoMs`: 32 workspaces at once on a repository of 10,000 files, compared with 32 plain `git worktree
 * add`.
 *
 * The benchmark counts the files, so every file really exists. The trusted repository is warm, as it is for every run except
 * the first. Nothing else is prepared. The figure is for Baton's default method on this machine. If that is a mount, the
 * benchmark also shows checkouts.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLog } from "../src/adapters/system/log.ts";
import { unmountBelow } from "../src/adapters/workspace/mounts.ts";
import { chooseWay, type WorkspaceWay } from "../src/adapters/workspace/probe-overlay.ts";
import { createWorkspaces } from "../src/adapters/workspace/workspaces.ts";
import type { RepositoryAccess } from "../src/ports/workspace.ts";
import { repository, runIdOf } from "./engine/run.ts";
import { against, type Bench, elapsedMs, figure, type Outcome, spread } from "./figure.ts";

const sizes = { quick: { files: 500, workspaces: 4 }, full: { files: 10_000, workspaces: 32 } };
/** Once on a disk: creating 640,000 files is quick, but removing them takes minutes. */
const repeats = { disk: 1, memory: 3 };
const targetMs = 3_000;
const filesPerDirectory = 100;
/** Where Linux keeps files in memory: the same work without a disk's file system. */
const memoryDirectory = "/dev/shm";
const name = "workspaces.thirtyTwoMs";
const checkoutName = `${name}.checkout`;
const memoryName = `${name}.inMemory`;
const removeName = "workspaces.removeThirtyTwoMs";
const run = promisify(execFile);

export const workspaces: Bench = {
  name: "workspaces",
  summary: "32 workspaces at once on a repository of 10,000 files",
  figures: [name, checkoutName, memoryName, removeName],
  async run({ quick, directory, say }) {
    const size = quick ? sizes.quick : sizes.full;
    const remote = await generateRepository(join(directory, "remote.git"), size.files);
    const outcome: Outcome = { figures: [], skipped: [] };
    const here = await chooseWay({ wanted: "auto", rootDir: join(directory, "probe"), log: silentLog });
    say(`workspaces are made by ${here} here`);
    const ways: { way: WorkspaceWay; name: string; target: number | null }[] = [{ way: here, name, target: targetMs }];
    if (here === "checkout") outcome.skipped.push({ name: checkoutName, reason: `it is what ${name} is here` });
    else ways.push({ way: "checkout", name: checkoutName, target: null });
    const take = async (root: string, taken: typeof ways, times: number): Promise<void> => {
      const plain: number[] = [];
      const ours = taken.map((one) => ({ ...one, created: [] as number[], removed: [] as number[] }));
      for (let repeat = 0; repeat < (quick ? 1 : times); repeat += 1) {
        const made: { remove(): Promise<number>; told(ms: number): void }[] = [];
        for (const one of ours) {
          const { createdMs, remove } = await ourWorkspaces(remote, join(root, one.way), size, one.way);
          one.created.push(createdMs);
          say(`${one.name}, ${one.way}: ${Math.round(createdMs)} ms`);
          const told = (ms: number): void => {
            one.removed.push(ms);
            say(`${one.name}, ${one.way}: removed in ${Math.round(ms)} ms`);
          };
          made.push({ remove, told });
        }
        const { createdMs, remove } = await plainWorktrees(remote, join(root, "plain"), size);
        plain.push(createdMs);
        say(`plain git worktrees: ${Math.round(createdMs)} ms`);
        made.push({ remove, told() {} });
        // Only now: on ext4, creating files takes many times as long after deletions in the last minutes.
        for (const { remove, told } of made) told(await remove());
      }
      for (const { name, target, created, removed } of ours) {
        const value = Math.min(...created);
        const baseline = against("git worktree add, one process a core", Math.min(...plain), value);
        outcome.figures.push(figure({ name, unit: "ms", value, target, samples: spread(created), baseline }));
        if (target === null) continue;
        const samples = spread(removed);
        outcome.figures.push(
          figure({ name: removeName, unit: "ms", value: Math.min(...removed), target: null, samples }),
        );
      }
    };
    try {
      await take(directory, ways, repeats.disk);
    } finally {
      await unmountBelow(directory);
    }
    if (existsSync(memoryDirectory)) {
      const root = await mkdtemp(join(memoryDirectory, "baton-bench-"));
      try {
        await take(root, [{ way: "checkout", name: memoryName, target: null }], repeats.memory);
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    } else {
      outcome.skipped.push({ name: memoryName, reason: `no ${memoryDirectory} here` });
    }
    return outcome;
  },
};

interface Size {
  files: number;
  workspaces: number;
}

/** Created workspaces and how to remove them, for Baton's two methods and the plain one. */
interface Made {
  createdMs: number;
  remove(): Promise<number>;
}

async function ourWorkspaces(remote: string, root: string, size: Size, way: WorkspaceWay): Promise<Made> {
  const access: RepositoryAccess = { repository, url: remote, token: async () => null };
  const made = createWorkspaces({ rootDir: root, log: silentLog, way });
  const baseSha = await made.fetch(access, "main");
  const runId = runIdOf("workspaces");
  const names = Array.from({ length: size.workspaces }, (_, index) => `w${index}`);
  let paths: string[] = [];
  await quietDisk();
  const createdMs = await elapsedMs(async () => {
    const created = await Promise.all(names.map((name) => made.create(access, { runId, name, baseSha })));
    paths = created.map(({ path }) => path);
  });
  await expectWhole(paths, size);
  return {
    createdMs,
    async remove() {
      const removedMs = await elapsedMs(() => Promise.all(names.map((name) => made.remove(access, { runId, name }))));
      await rm(root, { recursive: true, force: true });
      return removedMs;
    },
  };
}

/**
 * As a person would write it who knows that git's parallel `worktree add` breaks: one for each core at once, with retries
 * after collisions.
 */
async function plainWorktrees(remote: string, root: string, size: Size): Promise<Made> {
  await run("git", ["clone", "--quiet", "--bare", remote, root]);
  const paths = Array.from({ length: size.workspaces }, (_, index) => `${root}-w${index}`);
  const waiting = [...paths];
  const lane = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const add = ["-C", root, "worktree", "add", "--quiet", "--detach", path, "main"];
      await run("git", add).catch(() => run("git", add));
    }
  };
  await quietDisk();
  const createdMs = await elapsedMs(() => Promise.all(Array.from({ length: availableParallelism() }, lane)));
  await expectWhole(paths, size);
  return {
    createdMs,
    remove: () =>
      elapsedMs(async () => {
        for (const path of [root, ...paths]) await rm(path, { recursive: true, force: true });
      }),
  };
}

/** Waits until earlier writes are on the disk, so that nobody pays for them. */
async function quietDisk(): Promise<void> {
  await run("sync");
}

async function expectWhole(paths: readonly string[], { files, workspaces: count }: Size): Promise<void> {
  if (new Set(paths).size !== count) throw new Error(`${paths.length} workspaces instead of ${count}.`);
  for (const path of paths) {
    const found = (await readdir(path, { recursive: true })).filter((name) => name.endsWith(".ts")).length;
    if (found !== files) throw new Error(`${path} has ${found} files instead of ${files}.`);
  }
}

/** Source files of about 1.5 kB, 100 a directory, by one `git fast-import`. */
async function generateRepository(gitDir: string, files: number): Promise<string> {
  await mkdir(gitDir, { recursive: true });
  await run("git", ["init", "--quiet", "--bare", "-b", "main", gitDir]);
  const stream = [
    "commit refs/heads/main\ncommitter bench <bench@localhost> 1700000000 +0000\ndata 5\nfirst\n",
    ...Array.from({ length: files }, (_, index) => {
      const content = `export const value${index} = ${index};\n`.repeat(40);
      const path = `src/part-${Math.floor(index / filesPerDirectory)}/file-${index}.ts`;
      return `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`;
    }),
  ].join("");
  const importing = run("git", ["-C", gitDir, "fast-import", "--quiet"]);
  importing.child.stdin?.end(stream);
  await importing;
  return gitDir;
}
