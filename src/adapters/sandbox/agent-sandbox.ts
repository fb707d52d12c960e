/** This machine's sandbox with its operator's decisions, from the environment's settings. */
import type { Log } from "../../ports/log.ts";
import type { AgentSandbox, Sandbox } from "../../ports/sandbox.ts";

export function agentSandboxOf(
  { mode, hosts, resources }: Pick<AgentSandbox, "hosts" | "resources"> & { mode: AgentSandbox["operator"] },
  sandbox: Sandbox,
): AgentSandbox {
  return { sandbox, operator: mode, hosts, resources, root: process.getuid?.() === 0 };
}

/** For the start-up log: what agents on this machine are held by, or that nothing holds them. */
export async function logSandbox({ sandbox, operator }: AgentSandbox, log: Log): Promise<void> {
  if (operator === "off") {
    log.warn("Agents run without a sandbox: BATON_SANDBOX is off");
    return;
  }
  const { works, name, problem, remedy } = await sandbox.state();
  if (works) log.info("Agents run in a sandbox", { sandbox: name });
  else
    log.warn(
      operator === "require"
        ? "The sandbox does not work: no agent starts on this machine"
        : "The sandbox does not work: agents run without one",
      { problem, remedy },
    );
}
