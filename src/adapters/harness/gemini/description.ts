import type { CliDescription } from "../description.ts";

export const gemini = {
  name: "gemini",
  title: "the Gemini CLI",
  provider: "google",
  keys: { apiKey: "GEMINI_API_KEY", login: null, baseUrl: "GOOGLE_GEMINI_BASE_URL" },
  program: { variable: "BATON_GEMINI_BINARY", name: "gemini" },
  npmPackage: "@google/gemini-cli",
  testedVersion: "0.61.0",
  tiers: {},
  capabilities: {
    resume: true,
    readOnly: true,
    systemPrompt: true,
    maxTurns: true,
    maxUsd: false,
    reportsUsage: true,
    reportsCost: false,
    toolServers: false,
  },
  tools: { "read-only": ["read", "search"], write: ["read", "search", "edit", "shell"] },
  selfReporting: false,
} as const satisfies CliDescription;
