/**
 * The first message of a TLS client, read for the server name that it asks for. Nothing is decrypted.
 *
 * CH1 The number of bytes is bounded. The answer is the same wherever the bytes are cut.
 * CH2 Anything except a well-formed ClientHello with at most one name is refused.
 * Format: https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2 and https://www.rfc-editor.org/rfc/rfc6066#section-3
 */

export type Hello =
  /** Read again once this many bytes have arrived. */
  | { state: "incomplete"; bytesNeeded: number }
  | { state: "refused"; problem: string }
  /** Null: the client names no server. */
  | { state: "read"; serverName: string | null };

/** A ClientHello with post-quantum keys has about 2 KB. */
export const helloBytesMax = 64 * 1024;

const recordOfHandshake = 22;
const clientHello = 1;
const recordBytesMax = 16_384;
const extensionServerName = 0;
/** https://www.rfc-editor.org/rfc/rfc9849: a second, hidden server name. */
const extensionEncryptedHello = 0xfe0d;

const notTls = { state: "refused", problem: "the connection does not begin with TLS" } as const;
const malformed = { state: "refused", problem: "its first TLS message is malformed" } as const;

export function readHello(bytes: Uint8Array): Hello {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const message: number[] = [];
  let at = 0;
  for (;;) {
    if (at < bytes.length && bytes[at] !== recordOfHandshake) return at === 0 ? notTls : malformed;
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return notTls;
    if (at + 5 > bytes.length) return short(bytes, at + 5);
    const length = view.getUint16(at + 3);
    if (length === 0 || length > recordBytesMax) return malformed;
    for (const byte of bytes.subarray(at + 5, at + 5 + length)) message.push(byte);
    if ((message[0] ?? clientHello) !== clientHello) return malformed;
    if (message.length >= 4) {
      const size = ((message[1] ?? 0) << 16) | ((message[2] ?? 0) << 8) | (message[3] ?? 0);
      if (size > helloBytesMax) return malformed;
      // A client does not begin with more than one message in its first records.
      if (message.length > size + 4) return malformed;
      if (message.length === size + 4) return readMessage(Uint8Array.from(message.slice(4)));
    }
    at += 5 + length;
    if (at > bytes.length) return short(bytes, at);
  }
}

function short(bytes: Uint8Array, bytesNeeded: number): Hello {
  return bytes.length >= helloBytesMax ? malformed : { state: "incomplete", bytesNeeded };
}

/** Reads fields that have their length in front. Each step outside the bytes throws. */
class Cursor {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  number(size: number): number {
    return this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  take(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) throw new RangeError("beyond the end");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  /** A field that has its length in front. */
  vector(lengthSize: number): Cursor {
    return new Cursor(this.take(this.number(lengthSize)));
  }

  rest(): Uint8Array {
    return this.take(this.bytes.length - this.at);
  }
}

function readMessage(bytes: Uint8Array): Hello {
  try {
    const body = new Cursor(bytes);
    // Version and random, session, ciphers, compressions.
    body.take(34);
    body.vector(1);
    body.vector(2);
    body.vector(1);
    if (body.done) return { state: "read", serverName: null };
    const extensions = body.vector(2);
    return body.done ? readExtensions(extensions) : malformed;
  } catch {
    return malformed;
  }
}

function readExtensions(extensions: Cursor): Hello {
  const seen = new Set<number>();
  let serverName: string | null = null;
  while (!extensions.done) {
    const type = extensions.number(2);
    const value = extensions.vector(2);
    if (seen.has(type)) return malformed;
    seen.add(type);
    if (type === extensionEncryptedHello)
      return { state: "refused", problem: "it hides a second server name (Encrypted Client Hello)" };
    if (type !== extensionServerName) continue;
    serverName = readServerName(value);
    if (serverName === null) return malformed;
  }
  return { state: "read", serverName };
}

function readServerName(value: Cursor): string | null {
  const names = value.vector(2);
  if (!value.done || names.number(1) !== 0) return null;
  const name = names.vector(2).rest();
  return names.done && name.length > 0 ? Buffer.from(name).toString("latin1") : null;
}
