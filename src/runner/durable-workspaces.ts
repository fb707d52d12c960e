/**
 * Workspaces whose commits outlive the machine: each result is a bundle in the store before its step can succeed.
 *
 * DW1 What an agent, a runner or a join made is stored before the caller learns of it.
 * DW2 A commit that is neither here nor at the remote comes back from the store, on whichever replica.
 * DW3 Bundles go with the run's other values, when old rows are pruned.
 */
import { z } from "zod";
import { hasCode } from "../core/errors.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";
import type { RepositoryAccess, Workspaces } from "../ports/workspace.ts";
import { bundleValues } from "./bundle-values.ts";

const isSha = /^[0-9a-f]{40,64}$/;
const pointers = defineValues(
  "kept:",
  /** `baseSha`: the step's own base; it is at the remote, or was kept as well. */
  z.object({ runId: z.string(), baseSha: z.string() }),
);
const bundleOf = (runId: string, sha: string) => bundleValues.at(`${runId}/kept/${sha}`);

export function durableWorkspaces<T extends Workspaces>(workspaces: T, store: Pick<Store, "value" | "setValue">): T {
  async function keep(access: RepositoryAccess, runId: RunId, baseSha: string, sha: string): Promise<void> {
    if (sha === baseSha || (await readValue(store, pointers.at(sha))) !== null) return;
    const bytes = await workspaces.bundle(access, sha);
    if (bytes === null) return;
    await writeValue(store, bundleOf(runId, sha), Buffer.from(bytes).toString("base64"));
    await writeValue(store, pointers.at(sha), { runId, baseSha });
  }

  /** True when it is here now. */
  async function restore(access: RepositoryAccess, sha: string): Promise<boolean> {
    const kept = await readValue(store, pointers.at(sha));
    const base64 = kept === null ? null : await readValue(store, bundleOf(kept.runId, sha));
    if (kept === null || base64 === null) return false;
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
