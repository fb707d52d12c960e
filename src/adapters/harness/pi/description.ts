import type { CliDescription } from "../description.ts";

export const pi = {
  name: "pi",
  title: "Pi",
  provider: "anthropic",
  keys: { apiKey: "ANTHROPIC_API_KEY", login: null, baseUrl: "ANTHROPIC_BASE_URL" },
  program: { variable: "BATON_PI_BINARY", name: "pi" },
  npmPackage: "@earendil-works/pi-coding-agent",
  testedVersion: "0.87.1",
  tiers: {},
  capabilities: {
    resume: true,
    readOnly: true,
    systemPrompt: true,
    maxTurns: false,
    maxUsd: false,
    reportsUsage: true,
    reportsCost: false,
    toolServers: false,
  },
  tools: { "read-only": ["read", "search"], write: ["read", "edit", "shell"] },
  selfReporting: false,
} as const satisfies CliDescription;
