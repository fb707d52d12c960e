/** The harnesses that Baton knows, as pure data: one line each, in the order in which they are shown and preferred. */
import { acp } from "./acp/description.ts";
import { claudeCode } from "./claude-code/description.ts";
import { codex } from "./codex/description.ts";
import { command } from "./command/description.ts";
import { copilot } from "./copilot/description.ts";
import type { HarnessDescription } from "./description.ts";
import { gemini } from "./gemini/description.ts";
import { opencode } from "./opencode/description.ts";
import { pi } from "./pi/description.ts";

export const descriptions = [claudeCode, codex, copilot, gemini, opencode, pi, acp, command] as const;

export type HarnessName = (typeof descriptions)[number]["name"];

/** Those that are started by the name of a program. */
export type CliName = Extract<(typeof descriptions)[number], { program: object }>["name"];

/** The same, where one is as good as another. */
export const describedHarnesses: readonly HarnessDescription[] = [...descriptions];

/** Names that nobody else's agent may have; agents of the protocol have the operator's. */
export const builtInHarnesses: readonly string[] = describedHarnesses
  .map(({ name }) => name)
  .filter((name) => name !== acp.name);

export function describedHarness(name: string): HarnessDescription | null {
  return builtInHarnesses.includes(name) ? (describedHarnesses.find((one) => one.name === name) ?? null) : null;
}
