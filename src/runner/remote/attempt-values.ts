/** What App and runner tell each other of one attempt by the store. Gone once the attempt's end is in the journal (RA4). */
import { z } from "zod";
import { runValuePrefix } from "../../core/vocabulary.ts";
import { defineValues } from "../../ports/values.ts";
import { bundleValues } from "../bundle-values.ts";
import type { ResultRequest } from "./protocol.ts";

/** As it was asked for; `job` and `url` where GitHub tells which run it began. */
const askedSchema = z.object({
  at: z.number(),
  job: z.string().nullable().optional(),
  url: z.string().nullable().optional(),
});
export type Asked = z.infer<typeof askedSchema>;

/** What a worker's result is kept as until its attempt has ended; then only the epoch, for who posts it again (protocol.EP2). */
export interface KeptResult {
  epoch: number;
  result: ResultRequest["result"];
  bundle: { headSha: string } | null;
}

const asked = defineValues(runValuePrefix, askedSchema, "/asked");
/** When a worker was last heard from. */
const seen = defineValues(runValuePrefix, z.object({ at: z.number(), job: z.string(), epoch: z.number() }), "/seen");
const cancelled = defineValues(runValuePrefix, z.literal(true), "/cancel");
/** The request was checked when it came (`protocol.ts`). */
const results = defineValues<{ epoch: number } | KeptResult>(
  runValuePrefix,
  z.looseObject({ epoch: z.number() }) as unknown as z.ZodType<{ epoch: number } | KeptResult>,
  "/result",
);

/** `operation`: of the attempt (`claims.ts`). */
export function attemptValues(operation: string) {
  const of = operation.slice(runValuePrefix.length);
  return {
    asked: asked.at(of),
    seen: seen.at(of),
    cancel: cancelled.at(of),
    result: results.at(of),
    bundle: bundleValues.at(of),
  };
}

/** null: there is none, or only its epoch is left. */
export function wholeResult(kept: { epoch: number } | KeptResult | null): KeptResult | null {
  return kept !== null && "result" in kept ? kept : null;
}
