/**
 * Reusable results of shell steps: for the same command over the same tree, within the step's time limit.
 *
 * RE1 A reused result comes from the same Baton, name, command, detector and setup over the same tree of files.
 * RE2 Only successful results are kept, and only the newest of a name. So a repository has a bounded number.
 * RE3 If Baton cannot read the tree, the step runs.
 */
import { z } from "zod";
import { sha256 } from "../../adapters/system/sha256.ts";
import type { Settings } from "../../config/schema.ts";
import type { shellInputSchema } from "../../core/effect.ts";
import { hasCode } from "../../core/errors.ts";
import { product } from "../../core/product.ts";
import { type Json, jsonSchema, type Repository } from "../../core/vocabulary.ts";
import type { Github } from "../../ports/github.ts";
import { defineValues, readValue, writeValue } from "../../ports/values.ts";
import { detectorNamed } from "../../sweep/detectors/index.ts";
import type { Dependencies } from "../dependencies.ts";

const results = defineValues("reused/", z.object({ key: z.string(), at: z.number(), output: jsonSchema }));

type Input = z.infer<typeof shellInputSchema>;

interface Reuse {
  /** The reusable result. null: the step runs. */
  known: { output: Record<string, Json | undefined>; at: number } | null;
  keep(output: Record<string, Json | undefined>): Promise<void>;
}

/** null: the step does not allow reuse of its result. */
export async function reuseOf(
  { store, clock }: Pick<Dependencies, "store" | "clock">,
  github: Pick<Github, "treeSha">,
  given: { repository: Repository; input: Input; settings: Pick<Settings, "sandbox"> },
): Promise<Reuse | null> {
  const { repository, input, settings } = given;
  const { reuse, command, detect, sha } = input;
  if (reuse === undefined) return null;
  const tree = await github.treeSha(repository, sha).catch((thrown: unknown) => {
    if (hasCode(thrown, "BATON_GITHUB_NOT_FOUND") || hasCode(thrown, "BATON_GITHUB_DENIED")) return null;
    throw thrown;
  });
  // RE3
  if (tree === null) return null;
  const version = detect === undefined ? null : detectorNamed(detect.detector).version;
  // RE1
  const key = sha256(JSON.stringify([product.version, tree, command, detect ?? null, version, settings.sandbox]));
  const place = results.at(`${repository.id}/${reuse.as}`);
  const kept = await readValue(store, place);
  const isFresh = kept !== null && kept.key === key && clock.now() - kept.at < reuse.forMs && kept.at <= clock.now();
  return {
    known: isFresh ? { output: kept.output as Record<string, Json | undefined>, at: kept.at } : null,
    keep: (output) => writeValue(store, place, { key, at: clock.now(), output: output as Json }),
  };
}
