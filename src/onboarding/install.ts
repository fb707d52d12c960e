/** How a hosted runner without an agent gets one, in the version that Baton was tested with. */
import { describedHarness } from "../adapters/harness/descriptions.ts";

export interface AgentPackage {
  name: string;
  version: string;
}

/** null: the harness is a program of the repository. */
export function agentPackage(harness: string): AgentPackage | null {
  const { npmPackage: name = null, testedVersion: version = null } = describedHarness(harness) ?? {};
  return name === null || version === null ? null : { name, version };
}

/** A step of a workflow. Renovate's preset `customManagers:githubActionsVersions` finds the version by the comment. */
export function installStep({ name, version }: AgentPackage): string {
  return [
    `run: npm install --global "${name}@$AGENT_VERSION"`,
    "env:",
    `  # renovate: datasource=npm depName=${name}`,
    `  AGENT_VERSION: "${version}"`,
    "",
  ].join("\n");
}
