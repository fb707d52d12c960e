import type { CliDescription } from "../description.ts";

export const claudeCode = {
  name: "claude-code",
  title: "Claude Code",
  provider: "anthropic",
  keys: { apiKey: "ANTHROPIC_API_KEY", login: "CLAUDE_CODE_OAUTH_TOKEN", baseUrl: "ANTHROPIC_BASE_URL" },
  program: { variable: "BATON_CLAUDE_BINARY", name: "claude" },
  npmPackage: "@anthropic-ai/claude-code",
  testedVersion: "2.1.329",
  tiers: {},
  capabilities: {
    resume: true,
    readOnly: true,
    systemPrompt: true,
    maxTurns: true,
    maxUsd: true,
    reportsUsage: true,
    reportsCost: true,
    toolServers: true,
  },
  tools: { "read-only": ["read", "search", "tasks"], write: ["read", "search", "edit", "shell", "tasks"] },
  selfReporting: false,
} as const satisfies CliDescription;
