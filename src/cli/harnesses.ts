/** The harnesses of this machine, as `baton start` would use them. */

import { readSettings } from "../app/settings.ts";
import { BatonError } from "../core/errors.ts";
import type { Harness } from "../ports/harness.ts";
import type { CliContext } from "./context.ts";
import { environmentOf } from "./data.ts";

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
