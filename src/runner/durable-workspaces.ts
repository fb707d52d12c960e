/**
 * Workspaces whose commits outlive the machine: Baton keeps each result as a bundle before its step can succeed.
 *
 * DW1 Baton keeps the result of an agent, a runner or a join before the caller learns of it. If that fails, the step
 *     ends.
 * DW2 A commit that is missing here and at the remote comes back from the kept bundles, on any replica or job.
 * DW3 Other people may be able to read the kept bundles. In that case, a bundle with a commit that the scan blocks is
 *     marked as blocked. So is every bundle on top of it.
 */
import { BatonError, hasCode } from "../core/errors.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { KeptWork } from "../ports/kept-work.ts";
import type { RepositoryAccess, Workspaces } from "../ports/workspace.ts";

const isSha = /^[0-9a-f]{40,64}$/;

interface Made {
  runId: RunId;
  baseSha: string;
  /** Commits that a join merged onto the base. */
  joined?: readonly string[];
  allowSecrets?: readonly string[];
}

export function durableWorkspaces<T extends Workspaces>(workspaces: T, work: KeptWork): T {
  async function keep(access: RepositoryAccess, sha: string, made: Made): Promise<void> {
    const { runId, baseSha } = made;
    if (sha === baseSha || (await work.find(sha)) !== null) return;
    const bytes = await workspaces.bundle(access, sha);
    if (bytes === null) return;
    if (bytes.byteLength > work.bytesMax)
      throw new BatonError(
        "BATON_WORK_TOO_LARGE",
        `The commits that lead to ${sha.slice(0, 7)} are ${megabytes(bytes.byteLength)} MB; at most ${megabytes(work.bytesMax)} MB can be kept.`,
      );
    const secret = work.isPublic ? await secretIn(access, sha, made) : null;
    await work.put(sha, { runId, baseSha, bytes, secret });
  }

  /** DW3: a bundle contains every commit that the remote lacks, not only the newest one. */
  async function secretIn(access: RepositoryAccess, sha: string, made: Made): Promise<BatonError | null> {
    const { baseSha, joined = [], allowSecrets = [] } = made;
    const knownShas = [baseSha, ...joined];
    for (const known of knownShas)
      if ((await work.find(known))?.sealed === true)
        return new BatonError("BATON_SECRET_FOUND", `${sha.slice(0, 7)} builds on a commit that holds secrets.`);
    try {
      await workspaces.scan(access, { sha, knownShas, allowSecrets });
      return null;
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_SECRET_FOUND")) throw thrown;
      return thrown as BatonError;
    }
  }

  /** True if the commit is here afterwards. */
  async function restore(access: RepositoryAccess, sha: string): Promise<boolean> {
    const kept = await work.find(sha);
    const bytes = kept === null ? null : await work.bundle(sha);
    if (kept === null || bytes === null) return false;
    // A bundle contains everything that the remote lacked, so only its base must exist first.
    await fetchCommit(access, kept.baseSha);
    await workspaces.adoptBundle(access, { headSha: sha, bytes });
    return true;
  }

  async function fetchCommit(access: RepositoryAccess, ref: string): Promise<string> {
    try {
      return await workspaces.fetch(access, ref);
    } catch (thrown) {
      if (!isSha.test(ref) || !hasCode(thrown, "BATON_GIT_FAILED") || !(await restore(access, ref))) throw thrown;
      return ref;
    }
  }

  const durable: Partial<Workspaces> = {
    fetch: fetchCommit,
    async import(access, at, options) {
      const imported = await workspaces.import(access, at, options);
      const { allowSecrets = [] } = options;
      if (imported.headSha !== null) await keep(access, imported.headSha, { ...at, allowSecrets });
      return imported;
    },
    async importBundle(access, at, options) {
      const imported = await workspaces.importBundle(access, at, options);
      const { allowSecrets = [] } = options;
      await keep(access, imported.headSha, { ...at, allowSecrets });
      return imported;
    },
    async join(access, at, options) {
      for (const sha of [at.baseSha, ...at.shas]) await fetchCommit(access, sha);
      const joined = await workspaces.join(access, at, options);
      await keep(access, joined.headSha, { ...at, joined: at.shas });
      return joined;
    },
    async push(access, options) {
      await fetchCommit(access, options.sha);
      await workspaces.push(access, options);
    },
    async pushKept(access, options) {
      await fetchCommit(access, options.sha);
      await workspaces.pushKept(access, options);
    },
    async commits(access, sha, which) {
      await fetchCommit(access, sha);
      return workspaces.commits(access, sha, which);
    },
    async changes(access, baseSha, sha) {
      await fetchCommit(access, sha);
      return workspaces.changes(access, baseSha, sha);
    },
    async pathStates(access, sha, paths) {
      await fetchCommit(access, sha);
      return workspaces.pathStates(access, sha, paths);
    },
    async leftAt(access, baseSha, sha) {
      for (const commit of [baseSha, sha]) await fetchCommit(access, commit);
      return workspaces.leftAt(access, baseSha, sha);
    },
    async diff(access, baseSha, sha, charactersMax, paths) {
      await fetchCommit(access, sha);
      return workspaces.diff(access, baseSha, sha, charactersMax, paths);
    },
  };
  return new Proxy(workspaces, {
    get(target, name) {
      const own = durable[name as keyof Workspaces];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
