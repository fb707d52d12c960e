import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { type Ended, endingOf } from "./ending.ts";
import { createScreen } from "./screen.ts";

const fine: Ended = { run: "passed", missing: null, failed: false, interruption: null };

it.each<[string, Partial<Ended>, ReturnType<typeof endingOf>]>([
  ["the story ended as it should", {}, { verdict: "passed", exitCode: 0 }],
  [
    "the run passed, and the story lacks something",
    { missing: "It was not merged." },
    { verdict: "failed", exitCode: 1 },
  ],
  ["the run passed, and the demo then failed", { failed: true }, { verdict: "failed", exitCode: 1 }],
  ["the run failed", { run: "failed" }, { verdict: "failed", exitCode: 1 }],
  ["the run was skipped", { run: "skipped" }, { verdict: "skipped", exitCode: 1 }],
  ["no run", { run: null, failed: true }, { verdict: null, exitCode: 1 }],
  ["interrupted", { run: null, interruption: "SIGINT" }, { verdict: null, exitCode: 130 }],
  // A run that has passed says nothing about a story that nobody saw to its end.
  ["interrupted after the run passed", { interruption: "SIGTERM" }, { verdict: null, exitCode: 143 }],
])("%s", (_, change, ending) => {
  expect(endingOf({ ...fine, ...change })).toEqual(ending);
});

function screenOf(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 40 }) as unknown as NodeJS.WriteStream;
  let written = "";
  stream.on("data", (chunk: Buffer) => (written += chunk.toString("utf8")));
  return { screen: createScreen(stream, () => 67_000), written: () => written };
}

it("one line a step: the elapsed time, a sign, and the words; what goes on is shown on terminals only", () => {
  const file = screenOf(false);
  file.screen.now("Implement");
  file.screen.step("bad", "Checks: test failed");
  expect(file.written()).toBe("01:07 ✗ Checks: test failed\n");
  const terminal = screenOf(true);
  terminal.screen.now("Implement");
  terminal.screen.now("Implement");
  terminal.screen.say("x");
  expect(terminal.written()).toBe("01:07 … Implement\r\u001b[Kx\n");
});
