/** The change of protected files, for the person who allows it: each file with its diff in a fence, bounded, with what is left out. */
import type { PathState } from "../../core/shown-change.ts";
import { fenced } from "../../text/cut.ts";
import { codeSpan } from "../../text/neutralise.ts";
import { stripInvisible } from "../../text/visible.ts";

export interface ProtectedFile {
  before: PathState;
  after: PathState;
  /** Unified diff; null where git could not make one. Already redacted. */
  diff: string | null;
}

const fileCharactersMax = 8_000;
const allCharactersMax = 24_000;
const filesMax = 100;

export function renderProtectedChange(
  files: readonly ProtectedFile[],
  { baseSha, sha }: { baseSha: string; sha: string },
  count = files.length,
): string {
  let room = allCharactersMax;
  const parts = files.slice(0, filesMax).map((file) => {
    const { text, used } = renderFile(file, Math.min(room, fileCharactersMax), `git diff ${baseSha} ${sha} --`);
    room -= used;
    return text;
  });
  const more = count - parts.length;
  if (more > 0)
    parts.push(
      `⚠️ ${more} more file${more === 1 ? " is" : "s are"} not shown, so nobody can allow ${more === 1 ? "it" : "them"} here.`,
    );
  return [
    `The answer holds for exactly this content of \`${sha.slice(0, 10)}\`. Baton asks again after any other change.`,
    ...parts,
  ].join("\n\n");
}

/** The files that the question names: only these can be allowed. */
export function namedFiles<T>(files: readonly T[]): T[] {
  return files.slice(0, filesMax);
}

function renderFile(
  { before, after, diff }: ProtectedFile,
  room: number,
  command: string,
): { text: string; used: number } {
  const head = `**${codeSpan(after.path)}**: ${whatHappens(before, after)}`;
  if (diff === null || diff.trim() === "") return { text: head, used: 0 };
  const lines = stripInvisible(diff).text.replace(/\n$/, "").split("\n");
  const shown: string[] = [];
  let used = 0;
  for (const line of lines) {
    if (used + line.length + 1 > room) break;
    shown.push(line);
    used += line.length + 1;
  }
  const left = lines.length - shown.length;
  const rest =
    left === 0
      ? ""
      : `⚠️ ${left} more line${left === 1 ? " is" : "s are"} not shown, and \`/baton approve\` allows ${left === 1 ? "it" : "them"} too. To see the whole change, run this in Baton's copy of the repository: ${codeSpan(`${command} ${after.path}`)}`;
  return {
    text: [head, ...(shown.length === 0 ? [] : [fenced(shown.join("\n"), "diff")]), rest]
      .filter((part) => part !== "")
      .join("\n\n"),
    used,
  };
}

const kinds: Readonly<Record<string, string>> = {
  "100644": "file",
  "100755": "executable file",
  "120000": "symbolic link",
  "160000": "submodule",
};

function whatHappens(before: PathState, after: PathState): string {
  const kindOf = ({ mode }: PathState): string => (mode === null ? "nothing" : (kinds[mode] ?? "entry"));
  if (after.blob === null) return before.blob === null ? "absent before and after" : `deleted (${kindOf(before)})`;
  const now = `\`${after.blob.slice(0, 10)}\``;
  if (before.blob === null) return `added, ${kindOf(after)} ${now}`;
  const mode = before.mode === after.mode ? "" : `, ${kindOf(before)} becomes ${kindOf(after)}`;
  return before.blob === after.blob ? `same content${mode || ", unchanged"}` : `changed to ${now}${mode}`;
}
