import type { HarnessDescription } from "../description.ts";

/**
 * Describes every agent of the protocol. The operator names each agent. An agent may ask its models without Baton's
 * proxy.
 */
export const acp = {
  name: "acp",
  title: "An agent of the Agent Client Protocol",
  provider: null,
  keys: null,
  program: null,
  npmPackage: null,
  testedVersion: null,
  tiers: {},
  capabilities: {
    resume: false,
    readOnly: false,
    systemPrompt: false,
    maxTurns: false,
    maxUsd: false,
    reportsUsage: true,
    reportsCost: true,
    toolServers: true,
  },
  tools: null,
  selfReporting: true,
} as const satisfies HarnessDescription;
