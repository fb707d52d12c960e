/**
 * What the agent of one attempt is at: its last words, its last tool, its list of things to do, its turns.
 *
 * Owns: what of the stream is kept while it runs, so that an attempt that ends early leaves it (SUBOBS-004). Does not own: tokens
 * and money (`meter.ts`), when it is told.
 * AC1 Bounded whatever streams in, and redacted before it is handed out.
 */
import type { PartialWork } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import type { HarnessEvent } from "../../ports/harness.ts";

const noteCharactersMax = 160;
/** Tools by which agents keep their plan, whatever their CLI calls them. */
const planTool = /todo|plan|checklist/i;

export class Activity {
  readonly #redact: (text: string) => string;
  #text = "";
  #todo = "";
  #lastAction = "";
  #turns = 0;
  #requests = 0;
  /** True where the next word or tool call is a new answer of the model. */
  #asks = true;

  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** What to tell people now; null: no news. */
  take(event: HarnessEvent): string | null {
    switch (event.type) {
      case "text":
        this.#answer();
        if (event.text.trim() === "") return null;
        this.#text = tail(
          `${this.#text}${this.#text === "" ? "" : "\n\n"}${event.text.trim()}`,
          limits.partialTextCharactersMax,
        );
        return this.#act(event.text.trim().split("\n", 1)[0] ?? "");
      case "tool":
        if (planTool.test(event.name) && event.detail !== "")
          this.#todo = event.detail.slice(0, limits.partialTodoCharactersMax);
        if (event.state !== "started") {
          this.#asks = true;
          return null;
        }
        this.#answer();
        if (planTool.test(event.name) && event.detail !== "")
          this.#todo = event.detail.slice(0, limits.partialTodoCharactersMax);
        return this.#act(`${event.name} ${event.detail}`);
      case "retry":
        return `The model's service answered ${event.status ?? "nothing"}; try ${event.attempt}`;
      case "usage":
        return this.#lastAction === "" ? "working" : this.#lastAction;
      case "session":
      case "warning":
        return null;
    }
  }

  /** Questions to models that the proxy counted: it sees every turn. */
  counted(requests: number): void {
    this.#requests = Math.max(this.#requests, requests);
  }

  get note(): string {
    return this.#lastAction === "" ? "working" : this.#lastAction;
  }

  get turns(): number {
    return Math.max(this.#turns, this.#requests);
  }

  /** What it leaves if it ended now; `textCharactersMax` where less is enough. */
  partial(textCharactersMax: number = limits.partialTextCharactersMax): PartialWork {
    const said = { text: this.#text, todo: this.#todo, lastAction: this.#lastAction, turns: this.turns };
    const redacted = redactedPartial(said, this.#redact);
    return { ...redacted, text: tail(redacted.text, textCharactersMax) };
  }

  #answer(): void {
    if (this.#asks) this.#turns += 1;
    this.#asks = false;
  }

  #act(what: string): string {
    // One line: it stands in tables and beside a clock.
    this.#lastAction = what.replaceAll(/\s+/g, " ").trim().slice(0, noteCharactersMax);
    return this.#lastAction;
  }
}

export function redactedPartial(partial: PartialWork, redact: (text: string) => string): PartialWork {
  return {
    text: redact(partial.text),
    todo: redact(partial.todo),
    lastAction: redact(partial.lastAction),
    turns: partial.turns,
  };
}

/** The end of a text: what came last says most of how far it got. */
function tail(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const from = text.length - charactersMax + 1;
  // Not within a character of two halves.
  const half = /[\uDC00-\uDFFF]/.test(text[from] ?? "") ? 1 : 0;
  return `…${text.slice(from + half)}`;
}
