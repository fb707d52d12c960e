import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RunWorld } from "../../test/fakes/run-world.ts";
import { defineProcess, type ProcessContext } from "./process.ts";
import type { Reach } from "./reach.ts";

const sha = "a".repeat(40);
const title = "It";
const agent =
  (role: "plan" | "verify" | "implement", access: "read-only" | "write" = "read-only") =>
  (ctx: ProcessContext) =>
    ctx.agent("it", { title, role, access, baseSha: sha, prompt: { system: "", user: "" } });
const asks: Record<string, (ctx: ProcessContext) => Promise<unknown>> = {
  "a reading planner": agent("plan"),
  "a reading verifier": agent("verify"),
  "a writing agent": agent("implement", "write"),
  "a command": (ctx) => ctx.shell("it", { title, command: ["true"], sha }),
  "a comment": (ctx) => ctx.publish("it", { title, publish: { operation: "comment", number: 1, body: "" } }),
  "a push": (ctx) => ctx.publish("it", { title, publish: { operation: "push", branch: "x", sha, expectedSha: null } }),
  "a merge": (ctx) =>
    ctx.publish("it", { title, publish: { operation: "merge", pullRequest: 1, sha, method: "squash" } }),
  "a join": (ctx) => ctx.join("it", { title, baseSha: sha, shas: [sha] }),
  "another process": (ctx) => ctx.subprocess("it", { title, process: "other", input: null }),
  "a question": (ctx) => ctx.ask("it", { title, question: "?", answerKind: "text" }),
};

describe.each<[Reach | undefined, allowed: (keyof typeof asks)[]]>([
  [undefined, Object.keys(asks)],
  ["read-only", ["a reading planner", "a reading verifier", "a command", "a comment", "a question"]],
  ["plan-only", ["a reading planner", "a comment", "a question"]],
  ["verify-only", ["a reading verifier", "a command", "a comment", "a question"]],
])("a process of reach %s", (reach, allowed) => {
  it.each(Object.entries(asks))("asks for %s", async (name, run) => {
    const definition = defineProcess({
      name: "test",
      version: 1,
      summary: "",
      ...(reach === undefined ? {} : { reach }),
      stages: [],
      input: z.unknown(),
      output: z.unknown(),
      verdict: () => ({ name: "result", status: "passed", reason: "", evidence: [], children: [] }),
      run: (ctx) => run(ctx),
    });
    const { state } = await RunWorld.start(definition, null);
    expect([...state.open]).toEqual(allowed.includes(name) ? ["it"] : []);
    if (!allowed.includes(name)) expect(state.outcome?.error).toMatchObject({ code: "BATON_POLICY_DENIED" });
  });
});
