/**
 * The answers to people who ask about a run: the news, then a detail, with links to the whole and to what is answered.
 *
 * TL1 Two lines, and no table: the status comment has everything. Without a status comment, the answer has it.
 */
import type { RunState } from "../core/state.ts";
import type { CommandContext } from "./command.ts";

export interface Answered {
  /** First line. */
  news: string;
  /** Second line, before the links. Empty: only the links. */
  detail: string;
  /** The part of the status comment that has the rest. */
  part: string;
  /** The rest, if no status comment shows it. */
  whole: string;
}

export async function twoLines(
  context: Pick<CommandContext, "dependencies" | "github" | "repository" | "issue" | "commentId" | "command">,
  { runId }: Pick<RunState, "runId">,
  { news, detail, part, whole }: Answered,
): Promise<string> {
  const { issue, commentId, command } = context;
  const url = await statusComment(context, `status:${runId}`);
  const asked = `${issue.url}${commentId === null ? "" : `#issuecomment-${commentId}`}`;
  const links = [
    ...(url === null ? [] : [`[${part}](${url})`]),
    `Answer to [\`/baton ${command.name}\`](${asked})`,
  ].join(" · ");
  const second = detail === "" ? links : `${detail} ${links}`;
  return [`${news}\n${second}`, ...(url === null ? [whole] : [])].join("\n\n");
}

/** Its address. null: GitHub has no such comment, or not yet. */
async function statusComment(
  { dependencies, github, repository, issue }: Pick<CommandContext, "dependencies" | "github" | "repository" | "issue">,
  marker: string,
): Promise<string | null> {
  const row = await dependencies.store.outboxRow(marker);
  const { url = null } = (row?.result ?? {}) as { url?: string | null };
  // Baton forgets what it sent for a run that ended long ago. GitHub does not.
  return row === null ? ((await github.ownComment(repository, issue.number, marker))?.url ?? null) : url;
}
