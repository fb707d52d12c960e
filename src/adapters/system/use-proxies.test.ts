/** Requests and git use the environment's proxy, and bypass it where the environment says so. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it } from "vitest";
import { git } from "../workspace/git-command.ts";
import { useProxies } from "./use-proxies.ts";

const credentials = `Basic ${Buffer.from("me:secret").toString("base64")}`;

/** A proxy with a password. It also answers for every site behind it, always with "not found". */
async function startProxy(asked: string[]) {
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const isProxied = request.url?.startsWith("http://") === true;
    if (isProxied && request.headers["proxy-authorization"] !== credentials)
      response.writeHead(407, { "proxy-authenticate": "Basic" }).end();
    else response.writeHead(404).end();
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  proxy.on("connect", ({ url, headers }, socket) => {
    asked.push(`CONNECT ${url} ${headers["proxy-authorization"] === credentials ? "with" : "without"} the password`);
    const site = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      site.pipe(socket).pipe(site);
    });
    for (const end of [site, socket]) end.on("error", () => {});
  });
  return {
    port,
    async close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

it("fetch and git ask the proxy, with its password, and reach this machine and NO_PROXY without it", async () => {
  const asked: string[] = [];
  const { port, close } = await startProxy(asked);
  try {
    expect(useProxies({ HTTP_PROXY: `http://me:secret@127.0.0.1:${port}`, NO_PROXY: "direct.test" })).toBeNull();
    expect((await fetch("http://github.test/api/v3/app")).status).toBe(404);
    expect(asked.splice(0)).toEqual(["CONNECT github.test:80 with the password", "GET /api/v3/app"]);

    const url = "http://github.test/acme/shop.git";
    await expect(git(["ls-remote", url], { url, token: "t" })).rejects.toThrow(/not found/i);
    const wanted = `GET ${url}/info/refs?service=git-upload-pack`;
    expect(asked.splice(0)).toEqual([wanted, wanted]);

    expect((await fetch(`http://127.0.0.1:${port}/ping`)).status).toBe(404);
    expect(asked.splice(0)).toEqual(["GET /ping"]);
    const direct = "http://direct.test/acme/shop.git";
    await expect(git(["ls-remote", direct], { url: direct, token: "t" })).rejects.toThrow(/resolve/i);
    expect(asked).toEqual([]);
  } finally {
    useProxies({});
    await close();
  }
});
