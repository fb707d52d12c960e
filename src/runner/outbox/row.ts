/** A write to GitHub that waits in the outbox: the shared fields of all kinds. */
import { sha256 } from "../../adapters/system/sha256.ts";
import type { Json, Repository, RunId } from "../../core/vocabulary.ts";
import type { NewOutboxRow } from "../../ports/store.ts";

export interface OutboxWrite {
  /** The same for every try. A second row with the same key replaces the first (S5). */
  operationKey: string;
  repository: Repository;
  kind: "comment" | "question" | "reaction" | "check-run" | "issue" | "workflow-approval";
  /** In addition to the repository. */
  payload: Record<string, unknown>;
  priority: number;
  runId?: RunId;
  /** Decides whether there is something to send. Absent: the whole payload decides. */
  content?: string;
}

/**
 * Key of the comment that asks a question of a run. A marker allows fewer letters than an effect's key, so other ids
 * are hashed.
 */
export function questionRowKey(runId: RunId, id: string): string {
  const name = /^[A-Za-z0-9_:./#@-]{1,150}$/.test(id) ? id : sha256(id);
  return `question:${runId}:${name}`;
}

export function outboxRow({ repository, payload, content, runId, ...write }: OutboxWrite): NewOutboxRow {
  const whole = { repository, ...payload } as unknown as Json;
  return {
    ...write,
    installationId: repository.installationId,
    repositoryId: repository.id,
    payload: whole,
    contentHash: sha256(content ?? JSON.stringify(whole)),
    notBefore: 0,
    runId: runId ?? null,
  };
}
