/**
 * Reads the data of a stream of server-sent events, however its bytes are cut. `eventsource-parser` defines the
 * grammar.
 */
import { createParser, type EventSourceParser } from "eventsource-parser";

/** The last event of one wire contains a whole answer. Baton passes on a longer event without reading it. */
const eventCharactersMax = 32 * 1024 * 1024;

export class EventReader {
  readonly #decoder = new TextDecoder("utf-8");
  readonly #parser: EventSourceParser;
  #isTooLong = false;

  constructor(onData: (data: string) => void) {
    this.#parser = createParser({
      maxBufferSize: eventCharactersMax,
      onEvent: ({ data }) => onData(data),
      onError: ({ type }) => {
        this.#isTooLong ||= type === "max-buffer-size-exceeded";
      },
    });
  }

  take(chunk: Uint8Array): void {
    this.#feed(this.#decoder.decode(chunk, { stream: true }));
  }

  /** A last event without its empty line counts as well. The connection ended, not the event. */
  end(): void {
    this.#feed(`${this.#decoder.decode()}\n\n`);
  }

  #feed(text: string): void {
    this.#parser.feed(text);
    if (!this.#isTooLong) return;
    // The parser drops the rest of this piece. Reading continues at the next line.
    this.#isTooLong = false;
    this.#parser.reset();
  }
}
