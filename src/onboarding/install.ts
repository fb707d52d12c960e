/** How a hosted runner, which has no agent, gets one. A test compares it with what the harnesses themselves advise. */

const packages: Readonly<Record<string, string>> = {
  "claude-code": "@anthropic-ai/claude-code",
  codex: "@openai/codex",
  copilot: "@github/copilot",
  gemini: "@google/gemini-cli",
  opencode: "opencode-ai",
  pi: "@earendil-works/pi-coding-agent",
};

/** null: a program of the repository's own. */
export function installCommand(harness: string): string | null {
  return Object.hasOwn(packages, harness) ? `npm install --global ${packages[harness]}` : null;
}
