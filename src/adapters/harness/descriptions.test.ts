/** Rules for every harness's description. No description can be incomplete. */
import { describe, expect, it } from "vitest";
import { defaultModelOf, modelRow, tiersOf } from "../../config/models.ts";
import { selfReportingOf } from "../../money/self-reporting.ts";
import { agentPackage } from "../../onboarding/install.ts";
import type { CliDescription, HarnessDescription } from "./description.ts";
import { builtInHarnesses, type CliName, describedHarness, describedHarnesses, descriptions } from "./descriptions.ts";
import { createHarnesses } from "./index.ts";
import { baseUrlVariables, keyVariables } from "./key-variables.ts";

type OptionalOf<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
/** HD1: the compiler names the missing field. */
const nothingIsOptional: [OptionalOf<HarnessDescription>] extends [never] ? true : false = true;

const clis = descriptions.filter((one) => one.program !== null);
const own = { binary: "agent", apiKey: undefined, baseUrl: undefined };
const made = createHarnesses({
  clis: Object.fromEntries(clis.map(({ name }) => [name, own])),
  acp: { mine: { command: ["mine"] } },
  command: { command: [], keys: {} },
  sessionsDir: "",
});

describe("descriptions", () => {
  it("have no part that may be missing, and names of their own", () => {
    expect(nothingIsOptional).toBe(true);
    const names = describedHarnesses.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const programs = describedHarnesses.flatMap(({ program }) => (program === null ? [] : [program.variable]));
    expect(new Set(programs).size).toBe(programs.length);
    expect(builtInHarnesses).toEqual(["claude-code", "codex", "copilot", "gemini", "opencode", "pi", "command"]);
  });

  it("are made into harnesses in their order, agents of the protocol by the operator's names", () => {
    expect([...made.keys()]).toEqual([
      "claude-code",
      "codex",
      "copilot",
      "gemini",
      "opencode",
      "pi",
      "mine",
      "command",
    ]);
    expect([...createHarnesses({ clis: {}, command: null, sessionsDir: "" }).keys()]).toEqual([]);
  });

  it.each(clis)("$name: what runs is what is described", (description: CliDescription) => {
    const harness = made.get(description.name);
    expect(harness?.capabilities).toEqual(description.capabilities);
    expect(harness?.tools).toEqual(description.tools);
    expect(harness?.defaultModel).toBe(defaultModelOf(description.name as CliName));
    expect(agentPackage(description.name)).toEqual({
      name: description.npmPackage,
      version: description.testedVersion,
    });
    for (const model of Object.values(tiersOf(description.name) ?? {}))
      expect(modelRow(model)?.provider).toBe(description.provider);
    expect(description.program.variable).toMatch(/^BATON_[A-Z]+_BINARY$/);
  });

  it("name the variables that open services, in the order of preference", () => {
    expect(keyVariables).toEqual([
      { name: "ANTHROPIC_API_KEY", kind: "apiKey", harnesses: ["claude-code", "copilot", "opencode", "pi"] },
      { name: "CLAUDE_CODE_OAUTH_TOKEN", kind: "login", harnesses: ["claude-code"] },
      { name: "OPENAI_API_KEY", kind: "apiKey", harnesses: ["codex"] },
      { name: "GEMINI_API_KEY", kind: "apiKey", harnesses: ["gemini"] },
    ]);
    expect(baseUrlVariables).toEqual(["ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"]);
  });

  it.each(["acp", "mine", "constructor", ""])("%j is none of Baton's own", (name) => {
    expect(describedHarness(name)).toBeNull();
    expect(tiersOf(name)).toBeNull();
    expect(agentPackage(name)).toBeNull();
  });

  it.each([
    ["claude-code", []],
    ["command", ["command"]],
    ["my-acp-agent", ["my-acp-agent"]],
    ["claude", ["claude"]],
  ])("%s: named next to the budget as %j", (name, named) => {
    const settings = { harness: { default: name, fallback: ["codex"] } };
    expect(selfReportingOf({ settings, effects: new Map() } as never)).toEqual(named);
  });
});
