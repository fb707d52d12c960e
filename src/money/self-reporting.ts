/** Harnesses that ask their models by themselves: Baton knows what they used only from their own reports, and cannot stop a request. */
import type { RunState } from "../core/state.ts";

const selfReporting: ReadonlySet<string> = new Set(["command"]);

/** Those that work, or may work, for this run. */
export function selfReportingOf({ settings, effects }: Pick<RunState, "settings" | "effects">): string[] {
  const { harness } = (settings ?? {}) as { harness?: { default?: string; fallback?: string[] } };
  const seen = [...effects.values()].flatMap(({ attempts }) => attempts.map(({ agent }) => agent?.harness ?? ""));
  const all = [harness?.default ?? "", ...(harness?.fallback ?? []), ...seen];
  return [...new Set(all)].filter((name) => selfReporting.has(name));
}
