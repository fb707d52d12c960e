/** A harness: its description, and how to make one from the settings of a machine. */
import type { Harness } from "../../ports/harness.ts";
import type { AcpOptions } from "./acp/options.ts";
import type { CommandHarnessOptions } from "./command/harness.ts";
import type { HarnessDescription } from "./description.ts";
import type { Sessions } from "./sessions.ts";

/** A CLI on this machine, and the access to its service. */
export interface CliSettings {
  binary: string;
  apiKey: string | undefined;
  login?: string | undefined;
  baseUrl: string | undefined;
}

export interface MachineHarnesses {
  /** By the harness's name. A missing one is not on this machine. */
  clis: Readonly<Record<string, CliSettings>>;
  /** Agents of the Agent Client Protocol, by the operator's names for them. */
  acp?: Readonly<Record<string, Omit<AcpOptions, "name">>>;
  /** Null: no program is set, and repositories may not name one. */
  command: CommandHarnessOptions | null;
  sessions: Sessions;
}

export interface HarnessDefinition extends HarnessDescription {
  create(machine: MachineHarnesses): Harness[];
}
