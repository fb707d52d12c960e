/**
 * Decides whether a run in flight may continue with another version of its process (PROC-003).
 *
 * Owns: the check, and the event. Does not own: finding the other version, appending.
 * M1 The new version, replayed with all events, asks for exactly the journal's requests. It may ask for more only at
 *    the end of the journal. Otherwise nothing changes.
 * M2 The answer holds for the journal that was read. A new event requires a new check.
 */
import { isOver } from "../core/decide.ts";
import { BatonError, hasCode, isBatonError } from "../core/errors.ts";
import type { RunEvent, StoredEvent } from "../core/event.ts";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { Actor } from "../core/vocabulary.ts";
import type { ProcessDefinition } from "./process.ts";
import { replay } from "./replay.ts";

export interface Migration {
  from: string;
  to: string;
  /** Keys of the effects that the new version requests at once. */
  asks: string[];
  /** M2: the decision belongs to the state that the change applies to. */
  decide(state: RunState, by: Actor): RunEvent[];
}

export async function checkMigration(
  definition: ProcessDefinition,
  events: readonly StoredEvent[],
  settle: () => Promise<void>,
): Promise<Migration> {
  const state = fold(events);
  const [from, to] = [versionName(state.process), versionName(definition)];
  if (isOver(state)) throw refused(`The run is ${state.status}, so there is nothing to migrate.`);
  if (from === to) throw refused(`The run is at ${to} already: there is no newer version.`);
  const input = definition.input.safeParse(state.input);
  if (!input.success) throw refused(`${to} does not take the input of the run: ${input.error.message}`);
  const replayed = await replay(definition, events, settle).catch((thrown: unknown) => {
    if (!isBatonError(thrown) || !hasCode(thrown, "BATON_DIVERGENCE")) throw thrown;
    throw refused(`${to} asks for something else than ${from} did. ${thrown.message}`, thrown.details);
  });
  const { end, requests } = replayed.turn;
  if (end !== null && !end.ok) throw refused(`${to} fails where the run is now: ${end.error.message}`);
  return {
    from,
    to,
    asks: requests.map(({ key }) => key),
    decide(now, by) {
      if (now.position !== state.position)
        throw new BatonError("BATON_JOURNAL_CONFLICT", `${state.runId} went on while its migration was checked.`);
      const { name, version, stages, source } = definition;
      const process = { name, version, stages, ...(source === undefined ? {} : { source }) };
      return [{ type: "run.migrated", by, process }];
    },
  };
}

/** For people: a process defined by a text is identified by its text. */
function versionName({ name, version, source }: Pick<RunState["process"], "name" | "version" | "source">): string {
  return source === undefined ? `${name} v${version}` : `${name} v${version} (text ${source.hash.slice(0, 7)})`;
}

function refused(message: string, details?: Record<string, string>): BatonError {
  return new BatonError("BATON_MIGRATION_REFUSED", message, details === undefined ? {} : { details });
}
