import { type Settings, settingsSchema } from "../config/schema.ts";
import type { RunState } from "../core/state.ts";

const parsed = new WeakMap<object, Settings>();

/** The settings at the start of the run, as its journal keeps them. */
export function settingsOf(state: Pick<RunState, "settings">): Settings {
  const key = state.settings as object;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const settings = settingsSchema.parse(state.settings);
  parsed.set(key, settings);
  return settings;
}

/** The base branch of the run. null: its process has none. */
export function baseOf({ input }: Pick<RunState, "input">): string | null {
  const { baseBranch } = (input ?? {}) as { baseBranch?: unknown };
  return typeof baseBranch === "string" && baseBranch !== "" ? baseBranch : null;
}
