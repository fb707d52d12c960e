/** Reports that GitHub keeps, read through the App's own client from the local GitHub: with and without permissions. */
import { afterEach, expect, it } from "vitest";
import type { Alert } from "../../../packages/local-github/src/state.ts";
import { createTestWorld, type TestWorld } from "../../../packages/local-github/src/test-world.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { createGithubApp } from "../../adapters/github/github-app.ts";
import { detectorNamed } from "../../sweep/detectors/index.ts";
import { githubReport } from "./detect-source.ts";

let world: TestWorld | null = null;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = null;
});

const all = {
  contents: "read",
  checks: "read",
  statuses: "read",
  actions: "read",
  security_events: "read",
  vulnerability_alerts: "read",
  secret_scanning_alerts: "read",
} as const;
const alert = (number: number, over: Partial<Alert> = {}): Alert => ({
  number,
  state: "open",
  rule: "js/xss",
  summary: "Cross-site scripting",
  severity: "high",
  path: "sum.js",
  line: 1,
  packageName: "left-pad",
  createdAt: "2026-01-01T00:00:00Z",
  ...over,
});

async function scene(grants: Record<string, "read" | "write">) {
  world = await createTestWorld({ grants });
  const { github: site, app, installationId } = world;
  const shop = [...site.state.repositories.values()].find(({ name }) => name === "web");
  if (shop === undefined) throw new Error("no repository");
  const clock = new ManualClock(Date.now());
  const client = createGithubApp({ appId: app.id, privateKey: app.privateKey, baseUrl: site.apiUrl, clock });
  const github = await client.installation(installationId);
  const repository = { id: shop.id, owner: "acme", name: "web", defaultBranch: "main", installationId };
  const detect = async (name: string) => {
    const report = await githubReport(github, repository, name);
    return { ...report, ...detectorNamed(name).read(report.text, { root: null, now: 0 }), notes: report.notes };
  };
  return { site, shop, detect, world };
}

it("alerts of all three lists are findings; what is fixed is none, and no secret is read", async () => {
  const { shop, detect } = await scene(all);
  shop.alerts = {
    codeScanning: [alert(1), alert(2, { state: "fixed" })],
    dependabot: [alert(3, { rule: "GHSA-1", path: "package-lock.json", severity: "medium" })],
    secretScanning: [alert(4, { rule: "some_token", summary: "Some token" })],
  };
  const { findings, notes, isPart, text } = await detect("alerts");
  expect(findings.map(({ rule, severity, path, line }) => [rule, severity, path, line])).toEqual([
    ["secret", "error", null, null],
    ["GHSA-1", "warning", "package-lock.json", null],
    ["js/xss", "error", "sum.js", 1],
  ]);
  expect({ notes, isPart }).toEqual({ notes: [], isPart: false });
  expect(text).not.toMatch(/"secret":"[^"]/);
});

it("a missing permission is said by its name, and so is a list that is switched off; the others are read", async () => {
  const { vulnerability_alerts: _missing, ...some } = all;
  const { shop, detect } = await scene(some);
  shop.alerts = { codeScanning: [alert(1)], dependabot: [alert(3)], secretScanning: null };
  const { findings, notes, isPart } = await detect("alerts");
  expect(findings).toHaveLength(1);
  expect(isPart).toBe(true);
  expect(notes).toEqual([
    expect.stringMatching(/^Alerts of Dependabot cannot be read: .*needs vulnerability-alerts: read/),
    expect.stringMatching(/^Alerts of secret scanning cannot be read: .*[Dd]isabled/),
  ]);
});

it("one list that can be read and has no alert is a look without findings", async () => {
  const { shop, detect } = await scene({ contents: "read", security_events: "read" });
  shop.alerts = { codeScanning: [], dependabot: null, secretScanning: null };
  const { findings, notes, isPart } = await detect("alerts");
  expect({ findings, notes: notes.length, isPart }).toEqual({ findings: [], notes: 2, isPart: true });
});

it("with nothing that can be read the detector did not look", async () => {
  const { detect } = await scene({ contents: "read" });
  await expect(detect("alerts")).rejects.toMatchObject({ code: "BATON_REPORT_INVALID" });
});

it("a check that was red and then green on one commit is flaky; one that stayed red is not", async () => {
  const { shop, detect } = await scene({ ...all, checks: "write" });
  const sha = shop.refs.get("refs/heads/main") ?? "";
  const of = world as TestWorld;
  const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const report = (name: string, conclusion: "failure" | "success", minute: number) =>
    of.octokit.rest.checks.create({
      owner: "acme",
      repo: "web",
      head_sha: sha,
      name,
      status: "completed",
      conclusion,
      started_at: at(minute),
      completed_at: at(minute),
    });
  await report("e2e", "failure", 1);
  await report("e2e", "success", 2);
  await report("lint", "failure", 1);
  await report("unit", "success", 1);
  await report("unit", "failure", 2);
  const { findings } = await detect("flaky");
  expect(findings.map(({ rule, message }) => [rule, message])).toEqual([
    ["red-then-green", expect.stringContaining('"e2e" failed and then succeeded on 1 commit')],
  ]);
});
