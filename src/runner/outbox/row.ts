/** A write to GitHub that is to be sent: what all of them have in common, stated once. */
import { sha256 } from "../../adapters/system/sha256.ts";
import type { Json, Repository, RunId } from "../../core/vocabulary.ts";
import type { NewOutboxRow } from "../../ports/store.ts";

export interface OutboxWrite {
  /** The same for every try: a second row with it replaces the first (S5). */
  operationKey: string;
  repository: Repository;
  kind: "comment" | "question" | "reaction" | "check-run" | "issue";
  /** Beside the repository. */
  payload: Record<string, unknown>;
  priority: number;
  runId?: RunId;
  /** What decides whether there is something to send; the whole payload without it. */
  content?: string;
}

/** Of the comment that asks a question of a run. A marker holds no more letters, and not all of an effect's key. */
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
