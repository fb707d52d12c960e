/**
 * Harnesses that ask their models by themselves, or may: Baton knows what they used only from their own reports, and cannot stop a
 * request. An agent of the operator's own may ignore the address that it is given.
 */
import { describedHarness } from "../adapters/harness/descriptions.ts";
import type { RunState } from "../core/state.ts";

/** Those that work, or may work, for this run. */
export function selfReportingOf({ settings, effects }: Pick<RunState, "settings" | "effects">): string[] {
  const { harness } = (settings ?? {}) as { harness?: { default?: string; fallback?: string[] } };
  const seen = [...effects.values()].flatMap(({ attempts }) => attempts.map(({ agent }) => agent?.harness ?? ""));
  const all = [harness?.default ?? "", ...(harness?.fallback ?? []), ...seen];
  return [...new Set(all)].filter((name) => name !== "" && isSelfReporting(name));
}

function isSelfReporting(name: string): boolean {
  // The exact name: `claude` may be an agent of the operator's own.
  return describedHarness(name)?.selfReporting ?? true;
}
