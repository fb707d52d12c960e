/**
 * The places of a review's comments in the diff. GitHub accepts all comments of a review, or none.
 *
 * RP1 A line counts only within a hunk of the diff, on its side.
 * Sources: https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request (422, `line`, `side`),
 * https://github.com/github/github-mcp-server/issues/1214 (lines outside of the diff) and
 * https://github.com/github/docs/blob/main/content/rest/pulls/comments.md (`start_line`, `start_side`)
 */
import { Refusal } from "./answer.ts";
import type { DraftComment } from "./deeds/reviews.ts";
import { isAncestor } from "./git.ts";
import { type FileDifference, readDifference } from "./git-objects.ts";

interface GivenComment {
  path: string;
  body: string;
  line?: number | undefined;
  position?: number | undefined;
  side?: "LEFT" | "RIGHT" | undefined;
  start_line?: number | undefined;
  start_side?: "LEFT" | "RIGHT" | undefined;
}

interface PatchLine {
  /** Index within the patch. */
  at: number;
  hunk: number;
  LEFT: number | null;
  RIGHT: number | null;
}

export async function draftComments(
  { directory, from, to }: { directory: string; from: string; to: string },
  sha: string,
  given: readonly GivenComment[],
): Promise<DraftComment[]> {
  const isPart = sha === to || (await isAncestor(directory, { older: sha, newer: to }).catch(() => false));
  if (!isPart) throw unprocessable(["pull_request_review_thread.end_commit_oid is not part of the pull request"]);
  if (given.length === 0) return [];
  const files = await readDifference(directory, from, sha);
  const problems: string[] = [];
  const drafts = given.flatMap((one) => {
    const draft = draftOf(one, files);
    if (typeof draft !== "string") return [draft];
    problems.push(draft);
    return [];
  });
  if (problems.length > 0) throw unprocessable([sentence(problems)]);
  return drafts;
}

function unprocessable(errors: string[]): Refusal {
  return new Refusal(422, "Unprocessable Entity", { errors });
}

function draftOf(one: GivenComment, files: readonly FileDifference[]): DraftComment | string {
  const file = files.find(({ path }) => path === one.path);
  if (file === undefined) return "Path could not be resolved";
  const patch = (file.patch ?? "").split("\n");
  const lines = linesOf(patch);
  const side = one.side ?? "RIGHT";
  // A position counts from the line below the first hunk's header.
  const end =
    one.line === undefined
      ? lines.find(({ at }) => at === one.position)
      : lines.find((line) => line[side] === one.line);
  if (end === undefined) return "Line could not be resolved";
  const start =
    one.start_line === undefined ? end : lines.find((line) => line[one.start_side ?? side] === one.start_line);
  if (start === undefined || start.hunk !== end.hunk) return "Start line must be part of the same hunk as the line.";
  if (one.start_line !== undefined && start.at >= end.at) return "Start line must precede the end line.";
  return {
    path: one.path,
    line: one.line ?? end.RIGHT ?? end.LEFT,
    ...(one.start_line === undefined ? {} : { startLine: one.start_line }),
    side,
    body: one.body,
    diffHunk: patch.slice(end.hunk, end.at + 1).join("\n"),
  };
}

function linesOf(patch: readonly string[]): PatchLine[] {
  const lines: PatchLine[] = [];
  let [hunk, old, now] = [0, 0, 0];
  for (const [at, text] of patch.entries()) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text);
    if (header !== null) [hunk, old, now] = [at, Number(header[1]), Number(header[2])];
    else if (text.startsWith("-")) lines.push({ at, hunk, LEFT: old++, RIGHT: null });
    else if (text.startsWith("+")) lines.push({ at, hunk, LEFT: null, RIGHT: now++ });
    else if (!text.startsWith("\\")) lines.push({ at, hunk, LEFT: old++, RIGHT: now++ });
  }
  return lines;
}

function sentence(words: readonly string[]): string {
  if (words.length < 3) return words.join(" and ");
  return `${words.slice(0, -1).join(", ")}, and ${words.at(-1)}`;
}
