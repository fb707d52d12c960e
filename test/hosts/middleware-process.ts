/** A Node server of somebody else's, with Baton in it. Says `host at <url>`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createProbot } from "probot";
import { createMiddleware } from "../../src/app/probot-app.ts";

const { middleware } = await createMiddleware(createProbot());
const server = createServer((request, response) => {
  void middleware(request, response, () => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(`the host's own ${request.method}; ${process.env["WEBHOOK_SECRET"] === undefined ? "lost" : "kept"}`);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stderr.write(`host at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
