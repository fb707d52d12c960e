/**
 * The definition that a run continues with: registered code of its version, or the texts in its journal.
 *
 * DF1 A run of a text never reads a branch again by itself, not even after a crash or for a child. A person may change
 *     that (`/baton migrate`).
 * DF2 The run continues only if the language of such texts still means the same as when the run began.
 */
import { BatonError, hasCode } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { ProcessDefinition, ProcessRegistry } from "../process/process.ts";
import { compileSource, languageVersion } from "../workflow/compile.ts";

export function definitionOf(processes: ProcessRegistry, { process }: Pick<RunState, "process">): ProcessDefinition {
  const { name, version, source } = process;
  if (source === undefined) return processes.exact(name, version);
  if (version !== languageVersion)
    throw new BatonError(
      "BATON_PROCESS_UNKNOWN",
      `The run began when YAML processes had language version ${version}; this Baton has ${languageVersion}, in which \`${source.path}\` (text ${source.hash.slice(0, 7)}) may mean something else.`,
    );
  try {
    return compileSource(name, source);
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_INPUT_INVALID")) throw thrown;
    throw new BatonError(
      "BATON_PROCESS_UNKNOWN",
      `The run began with a form of \`${source.path}\` that this Baton does not read: ${thrown instanceof Error ? thrown.message : ""}`,
      { cause: thrown },
    );
  }
}

/** The process that a run's `subprocess` names: registered, or one of the texts that the run began with. */
export function childDefinition(
  processes: ProcessRegistry,
  { process }: Pick<RunState, "process">,
  name: string,
): ProcessDefinition {
  const uses = process.source?.uses ?? [];
  const own = processes.names().includes(name) ? undefined : uses.find((one) => one.name === name);
  if (own === undefined) return processes.latest(name);
  const { path, hash, text } = own;
  return compileSource(name, { path, hash, text, uses });
}
