/**
 * Commits of steps, kept where another replica or job finds them when the machine that made them is gone.
 *
 * KW1 What is put is durable when `put` resolves. The same commit put again changes nothing.
 * KW2 Where others can read it, commits that the scan for secrets blocked are kept encrypted or refused, never as they are.
 */
import type { BatonError } from "../core/errors.ts";
import type { RunId } from "../core/vocabulary.ts";

export interface KeptCommit {
  runId: RunId;
  /** The step's own base: it is at the remote, or was kept as well. */
  baseSha: string;
  /** The scan for secrets blocked it. */
  sealed: boolean;
}

export interface KeptWork {
  /** Anyone who can read the repository can read what is kept. Then `put` is told what the scan says. */
  readonly isPublic: boolean;
  /** Of one bundle. */
  readonly bytesMax: number;
  find(sha: string): Promise<KeptCommit | null>;
  /** `secret`: why the scan blocks it. */
  put(
    sha: string,
    commit: Omit<KeptCommit, "sealed"> & { bytes: Uint8Array; secret: BatonError | null },
  ): Promise<void>;
  /** The bundle; null: it is not kept. BATON_WORK_SEALED: it cannot be opened here. */
  bundle(sha: string): Promise<Uint8Array | null>;
}
