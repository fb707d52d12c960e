/** The inputs of a command of the command line. Everything outside comes in here, so tests can replace it. */
import type { Command } from "commander";

export interface CliContext {
  environment: Record<string, string | undefined>;
  /** The person's current directory. */
  directory: string;
  /** A line of the answer, on standard output. */
  print(text: string): void;
  /** Prints a text that is not the answer, on standard error. */
  note(text: string): void;
  /** The day, YYYY-MM-DD in UTC. Absent: by the machine's clock. */
  today?(): string;
  /** Sets the exit code if nothing failed but the answer is no (`exit.ts`). */
  exit(code: number): void;
}

/** Adds one command to the program. */
export type CliCommand = (program: Command, context: CliContext) => void;

/** The group `baton <name> …`. The first caller creates it. */
export function group(program: Command, name: string, summary: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(summary);
}

export const jsonOption = ["--json", "Print JSON instead of text."] as const;

export const repositoryOption = [
  "--repository <owner/name>",
  "The repository of the schedule, where several have one of this name.",
] as const;

/** Commands that ask another machine's Baton with `--server`. */
export const serverCommands: readonly string[] = [
  "run start",
  "run list",
  "run show",
  "run diff",
  "run cancel",
  "run retry",
  "run erase",
  "journal cat",
  "transcript",
  "prompt inspect",
  "schedule list",
  "schedule run",
  "schedule pause",
  "schedule resume",
];

export const serverOption = [
  "--server <url>",
  "Ask the Baton at this address over its HTTP API, with the token in BATON_TOKEN. BATON_SERVER is the same.",
] as const;

export const gitOption = [
  "--git <repository>",
  "Read the state that Actions mode keeps in a repository's git. Name its address, or a clone. Private repositories need GITHUB_TOKEN.",
] as const;
