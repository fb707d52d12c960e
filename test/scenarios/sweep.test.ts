/**
 * A sweep through the App: detector in a worktree, agent, detector again, pull request, review. Also a label that starts a
 * run.
 */
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import {
  ends,
  type ObservedWorld,
  observedWorld,
  ownComments,
  pulls,
  reaches,
  repositoryOf,
  runState,
  say,
} from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

/** Prints a finding where the sum ignores counts. */
const lint = String.raw`grep -n 'item.price)' cart.js | sed 's/^\([0-9]*\):.*/cart.js:\1: error: ignores the count [no-count]/'`;
const fixed =
  "export function total(items) {\n  return items.map((item) => item.price * item.count).reduce((sum, price) => sum + price, 0);\n}\n";

const config = (command: string, report = ""): string =>
  [
    "harness: { default: command }",
    "sweep:",
    "  detectors:",
    `    - use: command`,
    `      command: ${JSON.stringify(command)}`,
    ...(report === "" ? [] : [`      report: ${report}`]),
    "",
  ].join("\n");
const script = {
  implement: [
    { files: { "cart.js": fixed }, text: "### Intent\nCounts count.\n", usage: { input: 1, output: 1, costUsd: 0.01 } },
  ],
};

it("what a detector finds is fixed, found no more, proposed and reviewed; then there is nothing to do", async () => {
  world = await observedWorld({ config: config(`${lint} > lint.txt`, "lint.txt"), script });
  say(world, "/baton run sweep");
  await reaches(world, "review");
  const [pull] = pulls(world);
  expect(pull?.title).toBe("Fix no-count");
  const state = await runState(world);
  expect(state?.effects.get("detect" as never)?.output).toMatchObject({
    detected: { findings: [{ rule: "no-count", path: "cart.js", line: 2, severity: "error" }], failed: false },
  });
  expect(state?.effects.get("detect-again" as never)?.output).toMatchObject({ detected: { findings: [] } });
  world.github.review({ repository: repositoryName, number: pull?.number as number, as: "bob", event: "APPROVE" });
  const ended = await ends(world);
  expect(ended.outcome?.verdict.status).toBe("passed");
  const known = (await world.baton.dependencies.store.value(`findings/${repositoryOf(world).id}`)) as {
    known: { rule: string; state: string; pullRequest: number }[];
  };
  expect(known.known).toMatchObject([{ rule: "no-count", state: "proposed", pullRequest: pull?.number }]);
  // Baton hears of a merge after the end of the run by a delivery.
  await world.github.merge({ repository: repositoryName, number: pull?.number as number, as: "bob" });
  await world.github.settle();
  const decided = await world.until("the decision", async () => {
    const book = (await world.baton.dependencies.store.value(`sweeps/${repositoryOf(world).id}`)) as {
      proposals: { end: string | null; endedAt: number | null; detector: string; costUsd: number }[];
    };
    return book.proposals.find(({ end }) => end !== null);
  });
  expect(decided).toMatchObject({ detector: "command", end: "merged", costUsd: 0.01, endedAt: expect.any(Number) });
});

it.each([
  ["a report that is not there", config("true", "missing.txt"), /the command left no file `missing.txt`/],
  ["a report behind a link", config("ln -s /etc/hostname r.txt", "r.txt"), /the command left no file `r.txt`/],
])("%s is told, and never taken for nothing found", async (_, text, said) => {
  world = await observedWorld({ config: text, script });
  say(world, "/baton run sweep");
  const ended = await ends(world);
  expect(ended.outcome?.verdict).toMatchObject({ status: "failed", reason: expect.stringMatching(said) });
  expect(pulls(world)).toEqual([]);
});

it("a label starts a run for whoever may run, and `/baton why` says why another did not", async () => {
  world = await observedWorld({
    config: [
      "harness: { default: command }",
      "triggers:",
      "  - { name: asked, on: issues.labeled, if: \"event.label == 'baton'\", process: explore }",
      "",
    ].join("\n"),
    script: { plan: [{ text: "Found it.", usage: { input: 1, output: 1, costUsd: 0.01 } }] },
  });
  world.github.label({ repository: repositoryName, number: world.issue, as: "alice", labels: ["bug"] });
  say(world, "/baton why", "bob");
  await world.until("the reason", () =>
    ownComments(world).find((body) => /`asked` on `issues.labeled`: .*is false/.test(body)),
  );
  world.github.label({ repository: repositoryName, number: world.issue, as: "alice", labels: ["bug", "baton"] });
  const ended = await ends(world);
  expect(ended.requestedBy.login).toBe("alice");
  expect(ownComments(world).join()).toContain("Found it.");
});
