/** Kept commits as values of the App's store: a bundle for each, and a pointer that finds its run by the commit alone. */
import { limits } from "../core/limits.ts";
import { type RunId, runPointerPrefix, runValuePrefix } from "../core/vocabulary.ts";
import type { KeptWork } from "../ports/kept-work.ts";
import type { Store } from "../ports/store.ts";

const pointerOf = (sha: string): string => `${runPointerPrefix}${sha}`;
const bundleOf = (runId: string, sha: string): string => `${runValuePrefix}${runId}/kept/${sha}/bundle`;

export function storedWork(store: Pick<Store, "value" | "setValue">): KeptWork {
  const pointer = async (sha: string) =>
    (await store.value(pointerOf(sha))) as unknown as { runId: RunId; baseSha: string } | null;
  return {
    isPublic: false,
    bytesMax: limits.importBytesMax,
    async find(sha) {
      const found = await pointer(sha);
      return found === null ? null : { ...found, sealed: false };
    },
    async put(sha, { runId, baseSha, bytes }) {
      await store.setValue(bundleOf(runId, sha), Buffer.from(bytes).toString("base64"));
      await store.setValue(pointerOf(sha), { runId, baseSha });
    },
    async bundle(sha) {
      const found = await pointer(sha);
      const base64 = found === null ? null : await store.value(bundleOf(found.runId, sha));
      return typeof base64 === "string" ? Buffer.from(base64, "base64") : null;
    },
  };
}
