/** Whether workspaces can be overlay mounts in a directory. Tried there, with everything that workspaces need. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import { mountOverlay, unmountBelow } from "./mounts.ts";

/** How Baton creates the trees of workspaces. */
export type WorkspaceWay = "checkout" | "overlay";

/**
 * The chosen way, logged with its reason. BATON_SETTINGS_INVALID if `overlay` is requested where overlays are
 * impossible.
 */
export async function chooseWay(options: {
  wanted: "auto" | WorkspaceWay;
  rootDir: string;
  log: Log;
}): Promise<WorkspaceWay> {
  const { wanted, rootDir, log } = options;
  if (wanted === "checkout") return "checkout";
  const obstacle = await overlayObstacle(rootDir);
  if (obstacle === null) {
    log.info("Workspaces are copy-on-write mounts over one checkout of their base");
    return "overlay";
  }
  if (wanted === "overlay")
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      `BATON_WORKSPACES is "overlay", but ${rootDir} cannot hold overlay mounts: ${obstacle}. Run Baton on Linux as root (in a container with CAP_SYS_ADMIN) with BATON_DATA on ext4, xfs or btrfs, or leave the setting out: workspaces are then checked out, which is slower and nothing else.`,
    );
  log.info("Workspaces are checked out file by file: overlay mounts cannot be made here", { why: obstacle });
  return "checkout";
}

/** Null: there is no obstacle. */
export async function overlayObstacle(rootDir: string): Promise<string | null> {
  if (process.platform !== "linux") return `${process.platform} has none`;
  const directory = join(rootDir, `probe-${randomUUID()}`);
  const merged = join(directory, "merged");
  try {
    await mkdir(join(directory, "lower", "folder"), { recursive: true });
    for (const name of ["upper", "work", "merged"]) await mkdir(join(directory, name));
    const file = join("folder", "file");
    await writeFile(join(directory, "lower", file), "below");
    await mountOverlay(await realpath(directory), { lower: "lower", upper: "upper", work: "work" }, merged);
    const { ino } = await stat(join(directory, "lower", file));
    // Otherwise every file would look changed in the copied index.
    if ((await stat(join(merged, file))).ino !== ino) return "files get other inode numbers through the mount";
    await rename(join(merged, "folder"), join(merged, "moved"));
    await writeFile(join(merged, "moved", "file"), "above");
    await rm(join(merged, "moved"), { recursive: true });
    const [left, below] = await Promise.all([readdir(merged), readFile(join(directory, "lower", file), "utf8")]);
    return left.length === 0 && below === "below" ? null : "what was written through the mount is not where it belongs";
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    await unmountBelow(directory);
    await rm(directory, { recursive: true, force: true });
  }
}
