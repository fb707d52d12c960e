import { describe, expect, it } from "vitest";
import { proxyFor, proxySecrets, readProxies } from "./proxies.ts";

const proxy = "http://proxy.acme.test:3128";
const through = (url: string, direct = ""): string | null =>
  proxyFor(url, readProxies({ HTTPS_PROXY: proxy, http_proxy: "http://plain.acme.test", NO_PROXY: direct }));

describe("which proxy an address is reached through", () => {
  it.each<[string, string, string | null]>([
    ["https://api.github.com/repos", "", proxy],
    ["http://git.acme.test/x.git", "", "http://plain.acme.test"],
    ["https://git.acme.test/x.git", "git.acme.test", null],
    ["https://deep.git.acme.test", "git.acme.test", null],
    ["https://git.acme.test", ".acme.test", null],
    ["https://git.acme.test", "*.acme.test", null],
    ["https://notacme.test", "acme.test", proxy],
    ["https://acme.test.evil.test", "acme.test", proxy],
    ["https://git.acme.test:8443", "git.acme.test:8443", null],
    ["https://git.acme.test", "git.acme.test:8443", proxy],
    ["https://git.acme.test", "other.test, GIT.acme.test", null],
    ["https://git.acme.test", "*", null],
    ["https://[fd00::1]/x", "fd00::1", null],
    ["https://[fd00::2]/x", "fd00::1", proxy],
    // PX1
    ["http://127.0.0.1:3000/ping", "", null],
    ["http://localhost:3000", "", null],
    ["http://[::1]:3000", "", null],
    ["http://metadata.google.internal/computeMetadata/v1/instance", "", null],
    ["http://169.254.169.254/latest", "", null],
    ["http://metadata.google.internal.evil.test", "", "http://plain.acme.test"],
    ["https://127.0.0.1.evil.test", "", proxy],
    ["git@github.com:acme/shop.git", "", null],
    ["file:///srv/x.git", "", null],
  ])("%s with NO_PROXY=%s", (url, direct, expected) => {
    expect(through(url, direct)).toBe(expected);
  });

  it("is none where nothing is set, or only for the other protocol", () => {
    expect(proxyFor("https://api.github.com", readProxies({}))).toBeNull();
    expect(proxyFor("https://api.github.com", readProxies({ HTTP_PROXY: proxy, HTTPS_PROXY: " " }))).toBeNull();
  });

  it("lower case takes precedence, as in other tools", () => {
    const proxies = readProxies({ HTTPS_PROXY: proxy, https_proxy: "http://small.test" });
    expect(proxyFor("https://api.github.com", proxies)).toBe("http://small.test");
  });

  it("knows the passwords, as they are written and as they are", () => {
    expect(proxySecrets(readProxies({ HTTPS_PROXY: "http://me:p%40ss@proxy.test" }))).toEqual(["p%40ss", "p@ss"]);
    expect(proxySecrets(readProxies({ HTTPS_PROXY: proxy }))).toEqual([]);
  });
});
