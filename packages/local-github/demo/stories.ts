/** The stories of the demo: a world, its beginning, and whether it ended as it should. */
import { readSweepBook } from "../../../src/runner/sweep-book.ts";
import { dashboardTitle } from "../../../src/thread/render/dashboard.ts";
import { sampleFiles, sampleScript } from "./sample.ts";
import { repositoryName, type World, type WorldOptions } from "./world.ts";

export interface Story {
  /** For `--help`. */
  summary: string;
  world(harness: string): WorldOptions;
  /** Resolves when the run has begun. Returns the number of its thread. */
  begin(world: World, say: (text: string) => void, signal: AbortSignal): Promise<number>;
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

export const stories: Readonly<Record<"job" | "sweep", Story>> = {
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
