import { Duplex } from "node:stream";
import { type ConnectionOptions, connect } from "node:tls";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readHello } from "./client-hello.ts";

/** The first message of Node's own TLS client. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const first = Promise.withResolvers<Buffer>();
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      first.resolve(chunk);
      done();
    },
  });
  const secure = connect({ ...options, socket: wire });
  secure.on("error", () => {});
  const bytes = await first.promise;
  secure.destroy();
  return bytes;
}

/** The same message, cut into records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 5; at < hello.length; at += size) {
    const part = hello.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

const vector = (lengthSize: number, bytes: Buffer): Buffer => {
  const length = Buffer.alloc(lengthSize);
  length.writeUIntBE(bytes.length, 0, lengthSize);
  return Buffer.concat([length, bytes]);
};
const extension = (type: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, value)]);
const serverName = (...names: string[]): Buffer =>
  extension(
    0,
    vector(2, Buffer.concat(names.map((name) => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))])))),
  );

function written(...extensions: Buffer[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 1),
    vector(1, Buffer.alloc(0)),
    vector(2, Buffer.from([0x13, 1])),
    vector(1, Buffer.from([0])),
    vector(2, Buffer.concat(extensions)),
  ]);
  const message = Buffer.concat([Buffer.from([1]), vector(3, body)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), vector(2, message)]);
}

describe("a real client's first message", () => {
  test("is read with and without a name", async () => {
    expect(readHello(await helloOf({ servername: "registry.test" }))).toEqual({
      state: "read",
      serverName: "registry.test",
    });
    expect(readHello(await helloOf({}))).toEqual({ state: "read", serverName: null });
  });

  test("gives the same answer wherever it is cut", async () => {
    const hello = await helloOf({ servername: "registry.test" });
    for (let length = 0; length < hello.length; length++) {
      const part = readHello(hello.subarray(0, length));
      expect(part.state).toBe("incomplete");
      if (part.state === "incomplete") expect(part.bytesNeeded).toBeLessThanOrEqual(hello.length);
    }
    for (const size of [1, 2, 5, 7, 64, hello.length])
      expect(readHello(inRecords(hello, size))).toEqual({ state: "read", serverName: "registry.test" });
  });

  test("changed at random, it never gives another name by a fault of the reader", async () => {
    const hello = await helloOf({ servername: "registry.test" });
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(hello);
        changed[at] = value;
        const read = readHello(changed);
        const name = changed.indexOf("registry.test");
        if (read.state === "read" && name > 0) expect([null, "registry.test"]).toContain(read.serverName);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("refused", () => {
  test.each([
    ["two names", written(serverName("registry.test", "evil.test"))],
    ["two name extensions", written(serverName("registry.test"), serverName("evil.test"))],
    ["an empty name", written(serverName(""))],
    ["no name in the extension", written(extension(0, Buffer.alloc(0)))],
    ["a name of another type", written(extension(0, vector(2, Buffer.from([1, 0, 1, 97]))))],
    [
      "bytes after the name",
      written(extension(0, Buffer.concat([vector(2, Buffer.from([0, 0, 1, 97])), Buffer.from([0])]))),
    ],
    ["a hidden second hello", written(serverName("registry.test"), extension(0xfe0d, Buffer.alloc(8)))],
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n")],
    ["SSH", Buffer.from("SSH-2.0-OpenSSH\r\n")],
    ["SSL 2", Buffer.from([0x80, 0x2e, 1, 0, 2])],
    ["an alert", Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ["a server's message", Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ["a record too long", Buffer.from([22, 3, 1, 0xff, 0xff])],
    ["an empty record", Buffer.from([22, 3, 1, 0, 0])],
    ["a message too long", Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])],
    [
      "a second message behind it",
      Buffer.concat([
        Buffer.from([22, 3, 1]),
        vector(2, Buffer.concat([written().subarray(5), Buffer.from([1, 0, 0, 0])])),
      ]),
    ],
    [
      "another record inside",
      Buffer.concat([inRecords(written(), 20).subarray(0, 25), Buffer.from([23, 3, 3, 0, 1, 0])]),
    ],
  ])("%s", (_, bytes) => {
    expect(readHello(bytes).state).toBe("refused");
  });

  test("more than 64 KB without a whole message", () => {
    const record = Buffer.concat([Buffer.from([22, 3, 1]), vector(2, Buffer.alloc(1, 1))]);
    const many = Buffer.concat([
      record,
      ...Array<Buffer>(12_000).fill(Buffer.concat([Buffer.from([22, 3, 1]), vector(2, Buffer.alloc(1))])),
    ]);
    expect(readHello(many).state).toBe("refused");
    const slow = Buffer.concat([
      Buffer.from([22, 3, 1]),
      vector(2, Buffer.concat([Buffer.from([1, 0, 0xff, 0]), Buffer.alloc(16_000)])),
    ]);
    expect(readHello(slow).state).toBe("incomplete");
  });

  test("random bytes never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, framed) => {
        const input = framed
          ? Buffer.concat([
              Buffer.from([22, 3, 1]),
              vector(2, Buffer.concat([Buffer.from([1]), vector(3, Buffer.from(bytes))])),
            ])
          : bytes;
        expect(["read", "incomplete", "refused"]).toContain(readHello(input).state);
      }),
    );
  });
});
