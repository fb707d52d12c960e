/**
 * May a run in flight go on with another version of its process (PROC-003)?
 *
 * Owns: the check, and the event. Does not own: where the other version is found, appending.
 * M1 The new version, told everything that happened, asks for exactly what the journal holds. It may ask for more only where
 *    the journal ends. Otherwise nothing is changed.
 * M2 The answer holds for the journal that was read: an event that comes in between asks again.
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
  /** Keys of what the new version asks for at once. */
  asks: string[];
  /** M2: to be decided on the state that the change is made to. */
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

/** For people: a process that is a text is known by its text. */
function versionName({ name, version, source }: Pick<RunState["process"], "name" | "version" | "source">): string {
  return source === undefined ? `${name} v${version}` : `${name} v${version} (text ${source.hash.slice(0, 7)})`;
}

function refused(message: string, details?: Record<string, string>): BatonError {
  return new BatonError("BATON_MIGRATION_REFUSED", message, details === undefined ? {} : { details });
}
