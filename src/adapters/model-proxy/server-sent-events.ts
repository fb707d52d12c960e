/** Reads the data of a stream of server-sent events, however its bytes are cut. */

/** A whole answer comes in the last event of one wire; more than this in one event is not read, only passed on. */
const eventCharactersMax = 32 * 1024 * 1024;

export class EventReader {
  readonly #decoder = new TextDecoder("utf-8");
  readonly #onData: (data: string) => void;
  #line = "";
  #data: string[] = [];
  #characters = 0;
  #afterReturn = false;
  #tooLong = false;

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  take(chunk: Uint8Array): void {
    this.#text(this.#decoder.decode(chunk, { stream: true }));
  }

  /** A last event without its empty line counts as well: the connection ended, not the event. */
  end(): void {
    this.#text(this.#decoder.decode());
    if (this.#line !== "") this.#endLine();
    this.#dispatch();
  }

  #text(text: string): void {
    let from = 0;
    // A return at the end of one piece and a line feed at the beginning of the next are one end of line.
    if (this.#afterReturn && text.startsWith("\n")) from = 1;
    if (text !== "") this.#afterReturn = text.endsWith("\r");
    const ends = /\r\n|\r|\n/g;
    ends.lastIndex = from;
    for (let match = ends.exec(text); match !== null; match = ends.exec(text)) {
      this.#add(text.slice(from, match.index));
      this.#endLine();
      from = ends.lastIndex;
    }
    this.#add(text.slice(from));
  }

  #add(piece: string): void {
    this.#characters += piece.length;
    if (this.#characters > eventCharactersMax) {
      this.#tooLong = true;
      this.#line = "";
      this.#data = [];
      return;
    }
    this.#line += piece;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    if (line === "") return this.#dispatch();
    if (line.startsWith("data:")) this.#data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
  }

  #dispatch(): void {
    const data = this.#data;
    const read = data.length > 0 && !this.#tooLong;
    this.#data = [];
    this.#characters = 0;
    this.#tooLong = false;
    if (read) this.#onData(data.join("\n"));
  }
}
