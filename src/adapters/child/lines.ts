/**
 * Splits bytes into lines. Cuts a line at the limit, replaces invalid UTF-8, and reports a last line without its
 * newline.
 */

/** The parser gets a longer line cut. The transcript cuts earlier. Results that contain whole files fit. */
const lineCharactersMax = 4 * 1024 * 1024;

export class LineCutter {
  readonly #emit: (line: string) => void;
  readonly #decoder = new TextDecoder();
  /** Pieces of the unfinished line. They are joined once, so a long line costs no more than its length. */
  #pieces: string[] = [];
  #length = 0;
  #skipping = false;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    const parts = this.#decoder.decode(chunk, { stream: true }).split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
      this.#add(part);
      this.#flush();
      this.#skipping = false;
    }
    this.#add(rest);
  }

  end(): void {
    this.#add(this.#decoder.decode());
    if (this.#length > 0) this.#flush();
  }

  #add(piece: string): void {
    if (this.#skipping) return;
    this.#pieces.push(piece.slice(0, lineCharactersMax - this.#length));
    this.#length += piece.length;
    if (this.#length < lineCharactersMax) return;
    this.#flush();
    this.#skipping = true;
  }

  #flush(): void {
    if (this.#skipping) return;
    this.#emit(this.#pieces.join("").replace(/\r$/, ""));
    this.#pieces = [];
    this.#length = 0;
  }
}
