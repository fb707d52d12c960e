/** Deliveries that no state of Baton can make matter: most of the traffic of a busy organization. */
import { toTriggerEvent } from "../trigger/event.ts";
import { toThreadEvent } from "./events.ts";
import { noteOf } from "./outcome.ts";

/** The note of such a delivery, as its handler would write it. null: the handler decides. */
export function cannotMatter(event: string, payload: unknown, guid: string): string | null {
  const meaning = toThreadEvent(event, payload);
  if (meaning.kind !== "ignored" || toTriggerEvent(event, payload, guid) !== null) return null;
  return noteOf(meaning);
}
