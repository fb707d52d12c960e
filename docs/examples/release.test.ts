/** The example of workflow and pipeline, with a crash before every answer. */
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/vocabulary.ts";
import { RunWorld } from "../../test/fakes/run-world.ts";
import { release } from "./release.ts";

const ended = (exitCode: number, output = ""): Json => ({ exitCode, signal: null, output, durationMs: 1 });

const story: [open: string[], key: string, answer: Json][] = [
  [["checks/lint/lint", "checks/test/test"], "checks/lint/lint", ended(0)],
  [["checks/test/test"], "checks/test/test", ended(1)],
  [["checks/test/pause"], "checks/test/pause", { wokeAt: 2_000_000 }],
  [["checks/test/test#2"], "checks/test/test#2", ended(0)],
  [["checks/pack/pack"], "checks/pack/pack", ended(0)],
  [["notes/read/log"], "notes/read/log", ended(0, "First\nSecond\n")],
];

describe.each([false, true])("release, with a crash before every answer: %s", (crashes) => {
  it("checks, tries a red test again, packs, and writes the notes", async () => {
    const world = await RunWorld.start(release, { baseSha: "a".repeat(40) });
    for (const [open, key, answer] of story) {
      if (crashes) await world.crash();
      expect(world.open()).toEqual(open);
      await world.succeed(key, answer);
    }
    expect(world.state.outcome?.output).toEqual({ packed: true, text: "- First\n- Second" });
  });
});
