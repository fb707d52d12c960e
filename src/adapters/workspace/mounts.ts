/**
 * Makes, finds and removes overlay mounts. Owns the two programs and their arguments, not the content of the layers.
 *
 * MO1 Layers have names relative to the directory of the workspace. No character of a path can be read as an option.
 * MO2 Baton deletes nothing below a directory while something is mounted there, because a deletion would go through the
 *     mount.
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
 * `redirect_dir`: a directory of the lower can be renamed at once, as on any file system. `volatile`: nothing is synced
 * to the disk on an edit or a removal, as in a checkout. Its mark in the work directory refuses the next mount, so each
 * mount gets another work directory.
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
  // `-i`: `mount` looks for no helper with that file system's name.
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

/** Mount points in `/proc/self/mountinfo`. A mount over a mount appears twice. */
export function mountPoints(table: string): string[] {
  return table
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

/**
 * Removes every mount at or below a directory (MO2). A mount in which a process still works disappears with that
 * process, unless `busy` is "keep".
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
  // The programs add a hint after their first line. The first line has the kernel's words.
  const why = timedOut ? "took too long" : stderr.toString("utf8").trim().split("\n")[0] || `exit code ${exitCode}`;
  throw new BatonError("BATON_MOUNT_FAILED", `${name}: ${why}`);
}
