import { expect, it } from "vitest";
import { cancel } from "../../src/core/decide.ts";
import type { Json } from "../../src/core/vocabulary.ts";
import { alice, bob, RunWorld } from "../../test/fakes/run-world.ts";
import { patience } from "./patience.ts";

const input = { thread: { number: 12 }, baseSha: "a".repeat(40) };
const ended = (exitCode: number): Json => ({ exitCode, signal: null, output: "", durationMs: 1 });
const yes: Json = { answer: "yes", by: bob as unknown as Json };

it("a race is won once; what lost is cancelled", async () => {
  const world = await RunWorld.start(patience, input);
  expect(world.open()).toEqual(["first/person/ask", "first/time/three-days"]);
  await world.succeed("first/time/three-days", { wokeAt: world.clock });
  expect(world.open()).toEqual([]);
  expect(world.state.effects.get("first/person/ask" as never)?.status).toBe("cancelled");
  expect(world.state.outcome?.verdict).toMatchObject({ status: "skipped" });
});

it("waitFor asks again after a durable pause", async () => {
  const world = await RunWorld.start(patience, input);
  await world.succeed("first/person/ask", yes);
  await world.succeed("proof/test", ended(1));
  await world.crash();
  expect(world.open()).toEqual(["proof/pause"]);
  await world.succeed("proof/pause", { wokeAt: world.clock });
  await world.succeed("proof/test#2", ended(0));
  expect(world.state.outcome?.output).toEqual({ answer: "yes" });
});

it("a cancelled run still says its shielded last words", async () => {
  const world = await RunWorld.start(patience, input);
  await world.succeed("first/person/ask", yes);
  await world.append(cancel(world.state, alice, "enough"));
  expect(world.open()).toEqual(["last-words/comment"]);
  await world.succeed("last-words/comment", { number: 1, url: null, sha: null });
  expect(world.state.status).toBe("cancelled");
});
