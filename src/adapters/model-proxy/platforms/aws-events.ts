/**
 * AWS's binary event stream: frames with headers, a payload and two checksums.
 * https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
 *
 * AE1 A frame with a wrong checksum or length ends the reading with an error. Nothing of it is passed on.
 */
import { crc32 } from "node:zlib";

export interface AwsEvent {
  headers: Readonly<Record<string, string>>;
  payload: Buffer;
}

const frameBytesMax = 32 * 1024 * 1024;
/** Bytes of a header's value by its type. null: a length comes first. */
const valueBytes: Readonly<Record<number, number | null>> = {
  0: 0,
  1: 0,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: null,
  7: null,
  8: 8,
  9: 16,
};

export async function* awsEvents(stream: AsyncIterable<Buffer>): AsyncGenerator<AwsEvent> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 12) break;
      const length = rest.readUInt32BE(0);
      if (length < 16 || length > frameBytesMax || crc32(rest.subarray(0, 8)) !== rest.readUInt32BE(8))
        throw new Error("The event stream is broken.");
      if (rest.length < length) break;
      yield eventOf(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  }
  if (rest.length > 0) throw new Error("The event stream ended within a frame.");
}

function eventOf(frame: Buffer): AwsEvent {
  if (crc32(frame.subarray(0, -4)) !== frame.readUInt32BE(frame.length - 4))
    throw new Error("The event stream is broken.");
  const end = 12 + frame.readUInt32BE(4);
  if (end > frame.length - 4) throw new Error("The event stream is broken.");
  const headers: Record<string, string> = {};
  for (let at = 12; at < end; ) {
    const nameEnd = at + 1 + frame.readUInt8(at);
    const name = frame.toString("utf8", at + 1, nameEnd);
    const type = frame.readUInt8(nameEnd);
    const bytes = valueBytes[type];
    if (bytes === undefined) throw new Error("The event stream is broken.");
    const from = nameEnd + 1 + (bytes === null ? 2 : 0);
    const until = from + (bytes ?? frame.readUInt16BE(nameEnd + 1));
    if (until > end) throw new Error("The event stream is broken.");
    if (type === 7) headers[name] = frame.toString("utf8", from, until);
    at = until;
  }
  return { headers, payload: frame.subarray(end, -4) };
}
