/**
 * Overlay mounts: made, found and taken away. Owns the two programs that do it and how they are called, not what is in the layers.
 *
 * MO1 Layers are named relative to the directory of the workspace, so no character of a path can be read as an option.
 * MO2 Nothing below a directory is deleted while something is mounted there: a deletion would go through the mount.
 */
import { readFile, realpath } from "node:fs/promises";
import { BatonError } from "../../core/errors.ts";
import { children } from "../child/children.ts";
import { findProgram } from "../system/find-program.ts";

const mountBinary = findProgram("mount");
const unmountBinary = findProgram("umount");
const timeoutMs = 60_000;
const outputBytesMax = 64 * 1024;
/**
 * `redirect_dir`: a directory of the lower can be renamed at once, as on any file system. `volatile`: nothing is synced to the disk
 * when a file is edited or a workspace goes, as nothing is in a checkout; its mark in the work directory refuses the next mount, so
 * each mount gets a fresh one.
 */
const overlayOptions = "redirect_dir=on,volatile";

/** `lower`, `upper` and `work` relative to `directory`, of plain names (MO1). */
export async function mountOverlay(
  directory: string,
  layers: { lower: string; upper: string; work: string },
  target: string,
): Promise<void> {
  const given = `lowerdir=${layers.lower},upperdir=${layers.upper},workdir=${layers.work},${overlayOptions}`;
  if (/[\s:\\"]/.test(given) || given.split(",").length !== 5)
    throw new BatonError("BATON_INTERNAL", `"${given}" cannot be the options of a mount.`);
  // `-i`: no helper of that file system's name is looked for.
  await run(mountBinary, "mount", ["-i", "-t", "overlay", "-o", given, "overlay", target], directory);
}

/** Mount points at or below a directory, the deepest first. */
export async function mountsBelow(directory: string): Promise<string[]> {
  const top = await realpath(directory).catch(() => null);
  if (top === null) return [];
  const table = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  return mountPoints(table)
    .filter((point) => point === top || point.startsWith(`${top}/`))
    .sort((a, b) => b.length - a.length);
}

/** Of `/proc/self/mountinfo`; one twice where something is mounted over a mount. */
export function mountPoints(table: string): string[] {
  return table
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

/**
 * Takes every mount at or below a directory away (MO2). What a process still works in goes when that process does, unless `busy`
 * is to stay.
 */
export async function unmountBelow(directory: string, busy: "detach" | "keep" = "detach"): Promise<void> {
  for (const point of await mountsBelow(directory)) {
    const unmounted = run(unmountBinary, "umount", busy === "detach" ? ["-l", point] : [point], "/");
    await (busy === "detach" ? unmounted : unmounted.catch(() => {}));
  }
}

async function run(binary: string | null, name: string, args: string[], cwd: string): Promise<void> {
  if (binary === null) throw new BatonError("BATON_MOUNT_FAILED", `There is no program \`${name}\` here.`);
  const { exitCode, timedOut, stderr } = await children.call({
    command: [binary, ...args],
    cwd,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    timeoutMs,
    outputBytesMax,
  });
  if (exitCode === 0) return;
  // The programs add a hint to their first line, which says what the kernel said.
  const why = timedOut ? "took too long" : stderr.toString("utf8").trim().split("\n")[0] || `exit code ${exitCode}`;
  throw new BatonError("BATON_MOUNT_FAILED", `${name}: ${why}`);
}
