/**
 * Everything that Baton says in a thread, in every state, as GitHub renders it, read as a stranger reads it.
 *
 * Owns: rules of wording over rendered text, and of accessibility. Does not own: rules of sentences (`lint:prose`).
 */
import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { markdown } from "../packages/local-github/src/pages/markdown.ts";
import { issueToPr } from "../processes/issue-to-pr/process.ts";
import { sha256 } from "../src/adapters/system/sha256.ts";
import { commands } from "../src/commands/index.ts";
import { parseConfig } from "../src/config/parse.ts";
import { stop } from "../src/core/decide.ts";
import { BatonError, type ErrorCode, errorCatalogue } from "../src/core/errors.ts";
import type { RunEvent } from "../src/core/event.ts";
import { questionsOf } from "../src/core/questions.ts";
import type { RunState } from "../src/core/state.ts";
import type { Json } from "../src/core/vocabulary.ts";
import { detect } from "../src/onboarding/detect.ts";
import { explain } from "../src/onboarding/explain.ts";
import { planFiles } from "../src/onboarding/plan.ts";
import { proposalOf } from "../src/onboarding/propose.ts";
import { workflowAlone } from "../src/onboarding/template.ts";
import { pullRequestText } from "../src/prompt/handoff.ts";
import { readableOutcomes } from "../src/prompt/outcomes.ts";
import { type HelpFacts, renderCommandHelp, renderHelp } from "../src/thread/help.ts";
import { renderCheckRun } from "../src/thread/render/check-run.ts";
import { renderDashboard } from "../src/thread/render/dashboard.ts";
import { renderFinalComment } from "../src/thread/render/final-comment.ts";
import { headline } from "../src/thread/render/headline.ts";
import { renderMeasured } from "../src/thread/render/measured.ts";
import { protectedChange } from "../src/thread/render/protected-change.ts";
import { renderQuestion } from "../src/thread/render/question.ts";
import { renderStatusComment } from "../src/thread/render/status-comment.ts";
import { problemsOf } from "../tools/prose/rules.ts";
import { sentencesOf } from "../tools/prose/sentences.ts";
import { alice, bob, RunWorld } from "./fakes/run-world.ts";
import { agent, answered, first, input, published, second, verdict } from "./fakes/story.ts";

const root = join(import.meta.dirname, "..");
const settings = (parseConfig("") as Extract<ReturnType<typeof parseConfig>, { ok: true }>).settings;

type Step = readonly [key: string, answer: Json] | RunEvent[] | ((state: RunState) => RunEvent[]);

const waiting = (key: string, reason: string, more: { name: string; label?: string; value?: string }): RunEvent[] => [
  {
    type: "effect.observed",
    key: key as never,
    verdict: {
      name: more.name,
      status: "pending",
      reason,
      evidence: more.label === undefined ? [] : [{ label: more.label, value: more.value ?? "" }],
      children: [],
    },
    facts: {},
  },
];
const used = (costUsd: number | null) => ({
  harness: "codex",
  model: "gpt-5",
  costUsd,
  priceSource: "table" as const,
  priceTableVersion: null,
  tokens: { input: 900, output: 100, cacheRead: 0, cacheWrite: 0 },
});
const started = (key: string): RunEvent[] => [
  { type: "effect.started", key: key as never, attempt: 1, worker: "w", reservedUsd: 1 } as RunEvent,
];
const failed = (key: string, code: ErrorCode, message: string): RunEvent[] => [
  {
    type: "effect.failed",
    key: key as never,
    attempt: 1,
    error: { code, message },
    usage: [used(0.3)],
  } as RunEvent,
];

/** As Baton ends a run whose process cannot continue. */
const stopped =
  (code: ErrorCode, message: string) =>
  (state: RunState): RunEvent[] =>
    stop(state, new BatonError(code, message));
const completed = (status: "skipped" | "pending", reason: string): RunEvent[] => [
  { type: "run.completed", output: null, verdict: { name: "issue-to-pr", status, reason, evidence: [], children: [] } },
];

const plan = ["plan", agent(null, "", "Add the counts.")] as const;
const work: Step[] = [plan, ["implement", agent(first)], ["push", published()], ["pull-request", published(5)]];
const green: Step = ["checks", verdict("passed")];
const needed = { name: "review", label: "needed", value: "a review by someone other than @alice (write access)" };

/** Every kind of state, by what a reader would call it. */
const states: Record<string, { steps: Step[]; settings?: Parameters<typeof input>[0] }> = {
  "just begun": { steps: [] },
  "an agent works": { steps: [started("plan")] },
  "an agent has a turn behind it": {
    steps: [
      started("plan"),
      [{ type: "effect.progress", key: "plan", attempt: 1, note: "Reads `cart.js`", usage: [] } as never],
    ],
  },
  "an agent waits for its turn": {
    steps: [
      waiting(
        "plan",
        "1 agent works here at once (`BATON_AGENTS`), for runs of the same or a higher priority. The priority of this run is `normal`.",
        { name: "slots" },
      ),
    ],
  },
  "a step is tried again": {
    steps: [
      started("plan"),
      [
        {
          type: "effect.attempt-failed",
          key: "plan",
          attempt: 1,
          error: { code: "BATON_HARNESS_CRASHED", message: "codex ended by signal 9." },
          usage: [used(0.1)],
          retryAt: 1_060_000,
          kept: null,
        } as never,
      ],
    ],
  },
  "the plan needs approval": { steps: [plan], settings: { planBreakpoint: "ask" } },
  "the plan was rejected": {
    steps: [plan, ["plan-approval", answered("rejected")]],
    settings: { planBreakpoint: "ask" },
  },
  "an agent asks": {
    steps: [["plan", agent(null, "", "### Plan\n\n### Questions\n- Round up?")]],
    settings: { planBreakpoint: "ask" },
  },
  "protected files changed": { steps: [plan, ["implement", agent(first, ".github/ci.yml")]] },
  "the agent changed nothing": { steps: [plan, ["implement", agent(null)]] },
  "checks have not appeared": {
    steps: [...work, waiting("checks", "No check of 1111111 has appeared yet.", { name: "checks" })],
  },
  "a check runs": { steps: [...work, waiting("checks", "On 1111111: `test` is running.", { name: "checks" })] },
  "a review is needed, not yet read": { steps: [...work, green] },
  "a review is needed": {
    steps: [
      ...work,
      green,
      waiting("review", "1111111 needs an approving review by someone other than @alice (write access).", needed),
    ],
  },
  "an objection from before the run": {
    steps: [
      ...work,
      green,
      waiting("review", "@bob requested changes before the run and must review 1111111 again.", { name: "review" }),
    ],
  },
  "GitHub does not merge": {
    steps: [
      ...work,
      green,
      ["review", answered("approved", { sha: first })],
      failed("merge", "BATON_MERGE_REFUSED", "GitHub does not merge #5: At least 2 approving reviews are required."),
      waiting("merge-wait", "GitHub does not merge #5 yet: At least 2 approving reviews are required.", {
        name: "merge",
      }),
    ],
    settings: { merge: "auto" },
  },
  merged: {
    steps: [...work, green, ["review", answered("approved", { sha: first })], ["merge", published(5)]],
    settings: { merge: "auto" },
  },
  "approved, and merged by people": { steps: [...work, green, ["review", answered("approved", { sha: first })]] },
  "still red after its repairs": {
    steps: [
      ...work,
      ["checks", verdict("failed")],
      ["repair", agent(second)],
      ["push#2", published()],
      ["refresh", published(5)],
      ["checks#2", verdict("failed")],
    ],
  },
  "the repair changed nothing": { steps: [...work, ["checks", verdict("failed")], ["repair", agent(null)]] },
  "the pull request was closed": {
    steps: [...work, green, ["review", answered("rejected", { feedback: "The pull request was closed." })]],
  },
  paused: { steps: [plan, [{ type: "run.paused", by: bob, reason: "lunch" }]] },
  "out of money": {
    steps: [plan, [{ type: "run.budget-stopped", key: "implement", neededUsd: 1, spentUsd: 5 } as never]],
  },
  "about to be cancelled": {
    steps: [plan, [{ type: "run.cancel-requested", by: bob, reason: "no reason given" }]],
  },
  cancelled: { steps: [plan, [{ type: "run.cancelled", by: bob, reason: "@bob cancelled it." } as never]] },
  "stopped: the process asks for another step than before": {
    steps: [plan, stopped("BATON_DIVERGENCE", "The process asked for `implement`, and asks now for `verify`.")],
  },
  "stopped: its version is gone": {
    steps: [plan, stopped("BATON_PROCESS_UNKNOWN", "There is no version 3 of the process `issue-to-pr`.")],
  },
  "stopped with its pull request open": {
    steps: [...work, stopped("BATON_PROCESS_FAILED", "The process failed: x is not a function.")],
  },
  "nothing to do": { steps: [completed("skipped", "There is nothing to change.")] },
  "ended before its end": { steps: [completed("pending", "The checks are not complete.")] },
  ...Object.fromEntries(
    (Object.keys(errorCatalogue) as ErrorCode[]).map((code) => [
      `failed with ${code}`,
      { steps: [plan, started("implement"), failed("implement", code, "The step ended early.")] },
    ]),
  ),
};

async function stateOf({ steps, settings: change }: (typeof states)[string]): Promise<RunState> {
  const world = await RunWorld.start(issueToPr, input(change));
  for (const step of steps) {
    if (typeof step === "function") await world.append(step(world.state));
    else if (step.length === 2 && typeof step[0] === "string") await world.succeed(step[0], step[1] as Json);
    else await world.append([...(step as RunEvent[])]);
  }
  return world.state;
}

/** Everything that Baton writes about a run in this state, by its place. */
function textsOf(state: RunState): Record<string, string> {
  const { title, summary, text } = renderCheckRun(state);
  return {
    headline: headline(state).sentence,
    status: renderStatusComment(state, { now: state.updatedAt + 5_000 }),
    "status, shown once": renderStatusComment(state, { now: state.updatedAt + 5_000, live: true }),
    "check run": `## ${title}\n\n${summary}\n\n${text}`,
    ...(state.outcome === null ? {} : { final: renderFinalComment(state) }),
    ...Object.fromEntries(
      questionsOf(state)
        .filter(({ open }) => open)
        .map((question) => [`question ${question.id}`, renderQuestion(state, question, settings)]),
    ),
  };
}

const references = {
  thread: (number: number) => `/acme/shop/issues/${number}`,
  account: (login: string) => `/${login}`,
};

/** As GitHub renders it: its HTML, and its words without the code. */
function render(text: string): { html: string; words: string } {
  const html = markdown(text, references).text;
  const words = html
    .replaceAll(/<pre>[\s\S]*?<\/pre>|<code>[\s\S]*?<\/code>/g, "`…`")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/[\u200b\u2060]/g, "")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ")
    .trim();
  return { html, words };
}

/** A problem of each rule that the text breaks. */
function faultsOf(text: string, options: { addressed?: boolean } = {}): string[] {
  const { html, words } = render(text);
  const found: string[] = [];
  const add = (what: string, match: RegExpMatchArray | null): void => {
    if (match !== null)
      found.push(`${what}: ${words.slice(Math.max(0, (match.index ?? 0) - 40), (match.index ?? 0) + 60)}`);
  };
  const [line = ""] = text.split("\n");
  if ((render(line).words.match(/\bwait/gi) ?? []).length > 1) found.push(`waits twice: ${line}`);
  if (options.addressed !== true) add("you", words.match(/\byou(?:r|rs)?\b/i));
  add("long id", html.replaceAll(/href="[^"]*"/g, "").match(/run_[0-9a-zA-Z]{13,}|\b[0-9a-f]{40}\b/));
  add(
    "wrong plural",
    words.match(
      /(?<![\d.,–+/#])\b1 (?!of\b|in\b|is\b)(?:[a-z]+ )?(?:agents|attempts|checks|commits|files|lines|repairs|runs|steps|things|times|turns|findings|proposals)\b/,
    ),
  );
  add("wrong plural", words.match(/\(s\)/));
  add("two ends of a sentence", words.match(/[?!.][.:;](?![./])(?= |$)|\.\. /));
  add("nothing between bold words", words.match(/\*\*/));
  add("a value that is missing", words.match(/\b(?:undefined|null|NaN)\b/));
  found.push(...accessible(html));
  // The agent's words are not Baton's.
  const own = text.replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, "");
  for (const one of sentencesOf(own))
    for (const { level, rule } of problemsOf(one.text, one.words, "message"))
      if (level === "error") found.push(`${rule}: ${one.text}`);
  return found;
}

/** Columns have names, signs have words, and headings do not leave a level out. */
function accessible(html: string): string[] {
  const found: string[] = [];
  for (const [, cell = ""] of html.matchAll(/<th[^>]*>([\s\S]*?)<\/th>/g))
    if (cell.trim() === "") found.push("a column without a name");
  for (const [, cell = ""] of html.matchAll(/<(?:td|li|p|summary)[^>]*>([^<]*)(?=<)/g))
    if (/^\s*\p{Extended_Pictographic}\ufe0f?\s*$/u.test(cell) && !html.includes(`${cell.trim()} <strong>`))
      found.push(`a sign without a word: ${cell.trim()}`);
  let last = 0;
  for (const [, level = "0"] of html.matchAll(/<h([1-6])\b/g)) {
    if (last > 0 && Number(level) > last + 1) found.push(`h${level} follows h${last}`);
    last = Number(level);
  }
  for (const [, address = ""] of html.matchAll(/<img (?![^>]*alt="[^"])([^>]*)>/g))
    found.push(`a picture without words: ${address}`);
  return found;
}

describe.each(Object.entries(states))("%s", (_, given) => {
  it("reads well in every place", async () => {
    const state = await stateOf(given);
    const faults = Object.entries(textsOf(state)).flatMap(([place, text]) =>
      // The people whom a question calls are the ones who may act.
      faultsOf(text, { addressed: place.startsWith("question") }).map((fault) => `${place}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });
});

it("the states show every icon of a headline", async () => {
  const all = await Promise.all(Object.values(states).map(stateOf));
  const icons = new Set(all.map((state) => headline(state).icon));
  expect([...icons].toSorted()).toEqual(["⏳", "⏹️", "⚠️", "✅", "❌", "🏃", "💰", "🙋"].toSorted());
});

it("every ending has its word", async () => {
  const first = async (name: string): Promise<string> => headline(await stateOf(states[name] as never)).sentence;
  expect(await first("stopped: its version is gone")).toMatch(/^\*\*Stopped\.\*\* There is no version 3/);
  expect(await first("stopped with its pull request open")).toMatch(/^\*\*Stopped in #5\.\*\* The process failed/);
  expect(await first("nothing to do")).toMatch(/^\*\*Skipped\.\*\*/);
  expect(await first("ended before its end")).toMatch(/^\*\*Unfinished\.\*\*/);
});

it("the first line names the pull request as a link, from the moment that it is there", async () => {
  for (const name of ["a check runs", "a review is needed", "merged", "still red after its repairs"]) {
    const { html } = render(headline(await stateOf(states[name] as never)).sentence);
    expect(html, name).toContain('<a href="/acme/shop/issues/5">#5</a>');
  }
});

it("a failure shows the agent's last words and one command that continues", async () => {
  const text = renderFinalComment(await stateOf(states["the agent changed nothing"] as never));
  expect(text).toMatch(/^❌ \*\*Not done\.\*\*[\s\S]*last words of the agent[\s\S]*Did it\.[\s\S]*`\/baton retry`/);
  for (const [name, given] of Object.entries(states).filter(([one]) => one.startsWith("failed with"))) {
    const final = renderFinalComment(await stateOf(given));
    expect(final.match(/`\/baton (?:run|retry|budget)\b/g)?.length, `${name}: ${final.slice(0, 400)}`).toBeGreaterThan(
      0,
    );
  }
});

it("the agent's last words are its last, however much it said", async () => {
  const said = `${"It looked at one more file. ".repeat(100)}It could not find the key.`;
  const given = { steps: [plan, ["implement", agent(null, "", said)]] } as (typeof states)[string];
  const text = renderFinalComment(await stateOf(given));
  expect(text).toContain("It could not find the key.");
  expect(text).toMatch(/… (?:It|looked|at|one|more|file)/);
});

it("fits a phone: what is not folded has few columns, and no long word", async () => {
  for (const [name, given] of Object.entries(states)) {
    const state = await stateOf(given);
    for (const [place, text] of Object.entries(textsOf(state))) {
      if (place === "check run") continue;
      const open = text.replaceAll(/<details>[\s\S]*?<\/details>|<!--[\s\S]*?-->/g, "");
      const columns = [...open.matchAll(/^\|(.*)\|$/gm)].map(([, row = ""]) => row.split(/(?<!\\)\|/).length);
      expect(Math.max(0, ...columns), `${name}: ${place}`).toBeLessThanOrEqual(4);
      const words = open.split(/[\s|]+/).filter((word) => word.length > 60 && !word.includes("](http"));
      expect(words, `${name}: ${place}`).toEqual([]);
    }
  }
});

it("one row for each stage, the rest folded, and one bar", async () => {
  const text = renderStatusComment(await stateOf(states["a review is needed"] as never), { now: 0 });
  const open = text.replaceAll(/<details>[\s\S]*?<\/details>/g, "");
  expect(open.match(/^\| .* \|$/gm)).toHaveLength(2 - 1 + 6);
  expect(open.match(/[█░]{10}/g)).toHaveLength(1);
  expect(text).toContain("`baton transcript run_01234567 implement`");
});

describe("help", () => {
  const facts = async (name: string | null, permission: HelpFacts["permission"] = "write"): Promise<HelpFacts> => {
    const state = name === null ? null : await stateOf(states[name] as never);
    return {
      login: "alice",
      permission,
      settings,
      configuration: { path: "baton.yaml", problems: [], warnings: [] },
      commands,
      processes: [{ name: "plan", summary: "Plans." }],
      thread: "issue",
      run: state === null || state.outcome !== null ? null : state,
      lastRun: state,
    };
  };
  const firstOf = (help: string): string[] =>
    [...(help.split("<details>")[0] ?? "").matchAll(/^\| `\/baton ([a-z]+)/gm)].map(([, name]) => name as string);

  it.each([
    [null, ["run", "race"]],
    ["the plan needs approval", ["approve", "reject", "status", "why", "pause", "cancel"]],
    ["an agent asks", ["answer", "status", "why", "pause", "cancel"]],
    ["out of money", ["budget", "status", "why", "pause", "cancel"]],
    ["paused", ["resume", "cancel", "status"]],
    ["a check runs", ["refresh", "status", "why", "pause", "cancel"]],
    ["still red after its repairs", ["retry", "run", "why", "cost"]],
    ["merged", ["run", "cost", "why"]],
  ])("in the state %j the first commands are %j", async (name, expected) => {
    expect(firstOf(renderHelp(await facts(name)))).toEqual(expected);
  });

  it("reads well, for every command and every permission", async () => {
    for (const permission of ["read", "write", "admin"] as const) {
      const given = await facts("a review is needed", permission);
      const texts = [renderHelp(given), ...commands.map((grammar) => renderCommandHelp(grammar, given))];
      expect(texts.flatMap((text) => faultsOf(text, { addressed: true }))).toEqual([]);
    }
  });
});

describe("other texts", () => {
  const file = (lines: number) => ({
    before: { path: "ci.yml", mode: "100644", blob: "a".repeat(40) },
    after: { path: "ci.yml", mode: "100644", blob: "b".repeat(40) },
    diff: Array.from({ length: lines }, (_, at) => `+${"x".repeat(lines === 1 ? 9_000 : 20)}${at}`).join("\n"),
    truncated: false,
  });

  it.each([1, 2, 900])("a protected change of %i lines", (lines) => {
    const { text, parts } = protectedChange([file(lines)], first);
    const shown = [text(parts.map((_, at) => `https://github.com/acme/shop/issues/1#issuecomment-${at}`)), ...parts];
    expect(shown.flatMap((one) => faultsOf(one, { addressed: true }))).toEqual([]);
  });

  it("the pull request that sets a repository up", () => {
    const found = detect({
      name: "acme/shop",
      defaultBranch: "main",
      paths: ["index.ts", "package-lock.json"],
      isWhole: true,
      texts: new Map([[".github/workflows/ci.yml", "name: CI\non: pull_request\njobs: { test: {} }\n"]]),
      secretNames: [],
      environmentNames: [],
      branch: null,
      writers: 1,
      isEmpty: false,
    });
    const workflow = workflowAlone();
    const files = planFiles({ detected: found, workflow, digest: sha256 });
    const options = { workflow, permissionsText: workflow.text, modelOf: () => "gpt-5-codex" };
    for (const place of ["pull-request", "clone"] as const)
      expect(faultsOf(explain(proposalOf({ ...options, place }, found, files, [])), { addressed: true })).toEqual([]);
  });

  it("the text of a pull request, with the plan's outcomes", () => {
    const text = "### Intent\nCount.\n\n### Decisions\n- Multiply.\n\n### Verification\n`npm test`: 2 pass.";
    const { body } = pullRequestText({
      thread: { number: 12, kind: "issue", title: "The total is wrong" },
      plan: "Count.",
      steps: [agent(first, "cart.js", text) as never],
      outcomes: [{ id: "sum.1", statement: "The total counts each item." }],
      answers: null,
    });
    expect(faultsOf(readableOutcomes(body))).toEqual([]);
  });

  it("the dashboard and the measured part of a pull request", async () => {
    const state = await stateOf(states["merged"] as never);
    const run = {
      runId: state.runId,
      process: "issue-to-pr",
      by: "alice",
      priority: "normal",
      deadline: null,
      now: ["Review of 3f23de4: an approving review is needed"],
      since: 0,
    } as const;
    const dashboard = renderDashboard({
      work: [
        { number: 4, run: { ...run, needsPeople: true } },
        { number: 5, run: { ...run, needsPeople: false } },
        { number: 6, run: null },
      ],
      schedules: [
        {
          name: "nightly",
          process: "sweep",
          cron: "0 3 * * *",
          timeZone: "UTC",
          next: 0,
          pausedBy: null,
          problem: null,
          last: { at: 0, runId: state.runId, status: "completed", spentUsd: 0.1 },
        },
      ],
      problem: null,
      notice: null,
      spentThisMonthUsd: 0.1,
    });
    const measured = renderMeasured([{ path: "cart.js", added: 1, removed: null }], state);
    expect([dashboard, measured].flatMap((text) => faultsOf(text))).toEqual([]);
  });
});

/** The errors that the code raises: code and message, with `…` for values. */
async function raised(): Promise<{ code: ErrorCode; message: string; at: string }[]> {
  const found: { code: ErrorCode; message: string; at: string }[] = [];
  for await (const path of glob(["src/**/*.ts", "processes/**/*.ts"], { cwd: root })) {
    if (path.endsWith(".test.ts")) continue;
    const source = readFileSync(join(root, path), "utf8");
    new Visitor({
      NewExpression: ({ callee, arguments: given }) => {
        if (callee.type !== "Identifier" || callee.name !== "BatonError") return;
        const [code, message] = given;
        if (code?.type !== "Literal" || typeof code.value !== "string") return;
        const text =
          message?.type === "Literal" && typeof message.value === "string"
            ? message.value
            : message?.type === "TemplateLiteral"
              ? message.quasis.map(({ value }) => value.cooked ?? "").join("…")
              : null;
        if (text !== null) found.push({ code: code.value as ErrorCode, message: text, at: path });
      },
    }).visit(parseSync(path, source).program);
  }
  return found;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}/_-]+/gu) ?? [];

/** Words in a row that both texts have. */
function repeated(one: string, other: string, length: number): string | null {
  const words = wordsOf(one);
  const there = ` ${wordsOf(other).join(" ")} `;
  for (let at = 0; at + length <= words.length; at += 1) {
    const part = words.slice(at, at + length).join(" ");
    if (there.includes(` ${part} `)) return part;
  }
  return null;
}

describe("errors", () => {
  it("message and remedy do not repeat each other", async () => {
    const all = await raised();
    expect(all.length).toBeGreaterThan(150);
    const faults = all.flatMap(({ code, message, at }) => {
      const { remedy } = errorCatalogue[code];
      const spans = [...message.matchAll(/`(\/?baton [^`…]+)`/g)].map(([, span]) => span as string);
      const twice = spans.find((span) => remedy.includes(`\`${span}\``)) ?? repeated(message, remedy, 5);
      return twice == null ? [] : [`${at}: ${code}: “${twice}” in “${message}” and “${remedy}”`];
    });
    expect(faults).toEqual([]);
  });

  it("a remedy does not repeat the cause, and reads well", () => {
    const faults = Object.entries(errorCatalogue).flatMap(([code, { when, remedy }]) => [
      ...faultsOf(remedy, { addressed: true }).map((fault) => `${code}: ${fault}`),
      ...faultsOf(when, { addressed: true }).map((fault) => `${code}: ${fault}`),
      ...(repeated(when, remedy, 6) === null ? [] : [`${code}: “${repeated(when, remedy, 6)}” is in both`]),
    ]);
    expect(faults).toEqual([]);
  });
});

describe("documents", () => {
  it("name their columns and pictures, and leave no level of headings out", async () => {
    const faults: string[] = [];
    for await (const path of glob(["*.md", "docs/**/*.md", "bench/*.md"], { cwd: root })) {
      const { html } = render(readFileSync(join(root, path), "utf8"));
      faults.push(...accessible(html).map((fault) => `${path}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });
});

it("the rules find what they are for", () => {
  const faults = (text: string): string[] => faultsOf(text).map((fault) => fault.split(":")[0] as string);
  expect(faults("⏳ **Waiting: Wait for the checks.** They run.")).toEqual(["waits twice"]);
  expect(faults("Merging is left to you.")).toEqual(["you"]);
  expect(faults("`run_cd6872629f0961e5de1806c053` ended.")).toEqual(["long id"]);
  expect(faults("Only the beginning of 1 lines.")).toEqual(["wrong plural"]);
  expect(faults("1 failed attempt(s)")).toEqual(["wrong plural"]);
  expect(faults("Did you mean `--budget`?. Nothing was started.")).toContain("two ends of a sentence");
  expect(faults("| a | |\n|---|---|\n| ✅ | b |")).toEqual(["a column without a name", "a sign without a word"]);
  expect(faults("## a\n\n#### b")).toEqual(["h4 follows h2"]);
  expect(alice.login).toBe("alice");
});
