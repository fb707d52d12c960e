import { describe, expect, it } from "vitest";
import { type GivenHosts, githubHosts, webUrlOf } from "./github-hosts.ts";

const cloud = "https://token.actions.githubusercontent.com";

describe("where a GitHub is", () => {
  it.each<[string, GivenHosts, string, string, string]>([
    ["nothing said", {}, "https://api.github.com", "https://github.com", cloud],
    [
      "an Enterprise Server",
      { host: "git.acme.test" },
      "https://git.acme.test/api/v3",
      "https://git.acme.test",
      "https://git.acme.test/_services/token",
    ],
    [
      "one without TLS at a port",
      { host: "git.acme.test:8080", protocol: "http" },
      "http://git.acme.test:8080/api/v3",
      "http://git.acme.test:8080",
      "http://git.acme.test:8080/_services/token",
    ],
    [
      "data residency",
      { host: "octocorp.ghe.com" },
      "https://api.octocorp.ghe.com",
      "https://octocorp.ghe.com",
      "https://token.actions.octocorp.ghe.com",
    ],
    [
      "data residency by its API alone",
      { apiUrl: "https://api.octocorp.ghe.com" },
      "https://api.octocorp.ghe.com",
      "https://octocorp.ghe.com",
      "https://token.actions.octocorp.ghe.com",
    ],
    [
      "a gateway before the API, the pages elsewhere",
      { apiUrl: "https://gateway.acme.test/github", webUrl: "https://github.com" },
      "https://gateway.acme.test/github",
      "https://github.com",
      cloud,
    ],
    [
      "a server whose pages have another name",
      { host: "git.acme.test", webUrl: "https://code.acme.test", issuer: "https://sign.acme.test" },
      "https://git.acme.test/api/v3",
      "https://code.acme.test",
      "https://sign.acme.test",
    ],
  ])("%s", (_, given, apiUrl, webUrl, issuer) => {
    expect(githubHosts(given)).toEqual({ apiUrl, webUrl, issuer });
  });

  it.each([
    ["https://notghe.com/api/v3", "https://notghe.com"],
    ["https://api.notghe.com", "https://api.notghe.com"],
    ["https://api.ghe.com.evil.test", "https://api.ghe.com.evil.test"],
    ["http://127.0.0.1:4000/api/v3", "http://127.0.0.1:4000"],
  ])("%s is no cloud of GitHub's: %s", (api, web) => {
    expect(webUrlOf(api)).toBe(web);
  });
});
