import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerMeter } from "./answer-meter.ts";
import { EventReader } from "./server-sent-events.ts";
import { anthropicMessages } from "./wires/anthropic-messages.ts";

function split(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const cuts = fc.array(fc.nat(), { maxLength: 40 });
const endOfLine = fc.constantFrom("\n", "\r\n", "\r");

describe("events of a stream", () => {
  it("are the same however the bytes are cut, whatever ends a line, also inside of a letter", () => {
    const data = fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, " "));
    fc.assert(
      fc.property(fc.array(data, { maxLength: 8 }), endOfLine, cuts, fc.boolean(), (texts, end, at, whole) => {
        const stream = texts.map((text) => `event: x${end}data: ${text}${end}${end}`).join("");
        const bytes = Buffer.from(whole ? stream : stream.replace(/[\r\n]+$/, ""));
        const seen: string[] = [];
        const reader = new EventReader((one) => seen.push(one));
        for (const piece of split(bytes, at)) reader.take(piece);
        reader.end();
        expect(seen).toEqual(texts);
      }),
    );
  });

  it("lines of data of one event belong together; comments and other fields do not count", () => {
    const seen: string[] = [];
    const reader = new EventReader((one) => seen.push(one));
    reader.take(Buffer.from(": hello\nid: 1\ndata: a\ndata:b\n\n\n\ndata: c\n\n"));
    reader.end();
    expect(seen).toEqual(["a\nb", "c"]);
  });

  it("an event without end takes no memory and does not hide the next", () => {
    const seen: string[] = [];
    const reader = new EventReader((one) => seen.push(one));
    reader.take(Buffer.from("data: "));
    const piece = Buffer.alloc(1024 * 1024, "x");
    for (let megabyte = 0; megabyte < 40; megabyte += 1) reader.take(piece);
    reader.take(Buffer.from("\n\ndata: next\n\n"));
    expect(seen).toEqual(["next"]);
  });
});

describe("metering", () => {
  const count = fc.integer({ min: 0, max: 1_000_000 });
  it("is the same for any split of the bytes, plain or compressed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ input: count, output: count, cacheRead: count, cacheWrite: count }),
        fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 5 }),
        endOfLine,
        cuts,
        fc.boolean(),
        async (tokens, texts, end, at, packed) => {
          const events = [
            {
              type: "message_start",
              message: {
                model: "m",
                usage: {
                  input_tokens: tokens.input,
                  output_tokens: 0,
                  cache_read_input_tokens: tokens.cacheRead,
                  cache_creation_input_tokens: tokens.cacheWrite,
                },
              },
            },
            ...texts.map((text) => ({ type: "content_block_delta", delta: { text } })),
            { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: tokens.output } },
          ];
          const plain = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}${end}${end}`).join(""));
          const meter = new AnswerMeter(anthropicMessages, {
            "content-type": "text/event-stream; charset=utf-8",
            ...(packed ? { "content-encoding": "gzip" } : {}),
          });
          for (const piece of split(packed ? gzipSync(plain) : plain, at)) meter.take(piece);
          expect(await meter.end()).toEqual({ model: "m", tokens, final: true, characters: texts.join("").length });
        },
      ),
    );
  });
});
