/**
 * Trees of workspaces as copy-on-write mounts over a prepared checkout (ADR 7). An agent writes into an upper layer of
 * its own.
 *
 * Layout: `runs/<run>/attempts/<name>/layers/upper`, `…/work-<n>` (the kernel's scratch), `…/lower` (names its lower).
 * OV1 Baton never reads an unmounted tree as an agent's. `stand` mounts it again first, even after a reboot.
 * OV2 An agent starts with a copy of the index. No import reads that copy (W3).
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import { type AttemptPlace, noteMade } from "./attempt-place.ts";
import { git } from "./git-command.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import { Lowers } from "./lowers.ts";
import { mountOverlay, mountsBelow, unmountBelow } from "./mounts.ts";

type TreePlace = Pick<AttemptPlace, "work" | "layers" | "repo">;

export class OverlayTrees {
  readonly #runs: string;
  readonly #lowers: Lowers;
  readonly #mutex = new KeyedMutex();

  constructor(root: string, log: Log) {
    this.#runs = join(root, "runs");
    this.#lowers = new Lowers(root, log);
  }

  /** Puts the tree of a commit at `work`. Git has just made `work`, and it contains only its `.git`. */
  async make(place: AttemptPlace, wanted: { repositoryId: number; gitDir: string; sha: string }): Promise<void> {
    const lower = await this.#lowers.for(wanted);
    const upper = join(place.layers, "upper");
    await mkdir(upper, { recursive: true });
    await Promise.all([
      writeFile(join(place.layers, "lower"), `${wanted.repositoryId}/${lower.sha}`),
      copyFile(join(place.work, ".git"), join(upper, ".git")),
      copyFile(lower.index, join(place.repo, "index")),
    ]);
    await this.#mount(place, lower.tree);
    await noteMade(place, true);
    if (lower.sha === wanted.sha) return;
    await git(["read-tree", "-u", "--reset", wanted.sha], {
      gitDir: place.repo,
      workTree: place.work,
      cwd: place.work,
    });
  }

  /**
   * Mounts a workspace that exists but is not mounted (OV1), and reports it. Does not touch a workspace that was
   * checked out.
   */
  async stand(place: TreePlace, gitDir: string): Promise<boolean> {
    return this.#mutex.run(place.layers, async () => {
      const named = await lowerOf(place.layers);
      if (named === null || (await isMounted(place.work))) return false;
      const lower = await this.#lowers.exactly({ ...named, gitDir });
      await mkdir(place.work, { recursive: true });
      await this.#mount(place, lower.tree);
      return true;
    });
  }

  /** Unmounts every tree in which nobody works. Baton mounts a tree again on the next request. */
  async release(): Promise<void> {
    await unmountBelow(this.#runs, "keep");
  }

  async collectGarbage(): Promise<number> {
    const used = new Set<string>();
    for (const run of await names(this.#runs)) {
      const attempts = (await names(join(this.#runs, run, "attempts"))).map((name) => join("attempts", name, "layers"));
      const old = (await names(join(this.#runs, run, "overlay"))).map((name) => join("overlay", name));
      for (const layers of [...attempts, ...old]) {
        const lower = await lowerOf(join(this.#runs, run, layers));
        if (lower !== null) used.add(`${lower.repositoryId}/${lower.sha}`);
      }
    }
    return this.#lowers.collectGarbage((name) => used.has(name));
  }

  async #mount({ layers, work }: TreePlace, tree: string): Promise<void> {
    // An earlier mount left this folder. Its mark would refuse the next mount.
    for (const entry of await names(layers))
      if (entry.startsWith("work-")) await rm(join(layers, entry), { recursive: true, force: true });
    const scratch = `work-${randomUUID().slice(0, 8)}`;
    await mkdir(join(layers, scratch));
    const [from, to] = await Promise.all([realpath(layers), realpath(tree)]);
    await mountOverlay(layers, { lower: relative(from, to), upper: "upper", work: scratch }, work);
  }
}

async function lowerOf(layers: string): Promise<{ repositoryId: number; sha: string } | null> {
  if (!existsSync(layers)) return null;
  const text = await readFile(join(layers, "lower"), "utf8").catch(() => "");
  const [, repositoryId, sha] = /^(\d+)\/([0-9a-f]{40,64})$/.exec(text) ?? [];
  if (repositoryId === undefined || sha === undefined)
    throw new BatonError("BATON_MOUNT_FAILED", `${layers} does not say which checkout it was made of.`);
  return { repositoryId: Number(repositoryId), sha };
}

async function isMounted(work: string): Promise<boolean> {
  const real = await realpath(work).catch(() => null);
  return real !== null && (await mountsBelow(real)).includes(real);
}

async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
