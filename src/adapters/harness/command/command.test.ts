/** The meaning of a program's lines. `test/contract/harness.ts` tests how Baton starts and stops it. */
import { describe, expect, it } from "vitest";
import { CommandReader, commandHarness } from "./harness.ts";

const endOf = (...lines: (object | string)[]): ReturnType<CommandReader["end"]> => {
  const reader = new CommandReader();
  for (const line of lines) reader.take(typeof line === "string" ? line : JSON.stringify(line), "stdout");
  return reader.end();
};

describe("a failed program", () => {
  it.each([
    [401, "BATON_HARNESS_AUTH"],
    [403, "BATON_HARNESS_AUTH"],
    [402, "BATON_HARNESS_QUOTA"],
    [429, "BATON_HARNESS_QUOTA"],
    [500, "BATON_HARNESS_UNAVAILABLE"],
    [529, "BATON_HARNESS_UNAVAILABLE"],
    [400, "BATON_HARNESS_CRASHED"],
    [undefined, "BATON_HARNESS_CRASHED"],
  ])("an error line with status %s is no success, whatever its exit code", (status, code) => {
    const { error } = endOf({ type: "error", message: "It went wrong.", status }, { type: "result", text: "Done." });
    expect(error?.code).toBe(code);
    expect(error?.message).toContain("It went wrong.");
  });
});

describe("what it says", () => {
  it("the last line about a model counts, and each model counts", () => {
    const { usage } = endOf(
      { type: "usage", model: "one", input: 10, output: 1 },
      { type: "usage", model: "two", input: 5, costUsd: 0.5 },
      { type: "usage", model: "one", input: 30, output: 2 },
    );
    const none = { cacheRead: 0, cacheWrite: 0 };
    expect(usage).toEqual([
      { model: "one", costUsd: null, tokens: { input: 30, output: 2, ...none } },
      { model: "two", costUsd: 0.5, tokens: { input: 5, output: 0, ...none } },
    ]);
  });

  it.each([
    [
      "its result goes before all text",
      [
        { type: "text", text: "Looking." },
        { type: "result", text: "Done." },
      ],
      "Done.",
    ],
    ["without one, its text is all that it said", ["plain", { type: "text", text: "said" }], "plain\nsaid"],
    ["a line that is nearly right is text", ['{"type":"usage","input":-1}'], '{"type":"usage","input":-1}'],
  ])("%s", (_, lines, text) => {
    expect(endOf(...lines).text).toBe(text);
  });
});

describe("doctor", () => {
  it.each([
    ["none is set", [], false, { installed: false, advice: expect.stringContaining("Set BATON_HARNESS_COMMAND") }],
    ["a repository may name one", [], true, { installed: true, advice: null }],
    ["one that is there", ["/bin/sh", "-c", "true"], false, { installed: true, advice: null }],
    ["one of the PATH", ["sh"], false, { installed: true, advice: null }],
    [
      "one that is not there",
      ["/nowhere/none"],
      true,
      { installed: false, advice: expect.stringContaining("/nowhere/none") },
    ],
    ["one that the PATH does not have", ["no-such-program-9"], false, { installed: false }],
    ["one of the workspace", ["./agent.sh"], false, { installed: true }],
  ])("%s", async (_, command, repositoryCommands, expected) => {
    expect(await commandHarness({ command, repositoryCommands, keys: {} }).probe()).toMatchObject(expected);
  });
});
