/** The confinement of this machine's agents, for the start-up log. */
import type { Log } from "../../ports/log.ts";
import type { AgentSandbox } from "../../ports/sandbox.ts";

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
