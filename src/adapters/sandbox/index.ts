/**
 * The sandbox of this machine: bubblewrap. Linux only.
 *
 * Owns: what an agent sees, reaches and may use. Does not own: how children are started (`ports/child`), which hosts are allowed.
 */
import type { Sandbox, SandboxState } from "../../ports/sandbox.ts";
import { refused } from "./checked-path.ts";
import { confine } from "./confinement.ts";
import { notInstalled } from "./diagnosis.ts";
import { findMachinery, type Machinery, readSystemFacts, type SandboxOptions } from "./machinery.ts";
import { selfTest } from "./self-test.ts";

export type { SandboxOptions } from "./machinery.ts";

export function createSandbox(options: SandboxOptions): Sandbox {
  let machinery: Promise<Machinery | null> | null = null;
  let state: Promise<SandboxState> | null = null;
  const found = (): Promise<Machinery | null> => (machinery ??= findMachinery(options));
  return {
    state() {
      state ??= found().then(async (one) => {
        if (one !== null) return await selfTest(one, options.children);
        return { works: false, name: "bubblewrap", ...notInstalled(await readSystemFacts(null)) };
      });
      return state;
    },
    confine(policy, onDenied) {
      return {
        policy,
        async prepare(program) {
          const one = await found();
          if (one === null) throw refused("bwrap", "bubblewrap is not installed");
          return await confine(one, policy, onDenied).prepare(program);
        },
      };
    },
  };
}
