/** Whether a program starts in the sandbox at all, and whether it stays in. The whole list of break-outs: `probes.ts`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Children } from "../../ports/child.ts";
import type { SandboxState } from "../../ports/sandbox.ts";
import { confine } from "./confinement.ts";
import { notStarting } from "./diagnosis.ts";
import { type Machinery, readSystemFacts } from "./machinery.ts";

export async function selfTest(machinery: Machinery, children: Children): Promise<SandboxState> {
  const { name, path } = machinery.bubblewrap;
  const directory = await mkdtemp(join(tmpdir(), "baton-sandbox-test-"));
  try {
    const end = await children.call({
      command: ["/bin/sh", "-c", "echo started"],
      cwd: directory,
      env: {},
      timeoutMs: 10_000,
      outputBytesMax: 64 * 1024,
      confinement: confine(
        machinery,
        {
          writable: [directory],
          readable: [],
          network: { hosts: [], loopbackPorts: [] },
          resources: { memoryBytesMax: 2 ** 30, processesMax: 64, diskBytesMax: 2 ** 30 },
        },
        () => {},
      ),
    });
    if (end.exitCode === 0 && end.stdout.toString() === "started\n")
      return { works: true, name, problem: null, remedy: null };
    return { works: false, name, ...notStarting(await readSystemFacts(path), end.stderr.toString()) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { works: false, name, ...notStarting(await readSystemFacts(path), message) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
