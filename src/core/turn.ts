/** The journal engine's view of the authoring library, one layer above: a turn, and the end of a process. */
import type { BatonError } from "./errors.ts";
import type { RunEventOf } from "./event.ts";
import type { EffectKey, Json, Verdict } from "./vocabulary.ts";

/** The result of one turn of the process. */
export interface Turn {
  requests: RunEventOf<"effect.requested">[];
  /** Effects that the process no longer wants: losers of a race. */
  cancellations: EffectKey[];
  end: { ok: true; output: Json } | { ok: false; error: BatonError } | null;
}

export interface EndingProcess {
  name: string;
  verdict(output: Json): Verdict;
}
