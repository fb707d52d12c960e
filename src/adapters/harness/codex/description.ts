import type { CliDescription } from "../description.ts";

export const codex = {
  name: "codex",
  title: "Codex",
  provider: "openai",
  keys: { apiKey: "OPENAI_API_KEY", login: null, baseUrl: "OPENAI_BASE_URL" },
  program: { variable: "BATON_CODEX_BINARY", name: "codex" },
  npmPackage: "@openai/codex",
  testedVersion: "0.169.0",
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
  // It edits by `apply_patch`. Some models see it as a tool. Others see a shell command that Codex handles itself.
  tools: { "read-only": ["shell"], write: ["shell", "edit"] },
  selfReporting: false,
} as const satisfies CliDescription;
