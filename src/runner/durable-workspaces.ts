/**
 * Workspaces whose commits outlive the machine: each result is a bundle in the store before its step can succeed.
 *
 * DW1 What an agent, a runner or a join made is stored before the caller learns of it.
 * DW2 A commit that is neither here nor at the remote comes back from the store, on whichever replica.
 * DW3 Bundles go with the run's other values, when old rows are pruned.
 */
import { hasCode } from "../core/errors.ts";
import { type RunId, runValuePrefix } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";
import type { RepositoryAccess, Workspaces } from "../ports/workspace.ts";

interface KeptAt {
  runId: string;
  /** The step's own base: it is at the remote, or was kept as well. */
  baseSha: string;
}

const isSha = /^[0-9a-f]{40,64}$/;
const pointerOf = (sha: string): string => `kept:${sha}`;
const bundleOf = (runId: string, sha: string): string => `${runValuePrefix}${runId}/kept/${sha}/bundle`;

export function durableWorkspaces<T extends Workspaces>(workspaces: T, store: Pick<Store, "value" | "setValue">): T {
  async function keep(access: RepositoryAccess, runId: RunId, baseSha: string, sha: string): Promise<void> {
    if (sha === baseSha || (await store.value(pointerOf(sha))) !== null) return;
    const bytes = await workspaces.bundle(access, sha);
    if (bytes === null) return;
    await store.setValue(bundleOf(runId, sha), Buffer.from(bytes).toString("base64"));
    await store.setValue(pointerOf(sha), { runId, baseSha });
  }

  /** True when it is here now. */
  async function restore(access: RepositoryAccess, sha: string): Promise<boolean> {
    const kept = (await store.value(pointerOf(sha))) as unknown as KeptAt | null;
    const base64 = kept === null ? null : await store.value(bundleOf(kept.runId, sha));
    if (kept === null || typeof base64 !== "string") return false;
    // A bundle holds what the remote lacked, so its base is all that must be there first.
    await fetchCommit(access, kept.baseSha);
    await workspaces.adoptBundle(access, { headSha: sha, bytes: Buffer.from(base64, "base64") });
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
      if (imported.headSha !== null) await keep(access, at.runId, at.baseSha, imported.headSha);
      return imported;
    },
    async importBundle(access, at, options) {
      const imported = await workspaces.importBundle(access, at, options);
      await keep(access, at.runId, at.baseSha, imported.headSha);
      return imported;
    },
    async join(access, at, options) {
      for (const sha of [at.baseSha, ...at.shas]) await fetchCommit(access, sha);
      const joined = await workspaces.join(access, at, options);
      await keep(access, at.runId, at.baseSha, joined.headSha);
      return joined;
    },
    async push(access, options) {
      await fetchCommit(access, options.sha);
      await workspaces.push(access, options);
    },
    async changes(access, baseSha, sha) {
      await fetchCommit(access, sha);
      return workspaces.changes(access, baseSha, sha);
    },
    async diff(access, baseSha, sha, charactersMax) {
      await fetchCommit(access, sha);
      return workspaces.diff(access, baseSha, sha, charactersMax);
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
