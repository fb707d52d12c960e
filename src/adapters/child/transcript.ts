/** Keeps the first half and the last half within its limit. */
import { limits } from "../../core/limits.ts";

export class Transcript {
  #head = "";
  #tail: string[] = [];
  #tailLength = 0;
  #dropped = 0;
  #cut = false;
  readonly #half = limits.transcriptBytesMax / 2;

  add(whole: string): void {
    const line = whole.slice(0, limits.transcriptLineBytesMax);
    if (line.length < whole.length) this.#cut = true;
    if (this.#head.length + line.length < this.#half && this.#tail.length === 0) {
      this.#head += `${line}\n`;
      return;
    }
    this.#tail.push(line);
    this.#tailLength += line.length + 1;
    while (this.#tailLength > this.#half && this.#tail.length > 1) {
      const gone = this.#tail.shift() ?? "";
      this.#tailLength -= gone.length + 1;
      this.#dropped += 1;
    }
  }

  end(): { transcript: string; transcriptTruncated: boolean } {
    const note = this.#dropped > 0 ? `… (${this.#dropped} lines left out)\n` : "";
    return {
      transcript: this.#head + note + this.#tail.join("\n"),
      transcriptTruncated: this.#cut || this.#dropped > 0,
    };
  }
}
