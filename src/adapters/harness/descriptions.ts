/** The harnesses that Baton knows, as pure data. One line each, in the order of display and preference. */
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

/** The harnesses that Baton starts by the name of a program. */
export type CliName = Extract<(typeof descriptions)[number], { program: object }>["name"];

/** The same list with the general type. */
export const describedHarnesses: readonly HarnessDescription[] = [...descriptions];

/** Names that no other agent may have. Agents of the protocol get the operator's names. */
export const builtInHarnesses: readonly string[] = describedHarnesses
  .map(({ name }) => name)
  .filter((name) => name !== acp.name);

export function describedHarness(name: string): HarnessDescription | null {
  return builtInHarnesses.includes(name) ? (describedHarnesses.find((one) => one.name === name) ?? null) : null;
}
