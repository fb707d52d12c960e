import { expect, it } from "vitest";
import { detect } from "./detect.ts";
import { requiredOf } from "./required.ts";

const found = (files: Record<string, string>, requiredChecks: string[] = []) =>
  requiredOf(
    detect({
      name: null,
      defaultBranch: "main",
      paths: [],
      isWhole: true,
      texts: new Map(Object.entries(files).map(([name, text]) => [`.github/workflows/${name}.yml`, text])),
      secretNames: null,
      environmentNames: [],
      branch: { protected: requiredChecks.length > 0, reviews: 0, codeOwners: false, requiredChecks },
      writers: null,
      isEmpty: false,
    }),
  );
const on = (jobs: string): string => `on: [push, pull_request]\njobs:\n${jobs}`;
const gate = (rest = ""): string =>
  `  ok: { if: always(), needs: [lint, test], steps: [{ run: 'exit 1', if: "contains(needs.*.result, 'failure')" }]${rest} }\n`;
const two = "  lint: {}\n  test: { strategy: { matrix: { include: [{ node: 22 }] } } }\n";

it.each<[string, Record<string, string>, string[], RegExp]>([
  ["the job that collects the others", { ci: on(two + gate()) }, ["ok"], /collects/],
  [
    "by its name, through others, by an action for it",
    {
      ci: on(
        `${two}  all: { needs: test }\n  ok: { name: All green, if: "\${{ always() }}", needs: [lint, all], steps: [{ uses: re-actors/alls-green@v1, with: { jobs: "\${{ toJSON(needs) }}" } }] }`,
      ),
    },
    ["All green"],
    /collects/,
  ],
  [
    "one after the collector does not count",
    { ci: on(`${two}${gate()}  deploy: { needs: ok, environment: live }\n`) },
    ["ok"],
    /collects/,
  ],
  ["each workflow's own", { a: on(two + gate()), b: on("  docs: {}\n") }, ["ok", "docs"], /collects/],
  [
    "jobs without a condition",
    { ci: on("  lint: {}\n  test: { needs: lint }\n") },
    ["lint", "test"],
    /without a condition/,
  ],
  [
    "a matrix whose names are known",
    { ci: on("  t: { strategy: { matrix: { node: [22, 24] } } }\n") },
    ["t (22)", "t (24)"],
    /./,
  ],
  [
    "a condition leaves a job out, and what needs it",
    { ci: on("  a: {}\n  b: { if: github.event_name == 'push' }\n  c: { needs: b }\n") },
    ["a"],
    /./,
  ],
  ["a job that may fail is left out", { ci: on("  a: {}\n  next: { continue-on-error: true }\n") }, ["a"], /./],
])("%s", (_, files, names, why) => {
  expect(found(files)).toEqual({ names, why: expect.stringMatching(why) });
});

it.each<[string, Record<string, string>, RegExp]>([
  // Notification jobs are green whatever the tests did.
  [
    "a job that only reports is no collector",
    {
      ci: on(
        `${two}  tell: { if: always(), needs: [lint, test], steps: [{ run: "echo \${{ needs.test.result }}" }] }\n`,
      ),
    },
    /known only when they run/,
  ],
  [
    "without `always()` a collector is skipped when a job fails",
    { ci: on(two + gate().replace("if: always(), ", "")) },
    /known only/,
  ],
  [
    "a collector that forgets a job is none",
    { ci: on(`${two}  more: { strategy: { matrix: { include: [{ a: 1 }] } } }\n${gate()}`) },
    /known only/,
  ],
  ["names that only a run knows", { ci: on(two) }, /known only when they run/],
  [
    "a workflow for some paths only",
    { a: on("  lint: {}\n"), b: "on: { pull_request: { paths-ignore: ['docs/**'] } }\njobs: { test: {} }" },
    /`\.github\/workflows\/b\.yml` does not start for every/,
  ],
  // Seen in a repository whose tests are workflows of another one.
  [
    "a job that calls a workflow of another repository",
    { a: on("  cover: {}\n"), b: on("  build: { uses: acme/meta/.github/workflows/build.yml@main }\n") },
    /`\.github\/workflows\/b\.yml` may publish, or cannot be read/,
  ],
  [
    "such a job next to a collector that forgets it",
    { ci: on(`${two}  build: { uses: acme/meta/.github/workflows/build.yml@main }\n${gate()}`) },
    /./,
  ],
  ["no CI", {}, /no CI/],
  [
    "more than anybody reads",
    { ci: on(Array.from({ length: 11 }, (_, at) => `  j${at}: {}\n`).join("")) },
    /11 of them/,
  ],
])("nothing is proposed: %s", (_, files, why) => {
  expect(found(files)).toEqual({ names: [], why: expect.stringMatching(why) });
});

it("nothing is proposed where the branch says it already", () => {
  expect(found({ ci: on("  a: {}\n") }, ["a"]).names).toEqual([]);
});
