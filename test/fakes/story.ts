/** Stories of processes: their input, the answers that their effects get, and telling them, with a crash before each answer or without. */
import { expect } from "vitest";
import type { WorkInput } from "../../processes/schema.ts";
import type { Json } from "../../src/core/vocabulary.ts";
import type { ProcessDefinition } from "../../src/process/process.ts";
import { bob, RunWorld } from "./run-world.ts";

export const sha = (digit: string): string => digit.repeat(40);
export const [base, first, second, other] = [sha("a"), sha("1"), sha("2"), sha("9")];

export const input = (settings: Partial<WorkInput["settings"]> = {}, change: Partial<WorkInput> = {}): WorkInput => ({
  thread: {
    number: 12,
    kind: "issue",
    title: "The total is wrong",
    body: "It is.",
    author: "alice",
    authorPermission: "write",
    comments: [],
  },
  instructions: "",
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
  baseSha: base,
  branch: "baton/issue-12-the-total",
  branchSha: null,
  projectInstructions: "",
  choice: {},
  settings: {
    planBreakpoint: "auto",
    reviewBreakpoint: "ask",
    protectedPaths: [".github/**"],
    protectedPathsBreakpoint: "ask",
    repairAttempts: 1,
    reviewRounds: 1,
    checksTimeoutMs: 60_000,
    merge: "manual",
    mergeMethod: "squash",
    reviewers: [],
    teams: [],
    ...settings,
  },
  pullRequest: null,
  ...change,
});

export const agent = (headSha: string | null, path = "cart.js", text = "Did it."): Json => ({
  harness: "command",
  model: "m",
  text,
  sessionId: "s",
  baseSha: base,
  headSha,
  commits: headSha === null ? 0 : 1,
  files: headSha === null ? [] : [{ path, added: 1, removed: 1 }],
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
});
export const published = (number: number | null = null): Json => ({ number, url: null, sha: null });
export const verdict = (status: "passed" | "failed"): Json => ({
  name: "checks",
  status,
  reason: status === "passed" ? "all green" : "test failed",
  evidence: [],
  children: [{ name: "test", status, reason: "", evidence: [{ label: "log", value: "AssertionError" }], children: [] }],
});
export const answered = (decision: string, more: Record<string, Json> = {}): Json => ({
  decision,
  by: bob as unknown as Json,
  feedback: "",
  sha: null,
  reviewId: null,
  ...more,
});

export const onPullRequest = {
  branchSha: first,
  pullRequest: 5,
  thread: { ...input().thread, kind: "pull-request" as const },
};

export type StoryStep = [
  /** What must be open; the first of several is answered. */
  open: string | readonly string[],
  /** An error code makes the effect fail. */
  answer: Json | { code: string },
];

export async function tell<O>(
  process: ProcessDefinition<WorkInput, O>,
  given: WorkInput,
  steps: readonly StoryStep[],
  crashes: boolean,
): Promise<RunWorld> {
  const world = await RunWorld.start(process, given);
  for (const [open, answer] of steps) {
    if (crashes) await world.crash();
    const keys = typeof open === "string" ? [open] : open;
    expect(world.open().toSorted()).toEqual([...keys].toSorted());
    const key = keys[0] as string;
    if (typeof answer === "object" && answer !== null && "code" in answer) {
      const error = { code: answer["code"] as never, message: "no" };
      await world.append([{ type: "effect.failed", key: key as never, attempt: 1, error, usage: [] }]);
    } else await world.succeed(key, answer as Json);
  }
  return world;
}
