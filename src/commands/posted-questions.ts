/**
 * When the people of a thread could first see each question of a run: the time and number of its comment, by GitHub.
 *
 * PQ1 Only GitHub's times are compared. Baton's clock may differ from GitHub's by half a minute, and a question that is
 *     journaled is not yet shown.
 */
import { openQuestions } from "../core/decide.ts";
import { limits } from "../core/limits.ts";
import type { EffectState, RunState } from "../core/state.ts";
import type { EffectKey } from "../core/vocabulary.ts";
import type { PostedComment } from "../ports/github.ts";
import { questionRowKey } from "../runner/outbox/row.ts";
import type { CommandContext } from "./command.ts";
import { isAnswered } from "./named-question.ts";

export interface Post {
  /** Milliseconds since the epoch. */
  at: number;
  /** null: GitHub takes no comment for it. */
  commentId: number | null;
}

export type Posts = ReadonlyMap<EffectKey, Post>;

export async function postedQuestions(
  context: Pick<CommandContext, "dependencies" | "github">,
  state: RunState,
  kind: "breakpoint" | "ask",
): Promise<Posts> {
  const posts = new Map<EffectKey, Post>();
  for (const effect of openQuestions(state).filter((open) => isAnswered(open, kind))) {
    const post = await postOf(context, state, effect);
    if (post !== null) posts.set(effect.key, post);
  }
  return posts;
}

async function postOf(
  { dependencies, github }: Pick<CommandContext, "dependencies" | "github">,
  { runId, thread }: RunState,
  { key, requestedAt, observed }: EffectState,
): Promise<Post | null> {
  const marker = questionRowKey(runId, key);
  const row = await dependencies.store.outboxRow(marker);
  if (row === null) return null;
  const sent = row.result as PostedComment | null;
  // GitHub may have it though nobody noted its answer yet.
  const posted = sent ?? (await github.ownComment(thread.repository, thread.number, marker));
  if (posted !== null) return { at: Date.parse(posted.createdAt), commentId: posted.id };
  // GitHub refused the comment for good, so the status comment shows the question. Its time is Baton's.
  const shownAt = Math.max(requestedAt, observed?.at ?? 0) + limits.clocksDifferMs;
  return row.state === "failed" ? { at: shownAt, commentId: null } : null;
}

/** GitHub counts whole seconds. Within one, comments are numbered as they are written; of others the order is unknown. */
export function isUnderPost(
  post: Post | undefined,
  { writtenAt, commentId }: Pick<CommandContext, "writtenAt" | "commentId">,
): boolean {
  if (post === undefined || writtenAt === null) return false;
  const [written, posted] = [Math.floor(Date.parse(writtenAt) / 1_000), Math.floor(post.at / 1_000)];
  if (written !== posted) return written > posted;
  return commentId !== null && post.commentId !== null && commentId > post.commentId;
}
