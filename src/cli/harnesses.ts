/** The harnesses of this machine, as `baton start` would use them. */

import { BatonError } from "../core/errors.ts";
import { readSettings } from "../environment/settings.ts";
import type { Harness } from "../ports/harness.ts";
import { type Circuit, circuitState } from "../routing/circuit.ts";
import type { CliContext } from "./context.ts";
import { environmentOf, withRuns } from "./data.ts";

/**
 * The results of each harness's last attempts, from Baton's data. Empty if there are no data, or if a running Baton has
 * locked them. To check harnesses, nobody needs either.
 */
export async function healthOf(context: CliContext, names: readonly string[]): Promise<Map<string, string>> {
  try {
    return await withRuns(context, async ({ circuit }) => {
      const health = new Map<string, string>();
      for (const name of names) health.set(name, told(await circuit(name), Date.now()));
      return health;
    });
  } catch (thrown) {
    if (!(thrown instanceof BatonError)) throw thrown;
    return new Map();
  }
}

function told(circuit: Circuit | null, now: number): string {
  if (circuit === null || circuit.outcomes.length === 0) return "no failure noted";
  const failed = circuit.outcomes.filter(({ ok }) => !ok).length;
  const share = `${failed} of its last ${circuit.outcomes.length} attempts failed`;
  return circuitState(circuit, now) === "open" && circuit.openUntil !== null
    ? `${share}; left out until ${new Date(circuit.openUntil).toISOString()}`
    : share;
}

export async function harnessesOf(context: CliContext, only?: string): Promise<Map<string, Harness>> {
  const { harnessesHere } = await import("../library.ts");
  const all = harnessesHere(readSettings(environmentOf(context)));
  if (only === undefined) return all;
  const one = all.get(only);
  if (one === undefined)
    throw new BatonError(
      "BATON_HARNESS_UNKNOWN",
      `No harness here is named "${only}". There are: ${[...all.keys()].join(", ")}.`,
    );
  return new Map([[only, one]]);
}
