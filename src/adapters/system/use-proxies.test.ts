/** Requests and git go through the proxy that the environment names, and past it where it says so. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { git } from "../workspace/git-command.ts";
import { useProxies } from "./use-proxies.ts";

const asked: string[] = [];
const proxy = createServer((request, response) => {
  asked.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
  response.writeHead(404).end("nothing here");
});

afterEach(() => {
  asked.length = 0;
  useProxies({});
});

it("fetch and git ask the proxy, with its password, and reach this machine without it", async () => {
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const address = `http://me:secret@127.0.0.1:${port}`;
  const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
  try {
    expect(useProxies({ HTTP_PROXY: address, NO_PROXY: "direct.test" })).toBeNull();
    await fetch("http://github.test/api/v3/app");
    expect(asked).toEqual([`GET http://github.test/api/v3/app ${basic}`]);

    const url = "http://github.test/acme/shop.git";
    await expect(git(["ls-remote", url], { url, token: "t" })).rejects.toThrow(/not found/i);
    expect(asked.at(-1)).toContain(`GET ${url}/info/refs?service=git-upload-pack`);

    const before = asked.length;
    await fetch(`http://127.0.0.1:${port}/ping`);
    expect(asked.at(-1)).toBe("GET /ping");
    const direct = "http://direct.test/acme/shop.git";
    await expect(git(["ls-remote", direct], { url: direct, token: "t" })).rejects.toThrow(/resolve/i);
    expect(asked).toHaveLength(before + 1);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
