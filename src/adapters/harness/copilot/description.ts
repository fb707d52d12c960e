import type { CliDescription } from "../description.ts";

export const copilot = {
  name: "copilot",
  title: "the GitHub Copilot CLI",
  provider: "anthropic",
  keys: { apiKey: "ANTHROPIC_API_KEY", login: null, baseUrl: "ANTHROPIC_BASE_URL" },
  program: { variable: "BATON_COPILOT_BINARY", name: "copilot" },
  npmPackage: "@github/copilot",
  testedVersion: "1.0.102",
  tiers: {},
  capabilities: {
    resume: true,
    readOnly: true,
    systemPrompt: false,
    maxTurns: false,
    maxUsd: false,
    reportsUsage: true,
    reportsCost: false,
    toolServers: true,
  },
  tools: { "read-only": ["read", "search"], write: ["read", "search", "edit", "shell"] },
  selfReporting: false,
} as const satisfies CliDescription;
