/** Reads an answer's usage from the bytes that pass by: events or JSON, plain or compressed, whole or cut. */
import type { IncomingHttpHeaders } from "node:http";
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { fields } from "../model-service/fields.ts";
import { EventReader } from "./server-sent-events.ts";
import { newReading, type Reading, type Wire } from "./wire.ts";

/** An answer without streaming is read whole. */
const answerBytesMax = 64 * 1024 * 1024;

type Decoder = ReturnType<typeof createGunzip>;

export class AnswerMeter {
  readonly reading: Reading = newReading();
  readonly #wire: Wire;
  readonly #onReading: (reading: Reading) => void;
  readonly #events: EventReader | null;
  readonly #decoder: Decoder | null;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Calls `onReading` whenever more is known. */
  constructor(wire: Wire, headers: IncomingHttpHeaders, onReading: (reading: Reading) => void = () => {}) {
    this.#wire = wire;
    this.#onReading = onReading;
    const streams = (headers["content-type"] ?? "").includes("event-stream");
    this.#events = streams ? new EventReader((data) => this.#message(data)) : null;
    this.#decoder = decoderOf(headers["content-encoding"]);
    this.#decoder?.on("data", (chunk: Uint8Array) => this.#plain(chunk));
    // Baton passes on bytes that do not match the header. It cannot read them.
    this.#decoder?.on("error", () => {});
  }

  take(chunk: Uint8Array): void {
    if (this.#decoder === null) this.#plain(chunk);
    else if (this.#decoder.writable) this.#decoder.write(chunk);
  }

  /** Resolves with everything that could be read, even when the answer was cut. */
  async end(): Promise<Reading> {
    const decoder = this.#decoder;
    if (decoder !== null && !decoder.destroyed && !decoder.errored) {
      await new Promise<void>((resolve) => {
        decoder.once("close", resolve);
        decoder.end();
      });
    }
    if (this.#events !== null) this.#events.end();
    else if (this.#bytes <= answerBytesMax) this.#message(Buffer.concat(this.#chunks).toString("utf8"));
    this.#chunks = [];
    return this.reading;
  }

  #plain(chunk: Uint8Array): void {
    if (this.#events !== null) return this.#events.take(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes <= answerBytesMax) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  #message(data: string): void {
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      // `[DONE]`, half an answer, or nothing of this wire.
      return;
    }
    // Gemini streams without events as one list.
    for (const message of Array.isArray(value) ? value : [value]) this.#wire.read(fields(message), this.reading);
    this.#onReading(this.reading);
  }
}

function decoderOf(encoding: string | undefined): Decoder | null {
  // A cut stream gives the bytes that it had.
  const cut = { finishFlush: constants.Z_SYNC_FLUSH };
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip(cut);
    case "deflate":
      return createInflate(cut);
    case "br":
      return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
    default:
      return null;
  }
}
