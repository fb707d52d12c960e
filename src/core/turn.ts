/** What the journal engine knows of the authoring library, which stands a floor above it: a turn, and how a process ends. */
import type { BatonError } from "./errors.ts";
import type { RunEventOf } from "./event.ts";
import type { EffectKey, Json, Verdict } from "./vocabulary.ts";

/** What one turn of the process gave. */
export interface Turn {
  requests: RunEventOf<"effect.requested">[];
  /** Effects that the process itself no longer wants: losers of a race. */
  cancellations: EffectKey[];
  end: { ok: true; output: Json } | { ok: false; error: BatonError } | null;
}

export interface EndingProcess {
  name: string;
  verdict(output: Json): Verdict;
}
