/**
 * How to make the harnesses of this machine, one line each. A description and a line need each other, or the code does
 * not compile.
 */
import { join } from "node:path";
import type { Harness } from "../../ports/harness.ts";
import type { ModelProvider } from "../../ports/model-proxy.ts";
import { services } from "../model-service/services.ts";
import { definition as acp } from "./acp/harness.ts";
import { definition as claudeCode } from "./claude-code/harness.ts";
import { definition as codex } from "./codex/harness.ts";
import { definition as command } from "./command/harness.ts";
import { definition as copilot } from "./copilot/harness.ts";
import type { CliSettings, HarnessDefinition, MachineHarnesses } from "./definition.ts";
import { type CliName, describedHarnesses, descriptions, type HarnessName } from "./descriptions.ts";
import { definition as gemini } from "./gemini/harness.ts";
import { definition as opencode } from "./opencode/harness.ts";
import { definition as pi } from "./pi/harness.ts";
import { createSessions } from "./sessions.ts";

const definitions: Readonly<Record<HarnessName, HarnessDefinition>> = {
  "claude-code": claudeCode,
  codex,
  copilot,
  gemini,
  opencode,
  pi,
  acp,
  command,
};

export type HarnessSettings = Omit<MachineHarnesses, "sessions"> & {
  /** The folder that keeps conversations after their attempt. */
  sessionsDir: string;
};

export function createHarnesses({ sessionsDir, ...settings }: HarnessSettings): Map<string, Harness> {
  const machine = { ...settings, sessions: createSessions(sessionsDir) };
  const all = descriptions.flatMap(({ name }) => definitions[name].create(machine));
  return new Map(all.map((harness) => [harness.name, harness]));
}

/** The harnesses that an environment sets up. Conversations are kept below `dataDir`. */
export function harnessesOf(
  settings: Record<CliName, CliSettings> &
    Pick<HarnessSettings, "acp"> & {
      command: string[];
      repositoryCommands: boolean;
      platforms?: { services: Partial<Record<ModelProvider, unknown>> };
      ownerKeys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    },
  dataDir: string,
): Map<string, Harness> {
  const { command, repositoryCommands, acp: agents, platforms, ownerKeys = {}, ...clis } = settings;
  const harnesses = createHarnesses({
    clis,
    ...(agents === undefined ? {} : { acp: agents }),
    command: { command, repositoryCommands, keys: {} },
    sessionsDir: join(dataDir, "sessions"),
  });
  for (const { name, provider, keys } of describedHarnesses) {
    const harness = harnesses.get(name);
    if (harness === undefined || provider === null) continue;
    const isOffered = platforms?.services[services[provider]] !== undefined;
    const isKeyed = Object.values(ownerKeys).some((own) =>
      [keys?.apiKey, keys?.login].some((one) => one != null && one in own),
    );
    if (isOffered || isKeyed) harnesses.set(name, authenticated(harness));
  }
  return harnesses;
}

/** The proxy has a key of an owner, or logs in to a cloud, so no general key is missing. */
function authenticated(harness: Harness): Harness {
  return {
    ...harness,
    async probe() {
      const found = await harness.probe();
      return { ...found, authenticated: true, advice: found.installed ? null : found.advice };
    },
  };
}
