import type { CliDescription } from "../description.ts";

export const opencode = {
  name: "opencode",
  title: "OpenCode",
  provider: "anthropic",
  keys: { apiKey: "ANTHROPIC_API_KEY", login: null, baseUrl: "ANTHROPIC_BASE_URL" },
  program: { variable: "BATON_OPENCODE_BINARY", name: "opencode" },
  npmPackage: "opencode-ai",
  testedVersion: "1.18.33",
  tiers: {},
  capabilities: {
    resume: true,
    readOnly: true,
    systemPrompt: true,
    maxTurns: false,
    maxUsd: false,
    reportsUsage: true,
    reportsCost: false,
    toolServers: true,
  },
  tools: { "read-only": ["read", "search", "tasks"], write: ["read", "search", "edit", "shell", "tasks"] },
  selfReporting: false,
} as const satisfies CliDescription;
