/** Builds this machine's sandbox from its parts, for the App, a job of Actions, the command line and tests. */
import { children } from "./adapters/child/children.ts";
import { startEgressProxy } from "./adapters/egress/proxy.ts";
import { createSandbox } from "./adapters/sandbox/index.ts";
import type { SandboxSettings } from "./environment/settings.ts";
import type { Log } from "./ports/log.ts";
import type { AgentSandbox, Sandbox } from "./ports/sandbox.ts";

/** `hidden`: directories of Baton that no agent sees. */
export function machineSandbox(dataDir: string, log: Log, hidden: readonly string[] = []): Sandbox {
  return createSandbox({ children, log, startEgress: startEgressProxy, hidden: [dataDir, ...hidden] });
}

/** The sandbox with its operator's decisions. */
export function agentSandboxOf({ mode, hosts, readable, resources }: SandboxSettings, sandbox: Sandbox): AgentSandbox {
  return { sandbox, operator: mode, hosts, readable, resources, root: process.getuid?.() === 0 };
}
