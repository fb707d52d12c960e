/** A run that asks for a number of effects in sequence, and does nothing else: only the engine is left. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { RunEventOf } from "../../src/core/event.ts";
import { type Json, type RunId, runIdSchema } from "../../src/core/vocabulary.ts";
import { defineProcess, type ProcessContext } from "../../src/process/process.ts";

export const repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };

/** Each effect is a write that the fake GitHub acknowledges at once. */
export const sequence = defineProcess<{ effects: number }, { done: number }>({
  name: "sequence",
  version: 1,
  summary: "Asks for effects one after the other.",
  stages: ["Work"],
  input: z.object({ effects: z.number().int() }),
  output: z.object({ done: z.number().int() }),
  verdict: ({ done }) => ({ name: "sequence", status: "passed", reason: `${done} done.`, evidence: [], children: [] }),
  async run(ctx, { effects }) {
    for (let index = 1; index <= effects; index += 1) {
      await ctx.publish("step", {
        title: `Step ${index}`,
        stage: "Work",
        publish: { operation: "request-review", pullRequest: 1, reviewers: ["bob"], teams: [] },
      });
    }
    return { done: effects };
  },
});

/** The same effects, all at once. The engine begins as many as the settings allow. */
export const fan = defineProcess<{ effects: number }, { done: number }>({
  ...sequence,
  name: "fan",
  summary: "Asks for effects at once.",
  async run(ctx, { effects }) {
    const branch = (number: number) => (inside: ProcessContext) =>
      inside.publish("step", {
        title: `Step ${number}`,
        stage: "Work",
        publish: { operation: "request-review", pullRequest: 1, reviewers: ["bob"], teams: [] },
      });
    await ctx.parallel(
      "all",
      Object.fromEntries(Array.from({ length: effects }, (_, index) => [`${index}`, branch(index)])),
    );
    return { done: effects };
  },
});

export function runIdOf(name: string): RunId {
  return runIdSchema.parse(`run_${createHash("sha256").update(name).digest("hex").slice(0, 26)}`);
}

export function createdEvent(runId: RunId, process: string, input: Json): RunEventOf<"run.created"> {
  return {
    type: "run.created",
    runId,
    process: { name: process, version: 1, stages: ["Work"] },
    input,
    thread: { repository, number: 12, kind: "issue" },
    requestedBy: { id: 1, login: "alice", kind: "user", permission: "write" },
    trigger: { operationKey: `comment:${runId}`, commentId: 99, text: "/baton run" },
    budgetUsd: 5,
    settings: {},
    settingsSha: null,
    parent: null,
    retryOf: null,
  };
}
