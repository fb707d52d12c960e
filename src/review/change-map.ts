/**
 * The lines of a change on which GitHub accepts comments, from a unified diff.
 *
 * Owns: reading the diff. Does not own: where a finding stands (`place.ts`), how git measures the change (workspace).
 * DM1 A line counts only within a hunk of the diff: added and kept lines on the right, deleted and kept ones on the left.
 * DM2 A file whose part of the diff is unreadable has no lines. It never takes another file with it.
 */
import { parsePatch } from "diff";

export interface ChangedLine {
  line: number;
  text: string;
  /** Added on the right, deleted on the left. False: both sides have it. */
  changed: boolean;
}

export interface Hunk {
  LEFT: ChangedLine[];
  RIGHT: ChangedLine[];
}

export interface ChangedFile {
  /** null: the file is deleted. */
  path: string | null;
  /** Its path in the base. null: the file is new. */
  from: string | null;
  /** Empty for binary files, and for files that were only renamed. */
  hunks: Hunk[];
}

/** `truncated`: the end is missing, so the last file is left out. */
export function changeMap(diff: string, { truncated = false }: { truncated?: boolean } = {}): ChangedFile[] {
  // Every line of a hunk begins with a sign, so no content can fake the start of a file.
  const parts = diff.split(/^(?=diff --git )/m).filter((part) => part.startsWith("diff --git "));
  if (truncated) parts.pop();
  return parts.flatMap((part) => fileOf(part) ?? []);
}

function fileOf(part: string): ChangedFile | null {
  const patch = patchOf(part);
  if (patch === null) return null;
  const path = plain(patch.newFileName, "b/");
  const from = plain(patch.oldFileName, "a/");
  return {
    path: patch.isDelete === true ? null : (path ?? from),
    from: patch.isCreate === true ? null : (from ?? path),
    hunks: patch.hunks.map(hunkOf),
  };
}

type Patch = ReturnType<typeof parsePatch>[number];

function patchOf(part: string): Patch | null {
  try {
    return parsePatch(part)[0] ?? null;
  } catch {
    return null;
  }
}

function plain(name: string | undefined, prefix: string): string | null {
  if (name === undefined || name === "/dev/null") return null;
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function hunkOf({ oldStart, newStart, lines }: Patch["hunks"][number]): Hunk {
  const hunk: Hunk = { LEFT: [], RIGHT: [] };
  let [old, now] = [oldStart, newStart];
  for (const whole of lines) {
    const sign = whole[0];
    const text = whole.slice(1);
    if (sign === "-") hunk.LEFT.push({ line: old++, text, changed: true });
    else if (sign === "+") hunk.RIGHT.push({ line: now++, text, changed: true });
    else if (sign === " " || whole === "") {
      hunk.LEFT.push({ line: old++, text, changed: false });
      hunk.RIGHT.push({ line: now++, text, changed: false });
    }
  }
  return hunk;
}
