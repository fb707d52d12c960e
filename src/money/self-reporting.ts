/**
 * Harnesses that call their models by themselves, or may do so. Baton knows their usage only from their own reports,
 * and cannot stop a request. An operator's own agent may ignore the given address.
 */
import { describedHarness } from "../adapters/harness/descriptions.ts";
import type { RunState } from "../core/state.ts";

/** The self-reporting harnesses that work, or may work, for this run. */
export function selfReportingOf({ settings, effects }: Pick<RunState, "settings" | "effects">): string[] {
  const { harness } = (settings ?? {}) as { harness?: { default?: string; fallback?: string[] } };
  const seen = [...effects.values()].flatMap(({ attempts }) => attempts.map(({ agent }) => agent?.harness ?? ""));
  const all = [harness?.default ?? "", ...(harness?.fallback ?? []), ...seen];
  return [...new Set(all)].filter((name) => name !== "" && isSelfReporting(name));
}

function isSelfReporting(name: string): boolean {
  // The exact name: `claude` may be an operator's own agent.
  return describedHarness(name)?.selfReporting ?? true;
}
