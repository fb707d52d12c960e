/** A port of this machine that a test may listen at later: none of those that the system hands out by itself meanwhile. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Linux hands out 32768 and up, most other systems 49152 and up. */
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
