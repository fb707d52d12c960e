import { describe, expect, it } from "vitest";
import { readSettings } from "./settings.ts";

describe("BATON_ACP_AGENTS", () => {
  const agents = (value: unknown): object =>
    readSettings({ BATON_ACP_AGENTS: typeof value === "string" ? value : JSON.stringify(value) }).harness.acp;

  it("is a command by name, or an object where there is more to say", () => {
    expect(agents({ mine: ["my-agent", "--acp"], other: { command: ["o"], reads: false } })).toEqual({
      mine: { command: ["my-agent", "--acp"] },
      other: { command: ["o"], reads: false },
    });
    expect(readSettings({}).harness.acp).toEqual({});
  });

  const manifest = (id: string, distribution: object) => ({
    id,
    name: "Some Agent",
    version: "1.2.3",
    description: "Writes code",
    distribution,
  });
  const npx = { npx: { package: "@example/some-agent@1.2.3", args: ["--acp"], env: { MODE: "strict" } } };
  const start = {
    command: ["some-agent", "--acp"],
    install: "npm install --global @example/some-agent@1.2.3",
    keys: { MODE: "strict" },
  };

  it("is manifests of the public registry, by names of one's own or by theirs", () => {
    expect(agents({ mine: manifest("some-agent", npx), other: ["o"] })).toEqual({
      mine: start,
      other: { command: ["o"] },
    });
    expect(agents([manifest("some-agent", npx), { ...manifest("second", npx), reads: false }])).toEqual({
      "some-agent": start,
      second: { ...start, reads: false },
    });
  });

  it("says what is wrong with a manifest", () => {
    expect(() => agents({ mine: manifest("a", { npx: { package: "a b" } }) })).toThrow(/Found: .*package/);
    expect(() => agents([manifest("a", { binary: {} })])).toThrow(/has no distribution for/);
  });

  it.each([
    ["two manifests of one id", [manifest("a", npx), manifest("a", npx)]],
    ["a manifest with the id of Baton's own", [manifest("codex", npx)]],
    ["a manifest without a distribution", { mine: manifest("a", {}) }],
    ["more agents than anybody has", Array.from({ length: 31 }, (_, index) => manifest(`a${index}`, npx))],
    ["no JSON", "{"],
    ["a list", ["my-agent"]],
    ["a command without a program", { mine: [] }],
    ["a text for a command", { mine: "my-agent --acp" }],
    ["a name of Baton's own", { codex: ["my-agent"] }],
    ["a name that is none", { "My Agent": ["my-agent"] }],
    ["something unknown beside the command", { mine: { command: ["a"], write: false } }],
  ])("%s is refused with what is allowed", (_, value) => {
    expect(() => agents(value)).toThrow(/BATON_ACP_AGENTS is .*JSON like/);
  });
});

describe("BATON_SANDBOX_READABLE", () => {
  const readable = (value: string): string[] =>
    readSettings({ BATON_DATA: "/srv/baton/data", BATON_SANDBOX_READABLE: value }).sandbox.readable;

  it("is a list of absolute paths", () => {
    expect(readable("/srv/models/, /srv/baton/data-sets")).toEqual(["/srv/models", "/srv/baton/data-sets"]);
    expect(readSettings({}).sandbox.readable).toEqual([]);
  });

  it.each(["models", "/srv/baton/data", "/srv/baton/data/runs", "/srv/baton", "/", "/srv/x/../baton/data"])(
    "%s is refused: relative, or Baton's own data",
    (value) => {
      expect(() => readable(`/srv/models,${value}`)).toThrow(
        /BATON_SANDBOX_READABLE has ".*": (?:an absolute|Baton's own)/,
      );
    },
  );
});

describe("BATON_WORKSPACES", () => {
  it.each([
    [undefined, "auto"],
    ["checkout", "checkout"],
    ["overlay", "overlay"],
  ])("%s is %s", (given, expected) => {
    expect(readSettings({ BATON_WORKSPACES: given }).workspaces).toBe(expected);
  });

  it("anything else is refused with what is allowed", () => {
    expect(() => readSettings({ BATON_WORKSPACES: "fuse" })).toThrow(/BATON_WORKSPACES is "fuse".*overlay/s);
  });
});

describe("values of the wrong form", () => {
  it.each([
    ["PORT", "70000", /PORT is "70000": a whole number from 0 to 65535/],
    ["PORT", "abc", /PORT is "abc": a whole number/],
    ["APP_ID", "my-app", /APP_ID is "my-app": the App's number/],
    ["GITHUB_API_URL", "github.example.com", /GITHUB_API_URL is "github.example.com": an address/],
    ["GHE_HOST", "https://github.example.com", /GHE_HOST is .*: a host name is expected, without https/],
    ["BATON_OWNERS", " , ", /BATON_OWNERS is " , ": at least one account/],
  ])("%s=%s is told with what is expected", (name, value, told) => {
    expect(() => readSettings({ [name]: value })).toThrow(told);
  });

  it("a secret of the wrong form is not repeated", () => {
    expect(() => readSettings({ DATABASE_URL: "mysql://baton:hunter2@db/baton" })).toThrow(
      /^DATABASE_URL is not of its form: an address postgres:/,
    );
  });
});
