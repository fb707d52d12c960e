/** Deliveries that no state of Baton can make matter: most of the traffic of a busy organization. */
import { commands } from "../commands/index.ts";
import { isTalk } from "../thread/parse-command.ts";
import { toTriggerEvent } from "../trigger/event.ts";
import { toThreadEvent } from "./events.ts";
import { noteOf } from "./outcome.ts";

/** GitHub waits for the answer, so Baton reads no long text before it. */
const talkCharactersMax = 4_096;

/** The note of such a delivery, as its handler would write it. null: the handler decides. */
export function cannotMatter(event: string, payload: unknown, guid: string): string | null {
  if (toTriggerEvent(event, payload, guid) !== null) return null;
  const meaning = toThreadEvent(event, payload);
  if (meaning.kind === "ignored") return noteOf(meaning);
  const isShort = meaning.kind === "comment" && meaning.body.length <= talkCharactersMax;
  return isShort && isTalk(meaning.body, commands) ? noteOf({ kind: "ignored", reason: "no command" }) : null;
}
