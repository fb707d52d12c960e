/**
 * The values by which App and runner exchange data of one attempt. They go once the attempt's end is in the journal
 * (RA4).
 */
import { z } from "zod";
import { runValuePrefix } from "../../core/vocabulary.ts";
import { defineValues } from "../../ports/values.ts";
import { bundleValues } from "../bundle-values.ts";
import type { ResultRequest } from "./protocol.ts";

/** The request for the attempt, with `job` and `url` if GitHub reports the run that it started. */
const askedSchema = z.object({
  at: z.number(),
  job: z.string().nullable().optional(),
  url: z.string().nullable().optional(),
});
export type Asked = z.infer<typeof askedSchema>;

/**
 * A worker's result until its attempt has ended. Afterwards only the epoch stays, for a worker that posts again
 * (protocol.EP2).
 */
export interface KeptResult {
  epoch: number;
  result: ResultRequest["result"];
  bundle: { headSha: string } | null;
}

const asked = defineValues(runValuePrefix, askedSchema, "/asked");
/** When the worker last sent a request. */
const seen = defineValues(runValuePrefix, z.object({ at: z.number(), job: z.string(), epoch: z.number() }), "/seen");
const cancelled = defineValues(runValuePrefix, z.literal(true), "/cancel");
/** The request was checked on arrival (`protocol.ts`). */
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

/** null: there is no result, or only its epoch is left. */
export function wholeResult(kept: { epoch: number } | KeptResult | null): KeptResult | null {
  return kept !== null && "result" in kept ? kept : null;
}
