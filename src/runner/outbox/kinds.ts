/** The kinds of outbox rows. Each kind is one ensure against GitHub. */
import { limits } from "../../core/limits.ts";
import type { Json, Repository } from "../../core/vocabulary.ts";
import type { CheckRunContent, FoldReason, Github, PostedComment } from "../../ports/github.ts";
import type { OutboxRow } from "../../ports/store.ts";
import { startedWorkflows } from "../../thread/render/started-workflows.ts";

interface OutboxKind {
  /** The shortest interval between two sends of the same operation. */
  intervalMs: number;
  ensure(github: Github, row: OutboxRow): Promise<Json>;
}

export const outboxKinds = {
  comment: {
    intervalMs: limits.statusEditIntervalMs,
    async ensure(github, row) {
      const { repository, number, body, asks } = row.payload as unknown as {
        repository: Repository;
        number: number;
        body: string;
        /** News or questions that people wait for, by name. Baton sends each once, with the priority of a reply. */
        asks?: string;
      };
      const sent = row.result as { id?: number; asks?: string } | null;
      const isAwaited = asks !== undefined && asks !== sent?.asks;
      const comment = await github.ensureComment(
        repository,
        number,
        row.operationKey,
        body,
        sent?.id ?? null,
        isAwaited,
      );
      return { ...comment, ...(asks === undefined ? {} : { asks }) };
    },
  },
  /**
   * A question, or an answer that a newer one can replace. Posted once, never edited, and folded when it is over. If it
   * is over before its post, Baton never posts it.
   */
  question: {
    intervalMs: 0,
    async ensure(github, row) {
      const { repository, number, body, open, because } = row.payload as unknown as {
        repository: Repository;
        number: number;
        body: string;
        open: boolean;
        /** Absent: resolved. */
        because?: FoldReason;
      };
      const posted = (row.result as Partial<PostedComment> | null) ?? null;
      if (open && posted !== null) return row.result;
      if (open) return { ...(await github.ensureComment(repository, number, row.operationKey, body, null)) };
      // The comment may exist although GitHub's answer was lost.
      const { nodeId } = posted ?? (await github.ownComment(repository, number, row.operationKey)) ?? {};
      if (nodeId !== undefined) await github.minimizeComment({ nodeId }, because ?? "resolved");
      return row.result;
    },
  },
  "check-run": {
    intervalMs: limits.statusEditIntervalMs,
    async ensure(github, row) {
      const { repository, sha, externalId, content } = row.payload as unknown as {
        repository: Repository;
        sha: string;
        externalId: string;
        content: CheckRunContent;
      };
      const known = (row.result as { id?: number } | null)?.id ?? null;
      return github.ensureCheckRun(repository, sha, externalId, content, known);
    },
  },
  issue: {
    intervalMs: limits.statusEditIntervalMs,
    async ensure(github, row) {
      const { repository, number, title, body } = row.payload as unknown as {
        repository: Repository;
        number: number;
        title: string;
        body: string;
      };
      return github.ensureIssue(repository, { marker: row.operationKey, title, body, knownNumber: number });
    },
  },
  /** Starts workflow runs that wait for a person, and says what GitHub did. A run that already started counts. */
  "workflow-approval": {
    intervalMs: 0,
    async ensure(github, row) {
      const { repository, number, sha, runs } = row.payload as unknown as {
        repository: Repository;
        number: number;
        sha: string;
        runs: number[];
      };
      let started = 0;
      for (const id of runs) if (await github.approveWorkflowRun(repository, id)) started += 1;
      const body = startedWorkflows(sha, { started, refused: runs.length - started });
      return { ...(await github.ensureComment(repository, number, row.operationKey, body, null)) };
    },
  },
  reaction: {
    intervalMs: 0,
    async ensure(github, row) {
      const { repository, commentId, reviewCommentId, number, content } = row.payload as unknown as {
        repository: Repository;
        /** null: the thread's own text. */
        commentId: number | null;
        /** A comment on a line of a change. */
        reviewCommentId?: number;
        number: number;
        content: "eyes" | "rocket" | "confused" | "+1" | "-1";
      };
      const to =
        reviewCommentId !== undefined
          ? { reviewComment: reviewCommentId }
          : commentId === null
            ? { thread: number }
            : { comment: commentId };
      await github.ensureReaction(repository, to, content);
      return null;
    },
  },
} satisfies Record<string, OutboxKind>;
