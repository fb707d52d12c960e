/** A port of this machine for a later listener: none that the system assigns by itself meanwhile. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Linux assigns 32768 and up, most other systems 49152 and up. */
const [from, to] = [20_000, 32_000];

export async function freePort(): Promise<number> {
  for (;;) {
    const port = from + Math.floor(Math.random() * (to - from));
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await Promise.race([
      once(server, "listening").then(() => true),
      once(server, "error").then(() => false),
    ]);
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
