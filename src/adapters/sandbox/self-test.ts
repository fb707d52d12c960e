/** Checks that agents stay in, with the fast part of the break-out probes. `baton sandbox test` runs the whole list. */

import type { SandboxState } from "../../policy/sandbox.ts";
import type { Children } from "../../ports/child.ts";
import { confine } from "./confinement.ts";
import { notStarting } from "./diagnosis.ts";
import { type Machinery, readSystemFacts } from "./machinery.ts";
import type { ProbeResult } from "./probes/probe.ts";
import { runQuickProbes } from "./probes/run-probes.ts";

export async function selfTest(machinery: Machinery, children: Children): Promise<SandboxState> {
  const { name, path } = machinery.bubblewrap;
  try {
    const results = await runQuickProbes({
      children,
      nodePath: machinery.nodePath,
      confine: (policy) => confine(machinery, policy, () => {}),
    });
    const failed = results.filter(({ verdict }) => verdict !== "stopped");
    if (failed.length === 0) return { works: true, name, problem: null, remedy: null };
    if (failed.every(({ verdict }) => verdict === "could not run"))
      return { works: false, name, ...notStarting(await readSystemFacts(path), failed[0]?.detail ?? "") };
    return { works: false, name, ...escaped(failed) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { works: false, name, ...notStarting(await readSystemFacts(path), message) };
  }
}

function escaped(failed: readonly ProbeResult[]): { problem: string; remedy: string } {
  const names = failed.slice(0, 3).map(({ name, detail }) => `${name}${detail === null ? "" : ` (${detail})`}`);
  const more = failed.length > names.length ? `, and ${failed.length - names.length} more` : "";
  return {
    problem: `The sandbox does not stop these break-outs: ${names.join("; ")}${more}.`,
    remedy: "Update bubblewrap and the kernel, then run `baton sandbox test` where Baton runs.",
  };
}
