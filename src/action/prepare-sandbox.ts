/**
 * Prepares a job's machine for its sandbox: hosted runners have no bubblewrap and restrict user namespaces.
 *
 * Owns: installing the package and allowing this single program its namespaces. Does not own: checking whether that was
 * enough, which is the sandbox's self-test. It runs only if `sudo` needs no password, as on hosted runners, and only
 * before the first agent.
 */
import { children } from "../adapters/child/children.ts";
import { toBatonError } from "../core/errors.ts";
import type { Children } from "../ports/child.ts";
import type { Log } from "../ports/log.ts";
import type { AgentSandbox, Sandbox } from "../ports/sandbox.ts";
import { agentSandboxOf, machineSandbox } from "../wire-sandbox.ts";
import type { ActionSettings } from "./settings.ts";

const stepTimeoutMs = 120_000;
const outputBytesMax = 1024 * 1024;

/**
 * Ubuntu 24.04 denies user namespaces to programs without an AppArmor profile. This profile allows them for bubblewrap
 * alone.
 * Source: https://discourse.ubuntu.com/t/ubuntu-24-04-lts-noble-numbat-release-notes, "Unprivileged user namespace
 * restrictions".
 */
const profile = `abi <abi/4.0>,
include <tunables/global>

profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}
`;

interface Step {
  command: readonly string[];
  input?: string;
}

const steps: readonly Step[] = [
  { command: ["apt-get", "update", "--quiet"] },
  { command: ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "bubblewrap"] },
  { command: ["tee", "/etc/apparmor.d/bwrap"], input: profile },
  { command: ["apparmor_parser", "--replace", "/etc/apparmor.d/bwrap"] },
];

export async function prepareSandbox(children: Pick<Children, "call">, log: Log): Promise<void> {
  const asRoot = async ({ command, input }: Step): Promise<boolean> => {
    const end = await children.call({
      command: ["sudo", "--non-interactive", ...command],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive" },
      ...(input === undefined ? {} : { input }),
      timeoutMs: stepTimeoutMs,
      outputBytesMax,
    });
    if (end.exitCode !== 0)
      log.debug("A step of the sandbox's setup failed", {
        command: command.join(" "),
        exitCode: end.exitCode,
        error: end.stderr.toString("utf8").trim().slice(-300),
      });
    return end.exitCode === 0;
  };
  if (!(await asRoot({ command: ["true"] }))) return;
  // A machine without AppArmor needs no profile, and one with the package needs no index, so each step is independent.
  for (const step of steps) await asRoot(step);
}

/** The sandbox of a job's machine, prepared when the first agent needs it. */
export function jobSandbox(
  { sandbox, dataDir, cacheDir }: Pick<ActionSettings, "sandbox" | "dataDir" | "cacheDir">,
  log: Log,
): AgentSandbox {
  return agentSandboxOf(
    sandbox,
    selfPreparing(
      () => machineSandbox(dataDir, log, [cacheDir]),
      () => prepareSandbox(children, log),
      log,
    ),
  );
}

/** Prepares the machine once, when the first self-test fails, and tests again. */
export function selfPreparing(make: () => Sandbox, prepare: () => Promise<void>, log: Log): Sandbox {
  let current = make();
  let asked: ReturnType<Sandbox["state"]> | null = null;
  const ask = async (): ReturnType<Sandbox["state"]> => {
    const before = await current.state();
    if (before.works) return before;
    await prepare().catch((thrown: unknown) => {
      log.warn("The sandbox could not be set up", { error: toBatonError(thrown).message });
    });
    current = make();
    return current.state();
  };
  return {
    state: () => (asked ??= ask()),
    confine: (policy, onDenied) => current.confine(policy, onDenied),
  };
}
