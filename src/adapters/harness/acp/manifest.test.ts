/** Manifests in the form of the public registry, and content that must not pass. */
import { describe, expect, it } from "vitest";
import { acpManifestSchema, acpPlatform, startOf } from "./manifest.ts";

const manifest = (distribution: object, more: object = {}): object => ({
  id: "some-agent",
  name: "Some Agent",
  version: "1.2.3",
  description: "Writes code",
  repository: "https://github.com/example/some-agent",
  authors: ["Example"],
  license: "MIT",
  icon: "https://cdn.example.com/some-agent.svg",
  distribution,
  ...more,
});
const archive = "https://example.com/some-agent.tar.gz";
const sha256 = "E3".repeat(32);
const start = (distribution: object, platform = "linux-x86_64") =>
  startOf(acpManifestSchema.parse(manifest(distribution)), platform as never);

describe("an agent of the registry", () => {
  it.each([
    [
      "npx",
      { npx: { package: "@example/some-agent@1.2.3", args: ["--acp"], env: { MODE: "strict" } } },
      ["some-agent", "--acp"],
      "npm install --global @example/some-agent@1.2.3",
      { MODE: "strict" },
    ],
    [
      "npx with a program of another name",
      { npx: { package: "some-agent", cmd: "agent-acp" } },
      ["agent-acp"],
      "npm install --global some-agent",
      {},
    ],
    [
      "uvx",
      { uvx: { package: "some-agent[acp]==1.2.3", args: ["serve"] } },
      ["some-agent", "serve"],
      "uv tool install 'some-agent[acp]==1.2.3'",
      {},
    ],
    [
      "uvx with a program of another name",
      { uvx: { package: "some_agent@1.2.3", cmd: "agent" } },
      ["agent"],
      "uv tool install 'some_agent@1.2.3'",
      {},
    ],
    [
      "binary",
      { binary: { "linux-x86_64": { archive, sha256, cmd: "./bin/agent", args: ["acp"] } } },
      ["agent", "acp"],
      `Download ${archive} (SHA-256 ${sha256.toLowerCase()}) and put agent into a folder of PATH`,
      {},
    ],
    [
      "the first of several that works anywhere",
      { binary: { "linux-x86_64": { archive, cmd: "./agent" } }, npx: { package: "some-agent" } },
      ["some-agent"],
      "npm install --global some-agent",
      {},
    ],
  ])("by %s", (_, distribution, command, install, keys) => {
    expect(start(distribution)).toEqual({ command, install, keys });
  });

  it("a binary of another platform is none of this one", () => {
    const distribution = { binary: { "darwin-aarch64": { archive, cmd: "./agent" } } };
    expect(start(distribution)).toBeNull();
    expect(start(distribution, "darwin-aarch64")?.command).toEqual(["agent"]);
  });

  it("keys that the registry adds later are ignored", () => {
    const later = {
      preview: { version: "2.0.0-rc.1" },
      distribution: { npx: { package: "a", signature: "x" }, brew: {} },
    };
    expect(acpManifestSchema.safeParse({ ...manifest({}), ...later }).success).toBe(true);
  });
});

describe("refused", () => {
  it.each([
    ["no way to start it", manifest({})],
    ["an id that is a path", manifest({ npx: { package: "a" } }, { id: "../a" })],
    ["an id that is too long", manifest({ npx: { package: "a" } }, { id: "a".repeat(42) })],
    ["no version", manifest({ npx: { package: "a" } }, { version: "newest" })],
    ["a package that is words of a shell", manifest({ npx: { package: "a; rm -rf /" } })],
    ["a package that is an option", manifest({ uvx: { package: "--index-url=https://example.com" } })],
    ["a package of an address", manifest({ npx: { package: "https://example.com/a.tgz" } })],
    ["a program that is a path", manifest({ npx: { package: "a", cmd: "/bin/sh" } })],
    ["an archive of a file", manifest({ binary: { "linux-x86_64": { archive: "file:///etc/passwd", cmd: "a" } } })],
    ["an unknown platform", manifest({ binary: { "plan9-x86_64": { archive, cmd: "a" } } })],
    ["too many arguments", manifest({ npx: { package: "a", args: Array.from({ length: 65 }, () => "x") } })],
    ["an argument of many lines", manifest({ npx: { package: "a", args: ["a\nb"] } })],
    ["a variable of Baton's", manifest({ npx: { package: "a", env: { BATON_ATTEMPT: "x" } } })],
    ["another home", manifest({ npx: { package: "a", env: { HOME: "/root" } } })],
    ["other libraries", manifest({ uvx: { package: "a", env: { LD_PRELOAD: "/tmp/x.so" } } })],
    ["a long description", manifest({ npx: { package: "a" } }, { description: "x".repeat(3_000) })],
  ])("%s", (_, value) => {
    expect(acpManifestSchema.safeParse(value).success).toBe(false);
  });
});

it.each([
  ["linux", "x64", "linux-x86_64"],
  ["darwin", "arm64", "darwin-aarch64"],
  ["win32", "x64", "windows-x86_64"],
  ["linux", "riscv64", null],
  ["freebsd", "x64", null],
])("%s on %s is %s", (system, architecture, platform) => {
  expect(acpPlatform(system, architecture)).toBe(platform);
});
