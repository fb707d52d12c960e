/**
 * Another author's Node server with Baton in it. It prints `host at <url>`. With the word `plain`, Probot mounts the
 * application in the usual way.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createNodeMiddleware, createProbot } from "probot";
import baton, { createMiddleware } from "../../src/app/probot-app.ts";

const probot = createProbot();
const middleware =
  process.argv[2] === "plain"
    ? await createNodeMiddleware(baton, { probot, webhooksPath: "/hooks" })
    : (await createMiddleware(probot)).middleware;
const server = createServer((request, response) => {
  void middleware(request, response, () => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(`the host's own ${request.method}; ${process.env["WEBHOOK_SECRET"] === undefined ? "lost" : "kept"}`);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stderr.write(`host at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
