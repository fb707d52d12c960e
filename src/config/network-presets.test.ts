import { describe, expect, test } from "vitest";
import { readHostRule } from "../policy/hosts.ts";
import {
  type NetworkPreset,
  networkEntryProblem,
  networkHosts,
  networkPresetNames,
  networkPresets,
  type PresetHost,
} from "./network-presets.ts";

const hostsOf = (name: NetworkPreset): readonly PresetHost[] => networkPresets[name];

describe("presets", () => {
  test.each<[NetworkPreset, string[]]>([
    ["npm", ["registry.npmjs.org", "registry.yarnpkg.com"]],
    ["pip", ["pypi.org", "files.pythonhosted.org"]],
    ["go", ["proxy.golang.org", "sum.golang.org"]],
    ["rust", ["index.crates.io", "static.crates.io", "static.rust-lang.org"]],
    ["maven", ["repo.maven.apache.org", "repo1.maven.org"]],
    [
      "gradle",
      [
        "services.gradle.org",
        "downloads.gradle.org",
        "plugins.gradle.org",
        "plugins-artifacts.gradle.org",
        "repo.maven.apache.org",
      ],
    ],
    ["debian", ["deb.debian.org", "security.debian.org"]],
    [
      "github",
      [
        "codeload.github.com",
        "raw.githubusercontent.com",
        "objects.githubusercontent.com",
        "release-assets.githubusercontent.com",
      ],
    ],
  ])("%s", (name, hosts) => {
    expect(hostsOf(name).map(({ host }) => host)).toEqual(hosts);
    expect(networkHosts([name], null)).toEqual({ hosts, refused: [] });
  });

  test("are single hosts with a reason and a public source; uploads are possible only where nothing installs without", () => {
    const all = networkPresetNames.flatMap((name) => [...hostsOf(name)]);
    for (const { host, reason, source } of all) {
      expect(readHostRule(host)).toMatchObject({ ok: true, value: { below: false, portListed: false } });
      expect(reason).not.toBe("");
      expect(source).toMatch(/^https:\/\//);
    }
    expect(all.filter(({ acceptsUploads }) => acceptsUploads).map(({ host }) => host)).toEqual([
      "registry.npmjs.org",
      "registry.yarnpkg.com",
      "plugins.gradle.org",
    ]);
    const known = [
      "github.com",
      "api.github.com",
      "crates.io",
      "upload.pypi.org",
      "central.sonatype.com",
      "uploads.github.com",
    ];
    expect(all.map(({ host }) => host).filter((host) => known.includes(host))).toEqual([]);
  });
});

describe("entries", () => {
  test.each([
    "npm",
    "files.example.com",
    "*.example.com",
    "example.com:8443",
    "registry:4873",
    "93.184.215.14",
    "10.0.0.5",
  ])("%s is good", (entry) => expect(networkEntryProblem(entry)).toBeNull());

  test.each([
    ["nmp", "neither a preset", "npm"],
    ["Maven", "neither a preset", "maven"],
    ["localhost", "neither a preset", null],
    ["constructor", "neither a preset", null],
    ["__proto__", "neither a preset", null],
    ["*", "would allow every host", null],
    ["*.com", "at least two parts", null],
    ["https://example.com", "write only its host", null],
    ["10.0.0.0/8", "single hosts", null],
    ["", "it is empty", null],
  ])("%j: %s", (entry, message, suggestion) => {
    expect(networkEntryProblem(entry)?.message).toContain(message);
    expect(networkEntryProblem(entry)?.suggestion).toBe(suggestion);
  });
});

describe("the hosts that a list comes to", () => {
  test("presets and hosts together, each once", () => {
    expect(networkHosts(["maven", "gradle", "files.example.com", "files.example.com"], null).hosts).toEqual([
      "repo.maven.apache.org",
      "repo1.maven.org",
      "services.gradle.org",
      "downloads.gradle.org",
      "plugins.gradle.org",
      "plugins-artifacts.gradle.org",
      "files.example.com",
    ]);
  });

  test("a private address needs the operator's own entry", () => {
    for (const address of ["10.0.0.5", "127.0.0.1:8080", "169.254.169.254", "[fd00::1]"]) {
      expect(networkHosts([address], null)).toMatchObject({ hosts: [], refused: [{ entry: address }] });
      expect(networkHosts([address], ["npm"])).toMatchObject({ hosts: [] });
      expect(networkHosts([address], [address])).toEqual({ hosts: [address], refused: [] });
    }
    expect(networkHosts(["93.184.215.14"], null).hosts).toEqual(["93.184.215.14"]);
  });

  test("the operator's list bounds it, and what is outside is named", () => {
    const bound = ["npm", "*.example.com", "git.test:22"];
    const { hosts, refused } = networkHosts(
      ["npm", "pip", "files.example.com", "*.cdn.example.com", "example.com", "git.test", "git.test:22", "nmp"],
      bound,
    );
    expect(hosts).toEqual([
      "registry.npmjs.org",
      "registry.yarnpkg.com",
      "files.example.com",
      "*.cdn.example.com",
      "git.test:22",
    ]);
    expect(refused.map(({ entry }) => entry)).toEqual(["pip", "example.com", "git.test", "nmp"]);
    expect(refused[0]?.reason).toBe("the operator does not allow `pypi.org`");
    expect(networkHosts(["npm", "example.com"], [])).toMatchObject({ hosts: [] });
  });
});
