/**
 * The contents that a question about protected paths showed. The answer holds for exactly these contents.
 *
 * SC1 The breakpoint's facts in the journal contain it. A journal without it allows nothing, so Baton asks again.
 */
import { z } from "zod";
import type { EffectState } from "./state.ts";

/** A path at a commit. Both fields are null if the path is absent. */
const pathStateSchema = z.object({
  path: z.string(),
  /** As git writes it: `100644`, `100755`, `120000` for a symbolic link. */
  mode: z.string().nullable(),
  blob: z.string().nullable(),
});
export type PathState = z.infer<typeof pathStateSchema>;

const shownChangeSchema = z.object({ files: z.array(pathStateSchema), text: z.string() });
export type ShownChange = z.infer<typeof shownChangeSchema>;

export function shownChange({ kind, observed }: Pick<EffectState, "kind" | "observed">): ShownChange | null {
  if (kind !== "breakpoint" || observed === null) return null;
  const parsed = shownChangeSchema.safeParse(observed.facts);
  return parsed.success ? parsed.data : null;
}

export function sameState(one: PathState, other: PathState): boolean {
  return one.path === other.path && one.mode === other.mode && one.blob === other.blob;
}
