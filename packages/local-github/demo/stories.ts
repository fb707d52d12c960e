/** The stories of the demo: a world, its beginning, and whether it ended as it should. */
import { readSweepBook } from "../../../src/runner/sweep-book.ts";
import { dashboardTitle } from "../../../src/thread/render/dashboard.ts";
import { sampleFiles, sampleScript } from "./sample.ts";
import { repositoryName, type World, type WorldOptions } from "./world.ts";

export interface Story {
  /** For `--help`. */
  summary: string;
  world(harness: string): WorldOptions;
  /** The person who acts in the pages. Absent: the demo itself approves. */
  player?: { login: string; phrases: readonly string[] };
  /** Resolves when the run has begun. Returns the number of its thread. */
  begin(world: World, say: (text: string) => void, signal: AbortSignal): Promise<number>;
  /** False: the story ends without a merge. */
  merges?: false;
  /** Why it did not end as it should, although its run passed. null: it did. */
  missing(world: World): Promise<string | null>;
}

/** A minimal linter: it writes SARIF for a sum of prices without their counts. */
const lint = `# Writes SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
results=$(grep -n 'item\\.price)' cart.js | head -n 1 | while IFS=: read -r line text; do
  printf '{"ruleId":"no-count","level":"error","message":{"text":"The sum ignores counts, and an empty cart throws."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"cart.js"},"region":{"startLine":%s}}}]}' "$line"
done)
printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"shop-lint"}},"results":[%s]}]}\\n' "$results"
`;

const jsonBlock = (value: object): string => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
const sumLine = "  return items.map((item) => item.price * item.count).reduce((sum, price) => sum + price);";
const reviewedCart = `export function total(items) {\n${sumLine}\n}\n`;
const usage = { input: 900, output: 120, cacheRead: 2_000, cacheWrite: 400, costUsd: 0.008 };
const reviewScript = [
  {
    text: `The total now counts each item. It forgets the empty cart.\n\n${jsonBlock({
      findings: [
        {
          path: "cart.js",
          line: 2,
          quote: sumLine,
          severity: "blocking",
          text: "An empty cart throws: `reduce` has no initial value.",
          suggestion: sumLine.replace("sum + price)", "sum + price, 0)"),
        },
      ],
    })}`,
    usage,
  },
  { text: `The sum begins at 0 now.\n\n${jsonBlock({ findings: [], earlier: [{ id: "e1", fixed: true }] })}`, usage },
];

const lookIntervalMs = 50;
const patienceMs = 60_000;

function dashboardOf({ github }: World): number | null {
  const shop = [...github.state.repositories.values()].find(({ name }) => name === "shop");
  return [...(shop?.threads.values() ?? [])].find(({ title }) => title === dashboardTitle)?.number ?? null;
}

async function lacking({ baton, github }: World): Promise<string | null> {
  const shop = [...github.state.repositories.values()].find(({ name }) => name === "shop");
  const { proposals } = await readSweepBook(baton.dependencies.store, shop?.id ?? 0);
  if (proposals[0]?.end !== "merged") return "The merged proposal was not counted.";
  const dashboard = [...(shop?.threads.values() ?? [])].find(({ title }) => title === dashboardTitle);
  return dashboard?.body?.includes("The last proposal of `sarif` was merged.") === true
    ? null
    : "The dashboard does not show the merged proposal.";
}

export const stories: Readonly<Record<"job" | "sweep" | "review", Story>> = {
  job: {
    summary: "a comment asks, a pull request is merged",
    world: (harness) => ({ config: `version: 1\nharness: { default: ${harness} }\nmerge: auto\n` }),
    async begin(world, say) {
      say("@alice comments: /baton run");
      world.github.comment({ repository: repositoryName, number: world.issue, as: "alice", body: "/baton run" });
      return world.issue;
    },
    missing: async () => null,
  },
  review: {
    summary: "a pull request of a person gets a comment at a line, and the person applies its suggestion",
    world: (harness) => ({
      script: { review: reviewScript, verify: [{ text: jsonBlock({ holds: ["f1"] }) }] },
      config: `version: 1\nharness: { default: ${harness} }\ngates: { review: required }\n`,
    }),
    merges: false,
    begin: beginReview,
    async missing(world) {
      const shop = [...world.github.state.repositories.values()].find(({ name }) => name === "shop");
      const [pull] = [...(shop?.threads.values() ?? [])].filter((thread) => thread.pull !== null);
      if (suggestionIn(world, pull?.number ?? 0)?.resolved !== true)
        return "The thread of the finding is not resolved.";
      const check = [...(shop?.checkRuns.values() ?? [])].findLast(({ name }) => name === "Baton review");
      return check?.conclusion === "success" ? null : "The check `Baton review` is not green.";
    },
  },
  sweep: {
    summary: "a linter's SARIF report becomes a merged pull request",
    world: (harness) => ({
      files: { ...sampleFiles, "lint.sh": lint },
      script: { ...sampleScript, implement: sampleScript.repair },
      config: [
        "version: 1",
        `harness: { default: ${harness} }`,
        "merge: auto",
        "sweep:",
        "  detectors:",
        "    - { use: sarif, command: sh lint.sh > lint.sarif, report: lint.sarif }",
        "schedules:",
        '  - { name: nightly, cron: "0 3 * * *", process: sweep, budgetUsd: 1 }',
        "",
      ].join("\n"),
    }),
    async begin(world, say, signal) {
      let number = dashboardOf(world);
      for (; number === null && !signal.aborted; number = dashboardOf(world))
        await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
      if (number === null) return world.issue;
      say(`Baton opens its dashboard: #${number}\n@alice comments there: /baton schedule run nightly`);
      world.github.comment({
        repository: repositoryName,
        number,
        as: "alice",
        body: "/baton schedule run nightly",
      });
      return number;
    },
    async missing(world) {
      // GitHub still delivers the merge, and Baton still updates the dashboard.
      const deadline = performance.now() + patienceMs;
      for (;;) {
        const problem = await lacking(world);
        if (problem === null || performance.now() > deadline) return problem;
        await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
      }
    },
  },
};

/** A suggestion of Baton, and whether its thread is resolved. null: there is none (yet). */
function suggestionIn({ github }: World, number: number): { id: number; resolved: boolean } | null {
  const shop = [...github.state.repositories.values()].find(({ name }) => name === "shop");
  const comments = shop?.threads.get(number)?.pull?.reviewComments ?? [];
  const found = comments.find(({ body }) => body.includes("```suggestion"));
  return found === undefined ? null : { id: found.id, resolved: found.resolved === true };
}

async function until(signal: AbortSignal, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!signal.aborted && !(await isSo())) {
    if (performance.now() > deadline) throw new Error("The demo took too long.");
    await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
  }
}

async function beginReview(world: World, say: (text: string) => void, signal: AbortSignal): Promise<number> {
  const { github, baton } = world;
  const place = { repository: repositoryName, as: "alice" };
  await github.push({ ...place, branch: "feature", files: { "cart.js": reviewedCart }, message: "Count each item" });
  const { number } = await github.openPullRequest({ ...place, title: "Count each item", head: "feature" });
  const runs = async (isDone: boolean): Promise<number> =>
    (await baton.dependencies.store.runs({})).filter(({ status }) => !isDone || status === "completed").length;
  say(`@alice opens #${number}, and comments there: /baton run review`);
  github.comment({ ...place, number, body: "/baton run review" });
  await until(signal, async () => (await runs(true)) === 1);
  const found = suggestionIn(world, number);
  if (found === null || signal.aborted) return number;
  say("@alice applies the suggestion at the line, and asks again: /baton run review");
  await github.applySuggestion({ ...place, number, commentId: found.id });
  github.comment({ ...place, number, body: "/baton run review" });
  await until(signal, async () => (await runs(false)) === 2);
  return number;
}

const player = { login: "bob", phrases: ["/baton approve", "/baton budget +1", "/baton status", "/baton why"] };

/** `--play`: the plan waits for approval, and the money does not reach for the repair. */
export const play: Story = {
  summary: "you are the reviewer",
  player,
  world: (harness) => ({
    config: [
      "version: 1",
      `harness: { default: ${harness} }`,
      "merge: auto",
      "breakpoints: { plan: ask }",
      "budget: { runUsd: 0.04 }",
      "",
    ].join("\n"),
    github: { player },
  }),
  begin(world, say, signal) {
    say(`You are @${player.login}, and may approve, request changes and pay. Open the page above.`);
    return stories.job.begin(world, say, signal);
  },
  missing: async () => null,
};
