/** A door that checks the signature, keeps nothing and answers: the cost of this machine and the sender alone. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const secret = process.argv[2] ?? "";
const server = createServer((request, response) => {
  const mac = createHmac("sha256", secret);
  request.on("data", (chunk: Buffer) => mac.update(chunk));
  request.on("end", () => {
    const expected = Buffer.from(`sha256=${mac.digest("hex")}`);
    const given = Buffer.from(String(request.headers["x-hub-signature-256"]));
    response.writeHead(given.length === expected.length && timingSafeEqual(given, expected) ? 202 : 401);
    response.end("{}");
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.((server.address() as AddressInfo).port);
