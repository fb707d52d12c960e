/**
 * The present activity of an attempt's agent: its last words, its last tool, its task list, its turns.
 *
 * Owns: the parts of the stream to keep, so that an attempt that ends early leaves them (SUBOBS-004). Does not own:
 * tokens and money (`meter.ts`), when to report.
 * AC1 The kept part is always bounded, and redacted before it leaves this module.
 */
import type { PartialWork } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import type { HarnessEvent } from "../../ports/harness.ts";

const noteCharactersMax = 160;
/** Tools that agents use to keep their plan, by all names of their CLIs. */
const planTool = /todo|plan|checklist/i;

export class Activity {
  readonly #redact: (text: string) => string;
  #text = "";
  #todo = "";
  #lastAction = "";
  #turns = 0;
  #requests = 0;
  /** True if the next text or tool call belongs to a new answer of the model. */
  #asks = true;

  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** The news for people. null: no news. */
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

  /** Model requests that the proxy counted: it sees every turn. */
  counted(requests: number): void {
    this.#requests = Math.max(this.#requests, requests);
  }

  get note(): string {
    return this.#lastAction === "" ? "working" : this.#lastAction;
  }

  get turns(): number {
    return Math.max(this.#turns, this.#requests);
  }

  /** The partial work if the attempt ended now. `textCharactersMax` asks for a shorter text. */
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
    // One line, because it appears in tables and next to a time.
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

/** The end of a text, which says most about the progress. */
function tail(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const from = text.length - charactersMax + 1;
  // Never cuts between the two halves of a character.
  const half = /[\uDC00-\uDFFF]/.test(text[from] ?? "") ? 1 : 0;
  return `…${text.slice(from + half)}`;
}
