/**
 * Commits of steps, stored for another replica or job in case their machine is gone.
 *
 * KW1 A commit is durable when `put` resolves. A second `put` of the same commit changes nothing.
 * KW2 If other people can read the storage, it encrypts or refuses commits that the scan for secrets blocked. It never
 *     stores them in plain form.
 */
import type { BatonError } from "../core/errors.ts";
import type { RunId } from "../core/vocabulary.ts";

export interface KeptCommit {
  runId: RunId;
  /** The step's own base, which is at the remote or was kept as well. */
  baseSha: string;
  /** The scan for secrets blocked it. */
  sealed: boolean;
}

export interface KeptWork {
  /** Anyone who can read the repository can read the kept commits. Then `put` needs the scan's result. */
  readonly isPublic: boolean;
  /** Size limit of one bundle. */
  readonly bytesMax: number;
  find(sha: string): Promise<KeptCommit | null>;
  /** `secret`: why the scan blocks the commit. */
  put(
    sha: string,
    commit: Omit<KeptCommit, "sealed"> & { bytes: Uint8Array; secret: BatonError | null },
  ): Promise<void>;
  /** The bundle. null: the commit is not kept. BATON_WORK_SEALED: it cannot be opened here. */
  bundle(sha: string): Promise<Uint8Array | null>;
}
