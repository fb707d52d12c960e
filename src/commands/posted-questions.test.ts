/** An answer counts for the question that GitHub showed before it was written, by GitHub's clock alone. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RunWorld } from "../../test/fakes/run-world.ts";
import type { EffectKey, Verdict } from "../core/vocabulary.ts";
import { defineProcess } from "../process/process.ts";
import { questionRowKey } from "../runner/outbox/row.ts";
import { question } from "./answer-breakpoint.ts";
import { isUnderPost, postedQuestions } from "./posted-questions.ts";

const post = { at: Date.parse("2026-11-30T10:00:10Z"), commentId: 500 };

describe("late-approve-takes-the-next-plan: the comment is younger than the question's", () => {
  it.each<[string, string | null, number | null, boolean]>([
    ["a second later", "2026-11-30T10:00:11Z", 501, true],
    ["a second before", "2026-11-30T10:00:09Z", 499, false],
    ["within its second, with a higher number", "2026-11-30T10:00:10Z", 501, true],
    ["within its second, with a lower number", "2026-11-30T10:00:10Z", 499, false],
    ["within its second, of another kind that has no number among comments", "2026-11-30T10:00:10Z", null, false],
    ["a review a second later", "2026-11-30T10:00:11Z", null, true],
    ["at a time that GitHub does not tell", null, 501, false],
    ["at a time that is none", "yesterday", 501, false],
  ])("written %s", (_, writtenAt, commentId, counts) => {
    expect(isUnderPost(post, { writtenAt, commentId })).toBe(counts);
  });

  it("what is not posted has no answer", () => {
    expect(isUnderPost(undefined, { writtenAt: "2026-11-30T10:00:11Z", commentId: 501 })).toBe(false);
  });
});

const passed: Verdict = { name: "result", status: "passed", reason: "Done.", evidence: [], children: [] };
const go = "go" as EffectKey;
const asking = defineProcess({
  name: "asking",
  version: 1,
  summary: "",
  stages: [],
  input: z.object({}),
  output: z.unknown(),
  verdict: () => passed,
  run: async (ctx) => ctx.ask(go, { title: "Go", question: "Go?", answerKind: "text" }),
});

type Row = { state: "pending" | "done" | "failed"; result: unknown } | null;

/** An answer, at a distance in seconds from when Baton journaled the question: by GitHub's clock, which differs from Baton's. */
async function answered(row: Row, onGithub: object | null, seconds: number): Promise<unknown> {
  const world = await RunWorld.start(asking, {});
  const asked = world.state.effects.get(go)?.requestedAt ?? 0;
  const at = (offset: number): string => new Date(asked + offset * 1_000).toISOString();
  const looked: string[] = [];
  const context = {
    dependencies: { store: { outboxRow: async () => row } },
    github: {
      ownComment: async (_: unknown, _number: number, marker: string) => {
        looked.push(marker);
        return onGithub === null ? null : { id: 500, createdAt: at(Number((onGithub as { at: number }).at)) };
      },
    },
  };
  if (row?.result != null) row.result = { id: 500, createdAt: at((row.result as { at: number }).at) };
  const posts = await postedQuestions(context as never, world.state, "ask");
  for (const marker of looked) expect(marker).toBe(questionRowKey(world.state.runId, go));
  const command = { name: "answer", positional: [], options: {}, text: "yes" };
  try {
    return question(world.state, "ask", { command, writtenAt: at(seconds), commentId: 501 }, posts).text;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

const early = /was asked after you wrote/;
const unposted = /has not posted the question `go` yet/;

describe("late-approve-takes-the-next-plan: clocks of Baton and GitHub that differ by 30 s", () => {
  it.each<[string, Row, { at: number } | null, number, string | RegExp]>([
    ["GitHub's runs 30 s behind: an answer to the post", { state: "done", result: { at: -30 } }, null, -28, "yes"],
    ["GitHub's runs 30 s behind: one from before", { state: "done", result: { at: -30 } }, null, -31, early],
    ["GitHub's runs 30 s ahead: an answer to the post", { state: "done", result: { at: 30 } }, null, 31, "yes"],
    [
      "GitHub's runs 30 s ahead: one from before, after the journal's time",
      { state: "done", result: { at: 30 } },
      null,
      20,
      early,
    ],
    ["posted a minute late: one that was written meanwhile", { state: "done", result: { at: 60 } }, null, 30, early],
    ["posted, and GitHub's answer is not noted yet", { state: "pending", result: null }, { at: 2 }, 3, "yes"],
    ["posted, not noted, and written before", { state: "pending", result: null }, { at: 2 }, 1, early],
    ["not posted yet", { state: "pending", result: null }, null, 3, unposted],
    ["not posted: an older Baton asked", null, null, 3_600, unposted],
    ["GitHub takes no comment: the status shows it", { state: "failed", result: null }, null, 31, "yes"],
    ["GitHub takes no comment, and it is too early to tell", { state: "failed", result: null }, null, 29, early],
  ])("%s", async (_, row, onGithub, seconds, says) => {
    const said = await answered(row, onGithub, seconds);
    if (typeof says === "string") expect(said).toBe(says);
    else expect(said).toMatch(says);
  });
});
