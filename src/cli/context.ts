/** What a command of the command line gets: the outside, so that tests hand in their own. */
import type { Command } from "commander";

export interface CliContext {
  environment: Record<string, string | undefined>;
  /** Where the person stands. */
  directory: string;
  /** A line of the answer, on standard output. */
  print(text: string): void;
  /** What is not the answer, on standard error. */
  note(text: string): void;
  /** The day, YYYY-MM-DD in UTC; absent: by the machine's clock. */
  today?(): string;
  /** Says how it ended where nothing failed, but the answer is no (`exit.ts`). */
  exit(code: number): void;
}

/** Adds one command to the program. */
export type CliCommand = (program: Command, context: CliContext) => void;

/** The group `baton <name> …`, made by whoever comes first. */
export function group(program: Command, name: string, summary: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(summary);
}

export const jsonOption = ["--json", "Print JSON instead of text."] as const;

export const repositoryOption = [
  "--repository <owner/name>",
  "The repository of the schedule, where several have one of this name.",
] as const;

export const gitOption = [
  "--git <repository>",
  "Read what Actions mode keeps in a repository's git: of this address, or of what this clone comes from. With GITHUB_TOKEN where it needs one.",
] as const;
