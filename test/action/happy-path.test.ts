/** Actions mode from a comment to an approved pull request. Each event is a job of its own, and only git holds the state. */
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { comments, pulls } from "../scenarios/helpers.ts";
import { type Platform, startPlatform } from "./platform.ts";

// Each job is a process that starts a dozen git processes, which takes long on a busy machine.

let platform: Platform;
afterEach(() => platform.close());

it("from `/baton run` over CI to the review, job by job; only the waiting costs no runner", async () => {
  platform = await startPlatform({ programs: true });
  const { github } = platform;
  const said = (): string[] =>
    comments({ github } as never, platform.issue)
      .filter(({ login }) => login === "github-actions[bot]")
      .map(({ body }) => body);

  const first = await platform.run("issue_comment", platform.comment("/baton run"));
  expect(first.errors).toBe("");
  expect(first).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting", "pull-request": "2" } });
  expect(first.outputs["run-id"]).toMatch(/^run_/);
  expect(Number(first.outputs["cost-usd"])).toBeGreaterThan(0);
  expect(first.summary).toContain("Baton: waiting");
  await platform.settle();

  platform.trigger(true);
  const [pull] = pulls({ github } as never);
  expect(pull?.number).toBe(2);
  const sha = pull?.pull.headSha ?? "";
  const checked = await platform.run("workflow_run", {
    action: "completed",
    workflow_run: { id: 1, head_sha: sha },
    ...platform.about(),
  });
  expect(checked).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting", "run-id": first.outputs["run-id"] } });
  expect(checked.summary).toMatch(/review/i);

  github.review({ repository: repositoryName, number: 2, as: "bob", event: "APPROVE" });
  await platform.settle();
  const last = platform.jobs.find(({ event }) => event === "pull_request_review");
  expect(last?.errors).toBe("");
  expect(last).toMatchObject({ event: "pull_request_review", exitCode: 0, outputs: { verdict: "passed" } });
  expect(last?.log).toContain("::notice title=Baton: passed::");
  expect(said().some((body) => body.includes("approved"))).toBe(true);
});
