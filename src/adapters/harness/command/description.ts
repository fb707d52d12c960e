import type { HarnessDescription } from "../description.ts";

export const command = {
  name: "command",
  title: "Any program",
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
    toolServers: false,
  },
  tools: null,
  selfReporting: true,
} as const satisfies HarnessDescription;
