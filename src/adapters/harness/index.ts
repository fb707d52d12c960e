/** The harnesses of this machine: one line each. */
import { join } from "node:path";
import type { Harness } from "../../ports/harness.ts";
import { type AcpOptions, acpAgent } from "./acp.ts";
import { type ClaudeCodeOptions, claudeCode } from "./claude-code.ts";
import { type CodexOptions, codex } from "./codex.ts";
import { type CommandHarnessOptions, commandHarness } from "./command.ts";
import { type CopilotOptions, copilot } from "./copilot.ts";
import { type GeminiOptions, gemini } from "./gemini.ts";
import { type OpencodeOptions, opencode } from "./opencode.ts";
import { type PiOptions, pi } from "./pi.ts";
import { createSessions, type Sessions } from "./sessions.ts";

export interface HarnessSettings {
  claude: ClaudeCodeOptions;
  codex: CodexOptions;
  /** Left out: not on this machine. */
  copilot?: CopilotOptions;
  gemini?: GeminiOptions;
  opencode?: OpencodeOptions;
  pi?: PiOptions;
  /** Agents of the Agent Client Protocol, by the operator's names for them. */
  acp?: Readonly<Record<string, Omit<AcpOptions, "name">>>;
  /** Null: no program is set, and repositories may not name one. */
  command: CommandHarnessOptions | null;
  /** Where conversations are kept beyond their attempt. */
  sessionsDir: string;
}

const registry: ((settings: HarnessSettings, sessions: Sessions) => Harness | Harness[] | null)[] = [
  ({ claude }, sessions) => claudeCode({ ...claude, sessions }),
  (settings, sessions) => codex({ ...settings.codex, sessions }),
  (settings, sessions) => (settings.copilot === undefined ? null : copilot({ ...settings.copilot, sessions })),
  (settings, sessions) => (settings.gemini === undefined ? null : gemini({ ...settings.gemini, sessions })),
  (settings, sessions) => (settings.opencode === undefined ? null : opencode({ ...settings.opencode, sessions })),
  (settings, sessions) => (settings.pi === undefined ? null : pi({ ...settings.pi, sessions })),
  ({ acp = {} }) => Object.entries(acp).map(([name, agent]) => acpAgent({ ...agent, name })),
  ({ command }) => (command === null ? null : commandHarness(command)),
];

export function createHarnesses(settings: HarnessSettings): Map<string, Harness> {
  const sessions = createSessions(settings.sessionsDir);
  const all = registry.flatMap((create) => create(settings, sessions)).filter((harness) => harness !== null);
  return new Map(all.map((harness) => [harness.name, harness]));
}

/** The harnesses that an environment sets up; conversations are kept below `dataDir`. */
export function harnessesOf(
  settings: Omit<HarnessSettings, "command" | "sessionsDir"> & { command: string[]; repositoryCommands: boolean },
  dataDir: string,
): Map<string, Harness> {
  const { command, repositoryCommands, ...clis } = settings;
  return createHarnesses({
    ...clis,
    command: { command, repositoryCommands, keys: {} },
    sessionsDir: join(dataDir, "sessions"),
  });
}
