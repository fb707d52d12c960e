/** Kept commits as values of the App's store: one bundle each, and a pointer from the commit to its run. */
import { z } from "zod";
import { limits } from "../core/limits.ts";
import { type RunId, runPointerPrefix } from "../core/vocabulary.ts";
import type { KeptWork } from "../ports/kept-work.ts";
import type { Store } from "../ports/store.ts";
import { defineValues, readValue, writeValue } from "../ports/values.ts";
import { bundleValues } from "./bundle-values.ts";

/** `baseSha`: the step's own base, which is at the remote or was kept as well. */
const pointers = defineValues(runPointerPrefix, z.object({ runId: z.string(), baseSha: z.string() }));
const bundleOf = (runId: string, sha: string) => bundleValues.at(`${runId}/kept/${sha}`);

export function storedWork(store: Pick<Store, "value" | "setValue">): KeptWork {
  const pointer = (sha: string) => readValue(store, pointers.at(sha));
  return {
    isPublic: false,
    bytesMax: limits.importBytesMax,
    async find(sha) {
      const found = await pointer(sha);
      return found === null ? null : { runId: found.runId as RunId, baseSha: found.baseSha, sealed: false };
    },
    async put(sha, { runId, baseSha, bytes }) {
      await writeValue(store, bundleOf(runId, sha), Buffer.from(bytes).toString("base64"));
      await writeValue(store, pointers.at(sha), { runId, baseSha });
    },
    async bundle(sha) {
      const found = await pointer(sha);
      const base64 = found === null ? null : await readValue(store, bundleOf(found.runId, sha));
      return base64 === null ? null : Buffer.from(base64, "base64");
    },
  };
}
