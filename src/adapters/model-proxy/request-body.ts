/** A request's body as JSON: bounded, and decompressed where the client compressed it. */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { type Fields, fields } from "../model-service/fields.ts";

/** Services accept up to 32 MB. */
const requestBytesMax = 40 * 1024 * 1024;

export type ReadBody = { ok: true; body: Fields; bytes: Buffer } | { ok: false; status: number; message: string };

const unpackers = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const;

export async function readBody(incoming: IncomingMessage): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= requestBytesMax) chunks.push(chunk);
  }
  if (size > requestBytesMax) return { ok: false, status: 413, message: "the request is too large." };
  if (incoming.method === "GET") return { ok: true, body: {}, bytes: Buffer.alloc(0) };
  try {
    const bytes = await unpack(Buffer.concat(chunks), incoming.headers["content-encoding"]);
    return { ok: true, body: fields(JSON.parse(bytes.toString("utf8"))), bytes };
  } catch {
    return { ok: false, status: 400, message: "the request is not JSON." };
  }
}

export async function unpack(bytes: Buffer, encoding: string | undefined): Promise<Buffer> {
  if (encoding === undefined || encoding === "identity") return bytes;
  const unpacker = unpackers[encoding as keyof typeof unpackers];
  return unpacker(bytes, { maxOutputLength: requestBytesMax });
}
