/** A question's comment: the news first, whom it notifies and how they answer, and no effect of other people's text. */
import { describe, expect, it } from "vitest";
import { alive } from "../../../test/fakes/alive.ts";
import { hostileTexts } from "../../../test/fakes/hostile.ts";
import { parseConfig } from "../../config/parse.ts";
import type { Settings } from "../../config/schema.ts";
import { limits } from "../../core/limits.ts";
import type { RunState } from "../../core/state.ts";
import { renderQuestion } from "./question.ts";

function settings(text: string): Settings {
  const parsed = parseConfig(`version: 1\n${text}`);
  if (!parsed.ok) throw new Error("settings");
  return parsed.settings;
}

const sha = "b".repeat(40);

function ask(kind: "ask" | "plan" | "review" | "merge" | "protected-paths", text = "Do it."): object {
  const title = kind === "ask" ? "Choose" : "The plan";
  if (kind === "ask")
    return { key: "color", kind, title, input: { question: text, answerKind: "choice", choices: ["red", "blue"] } };
  const subject =
    kind === "plan"
      ? { text }
      : kind === "protected-paths"
        ? { paths: ["ci.yml"], change: { baseSha: sha, sha } }
        : { pullRequest: 14, sha, text };
  const observed = kind === "protected-paths" ? { facts: { files: [], text }, verdict: {}, at: 0 } : null;
  return { key: kind, kind: "breakpoint", title, input: { kind, subject }, observed };
}

function rendered(effect: object | null, config = "", requester: object = { login: "alice", kind: "user" }): string {
  const one = effect as { key: string } | null;
  const state = {
    runId: "run_0123456789abcdef",
    thread: { number: 12, repository: { owner: "acme", name: "shop" } },
    requestedBy: requester,
    open: new Set(one === null ? [] : [one.key]),
    effects: new Map(one === null ? [] : [[one.key, one]]),
    money: { budgetUsd: 5 },
  };
  return renderQuestion(state as unknown as RunState, { effect: one as never }, settings(config));
}

const called = (text: string): string[] =>
  [...text.matchAll(/(?<![\w`])@([\w/-]+)/g)].map(([, name]) => name as string);

describe("the first line is the news, and who can act is told by name", () => {
  it.each<[string, object | null, string, string, string[], RegExp]>([
    [
      "a plan",
      ask("plan"),
      "",
      "🙋 **Baton needs an answer: The plan**",
      ["alice"],
      /`\/baton approve` or `\/baton reject <reason>`[\s\S]*Anyone with write access can approve except @alice, who asked for this run\./,
    ],
    [
      "a plan that listed people approve",
      ask("plan"),
      "approvals: { people: [bob, carol] }\n",
      "🙋 **Baton needs an answer: The plan**",
      ["bob", "carol"],
      /@bob, @carol: Reply `\/baton approve`/,
    ],
    [
      "a list with the asker",
      ask("plan"),
      "approvals: { people: [Alice, bob] }\n",
      "🙋 **Baton needs an answer: The plan**",
      ["bob"],
      /@bob: Reply/,
    ],
    [
      "a team of one",
      ask("plan"),
      "approvals: { self: allow }\n",
      "🙋 **Baton needs an answer: The plan**",
      ["alice"],
      /@alice: Reply[\s\S]*Anyone with write access can approve\./,
    ],
    [
      "a review",
      ask("review"),
      "approvals: { reviewers: [bob], teams: [core], permission: maintain }\n",
      "🙋 **Baton needs a review of #14 at bbbbbbb**",
      ["bob", "acme/core"],
      /Review #14 on GitHub[\s\S]*Anyone with maintain access can approve except `alice`, who asked for this run/,
    ],
    [
      "a choice",
      ask("ask", "Which color?"),
      "commands: { allow: { answer: triage } }\n",
      "🙋 **Baton needs an answer: Choose**",
      ["alice"],
      /@alice: Reply `\/baton answer red\|blue`\.[\s\S]*Anyone with triage access can answer\.[\s\S]*Which color\?/,
    ],
    [
      "a merge",
      ask("merge", "GitHub says: review required."),
      "",
      "🙋 **GitHub does not merge #14 yet**",
      ["alice"],
      /Baton merges it as soon as nothing is missing\.[\s\S]*GitHub says: review required\./,
    ],
    ["money", null, "", "💰 **The budget of $5.00 is used up**", ["alice"], /`\/baton budget \+2` tops it up/],
  ])("%s", (_, effect, config, first, names, says) => {
    const text = rendered(effect, config);
    expect(text.split("\n")[0]).toBe(first);
    expect(called(text)).toEqual(names);
    expect(text).toMatch(says);
    expect(text).toContain("#12");
  });

  it.each([
    ["owners of the changed files", "", ["carol", "acme/core"]],
    ["reviewers of the settings come first", "approvals: { reviewers: [bob] }\n", ["bob"]],
    ["a team of the settings comes first", "approvals: { teams: [leads] }\n", ["acme/leads"]],
    ["the owners among those who may approve", "approvals: { people: [bob, Carol] }\n", ["carol"]],
    ["those who may approve, if none of them owns it", "approvals: { people: [bob] }\n", ["bob"]],
  ])("a review calls %s", (_, config, names) => {
    const owners = { people: ["alice", "carol"], teams: ["acme/core", "other/team"] };
    expect(called(rendered({ ...ask("review"), observed: { facts: { owners }, verdict: {}, at: 0 } }, config))).toEqual(
      names,
    );
  });

  it.each([
    ["a bot that asked for the run", { login: "renovate[bot]", kind: "bot" }],
    ["a login that is none", { login: "alice @everyone", kind: "user" }],
  ])("%s is not called", (_, requester) => {
    const text = rendered(ask("plan"), "", requester);
    expect(called(text)).toEqual([]);
    expect(called(rendered(ask("ask"), "", requester))).toEqual([]);
  });

  it("what must be read is open: the plan, and the change of protected files", () => {
    expect(rendered(ask("plan", "1. Add a test."))).toContain("1. Add a test.");
    expect(rendered(ask("protected-paths", "```diff\n+run: make\n```"))).toContain("+run: make");
    expect(rendered(ask("plan", "x".repeat(200_000))).length).toBeLessThanOrEqual(limits.commentCharactersMax);
  });
});

describe("empty-tag-undoes-the-neutraliser, in a question", () => {
  it.each(["ask", "plan", "merge", "protected-paths"] as const)("%s: the text of others is dead", (kind) => {
    const wrong = hostileTexts.flatMap((text) => {
      const out = rendered(ask(kind, text), "approvals: { people: [bob] }\n");
      const effects = alive(out, { mentions: ["bob", "alice"], tags: /^(?:sub|details|summary)$/ });
      return effects.length === 0 ? [] : [{ effects, out: out.slice(0, 300) }];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });
});
