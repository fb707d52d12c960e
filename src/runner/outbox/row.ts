/** A write to GitHub that waits in the outbox: the shared fields of all kinds. */
import { sha256 } from "../../adapters/system/sha256.ts";
import type { Json, Repository, RunId } from "../../core/vocabulary.ts";
import type { NewOutboxRow } from "../../ports/store.ts";
import { printMarker } from "../../text/marker.ts";

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

/** Baton finds these by the marker in their text, so their key must fit into a marker. */
const markedKinds: readonly OutboxWrite["kind"][] = ["comment", "question", "issue"];

/** A key with a name that somebody else chose. A marker allows few letters, so other names are hashed. */
export function namedKey(prefix: string, name: string): string {
  return `${prefix}:${/^[A-Za-z0-9_:./#@-]{1,150}$/.test(name) ? name : sha256(name)}`;
}

/** Key of the comment that asks a question of a run. */
export function questionRowKey(runId: RunId, id: string): string {
  return namedKey(`question:${runId}`, id);
}

export function outboxRow({ repository, payload, content, runId, ...write }: OutboxWrite): NewOutboxRow {
  // Otherwise the write would fail at each try.
  if (markedKinds.includes(write.kind)) printMarker(write.operationKey);
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
