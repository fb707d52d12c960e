/**
 * The shipped workflow: one job reads the event with a token that writes nothing. A second job has keys, and starts only if
 * the first says so. The test reads each job's permissions and inputs from the file. All tests share one repository.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { workflowAlone } from "../../src/onboarding/template.ts";
import { comments, pulls } from "../scenarios/helpers.ts";
import { type FinishedJob, type Platform, startPlatform } from "./platform.ts";

interface Job {
  name?: string;
  needs?: string;
  if?: string;
  permissions?: Record<string, string>;
  outputs?: Record<string, string>;
  steps: { id?: string; uses?: string; run?: string; with?: Record<string, string>; env?: Record<string, string> }[];
}
const { jobs } = parse(workflowAlone().text) as { jobs: { read: Job; baton: Job } };
const actionOf = (job: Job) => job.steps.find(({ uses }) => uses?.includes("/action@"));

const config = [
  "version: 1",
  "harness: { default: command }",
  "gates: { appearSeconds: 3600 }",
  "triggers:",
  "  - { name: asked, on: issues.labeled, if: \"event.label == 'baton'\", process: explore }",
  "  - { name: moved, on: push, paths: ['docs/**'], process: explore }",
  "",
].join("\n");

let platform: Platform;
let readToken: string;
beforeAll(async () => {
  platform = await startPlatform({ config });
  for (const message of [
    "feat: one",
    "fix: two",
    "docs: three",
    "fix(cart): four",
    "chore: five",
    "test: six",
    "fix: seven",
  ])
    await platform.github.push({
      repository: repositoryName,
      as: "alice",
      branch: "main",
      files: { "log.md": message },
      message,
    });
  const names = Object.entries(jobs.read.permissions ?? {}).map(([name, level]) => [name.replaceAll("-", "_"), level]);
  readToken = platform.tokenWith(Object.fromEntries(names));
});
afterAll(() => platform.close());

const inputs = (given: Record<string, string> | undefined, outputs: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(given ?? {}).map(([name, value]) => {
      const of = /^\$\{\{ needs\.read\.outputs\.(\w+) \}\}$/.exec(value)?.[1];
      return [`INPUT_${name.toUpperCase()}`, of === undefined ? value : (outputs[of] ?? "")];
    }),
  );

/** As the platform reads `outputs`, `needs` and `if` of the file. */
async function reads(event: string, payload: object): Promise<{ read: FinishedJob; outputs: Record<string, string> }> {
  const read = await platform.run(event, payload, {
    GITHUB_JOB: "read",
    INPUT_TOKEN: readToken,
    "INPUT_CHECK-RUN-ID": "4711",
    // No workflow input, no key.
    "INPUT_DISPATCH-WORKFLOWS": "",
    ...inputs(actionOf(jobs.read)?.with, {}),
  });
  expect(jobs.baton).toMatchObject({ needs: "read", if: "needs.read.outputs.start == 'true'" });
  const outputs = Object.fromEntries(
    Object.entries(jobs.read.outputs ?? {}).map(([name, value]) => {
      const from = /^\$\{\{ steps\.baton\.outputs\.(\w+) \}\}$/.exec(value)?.[1] ?? "";
      return [name, read.outputs[from] ?? ""];
    }),
  );
  return { read, outputs };
}

async function happens(event: string, payload: object): Promise<{ read: FinishedJob; work: FinishedJob | null }> {
  const { read, outputs } = await reads(event, payload);
  if (read.exitCode !== 0 || outputs["start"] !== "true") return { read, work: null };
  return { read, work: await platform.run(event, payload, inputs(actionOf(jobs.baton)?.with, outputs)) };
}
const written = (): string[] =>
  comments(platform as never, platform.issue)
    .filter(({ login }) => login.endsWith("[bot]"))
    .map(({ body }) => body);

describe("the file", () => {
  it("gives the job that reads no secret, no write permission and no agent", () => {
    expect(JSON.stringify(jobs.read)).not.toMatch(/secrets\.|write|npm install/);
    expect(jobs.read.steps).toHaveLength(1);
    expect(Object.values(jobs.read.permissions ?? {})).toEqual(["read", "read", "read"]);
    expect(actionOf(jobs.baton)?.env).toHaveProperty("ANTHROPIC_API_KEY");
  });
});

const wakeUp = "baton-wake-up.yml";
const shopOf = () => [...platform.github.state.repositories.values()].find(({ name }) => name === "shop");

/** The wake-up's own workflow, by its own permissions. */
async function wakes(): Promise<FinishedJob> {
  const { permissions } = parse(workflowAlone().wakeUp ?? "") as { permissions: Record<string, "read" | "write"> };
  const grants = Object.entries(permissions).map(([name, level]) => [name.replaceAll("-", "_"), level]);
  const job = { GITHUB_JOB: "wake", INPUT_JOB: "wake", INPUT_TOKEN: platform.tokenWith(Object.fromEntries(grants)) };
  return platform.run("schedule", platform.about(), job);
}

describe("job by job", () => {
  it("the wake-up switches itself off while nothing waits", async () => {
    const files = { [`.github/workflows/${wakeUp}`]: workflowAlone().wakeUp ?? "" };
    await platform.github.push({ repository: repositoryName, as: "alice", branch: "main", files, message: "Wake-up" });
    const job = await wakes();
    expect(job).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "nothing" } });
    expect(job.summary).toContain("the wake-up is switched off");
    expect([...(shopOf()?.disabledWorkflows ?? [])]).toEqual([wakeUp]);
  });

  it.each([
    ["a stranger's command", "/baton run", /Nothing was started\. .*permission/],
    ["a stranger's slip", "/baton rnu", /without permission/],
    ["a stranger's command in the middle of text", "Hello.\n\n/baton cancel", /Nothing was started\. .*permission/],
  ])(
    "%s: the answer is the summary, the thread stays silent, nothing is red, no second job starts",
    async (_, body, said) => {
      const { read, work } = await happens("issue_comment", platform.comment(body, "mallory"));
      expect(read).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "nothing", start: "false" } });
      expect(read.summary).toMatch(said);
      expect(read.log).not.toContain("::error");
      expect(work).toBeNull();
      expect(written()).toEqual([]);
    },
  );

  it("somebody who may run: the second job starts and does the work; its answer is in the thread", async () => {
    const { read, work } = await happens("issue_comment", platform.comment("/baton run"));
    expect(read).toMatchObject({ exitCode: 0, outputs: { start: "true", check: "4711", "run-id": "" } });
    expect(read.summary).toContain("0 state pushes");
    expect(work).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "waiting", "pull-request": "2" } });
    // The history has conventional commits, so the title has the form too.
    expect(shopOf()?.threads.get(2)?.title).toBe("chore: count each item in the total");
    // A run waits now, so the wake-up is on again, and does not yet find anything due.
    expect([...(shopOf()?.disabledWorkflows ?? [])]).toEqual([]);
    expect((await wakes()).summary).toContain("Nothing is due yet.");
    // Baton read the strangers' words again, and nobody answers them.
    expect(written().join("\n")).not.toContain("mallory");
  });

  it("the wake-up finds a command whose job never ran, and starts the workflow for it", async () => {
    const before = platform.github.log.length;
    platform.comment("/baton cost");
    expect((await wakes()).summary).toContain("A command's job never ran. `baton.yml` is started.");
    const calls = platform.github.log.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(calls).toContain(`POST /repos/${repositoryName}/actions/workflows/baton.yml/dispatches`);
    const { read, work } = await happens("workflow_dispatch", { inputs: null, ...platform.about() });
    expect(read.outputs).toMatchObject({ start: "true", agent: "true" });
    expect(work).toMatchObject({ exitCode: 0 });
  });

  it("a command that only answers starts it without an agent, unless the thread has a run", async () => {
    const here = await happens("issue_comment", platform.comment("/baton status"));
    expect(here.read.outputs).toMatchObject({ start: "true", agent: "true" });
    const { number } = platform.github.openIssue({
      repository: repositoryName,
      as: "alice",
      title: "Another",
      body: "",
    });
    const elsewhere = platform.comment("/baton help", "alice", number);
    const { read, work } = await happens("issue_comment", elsewhere);
    expect(read.outputs).toMatchObject({ start: "true", agent: "false" });
    expect(work).toMatchObject({ exitCode: 0 });
  });

  it("a job without an agent leaves a run that it finds to a successor, which has one", async () => {
    const { number } = platform.github.openIssue({ repository: repositoryName, as: "alice", title: "Third", body: "" });
    const help = platform.comment("/baton help", "alice", number);
    // The event's own command needs no agent. Meanwhile another one's job never runs.
    const { outputs } = await reads("issue_comment", help);
    expect(outputs).toMatchObject({ start: "true", agent: "false" });
    platform.comment("/baton run", "alice", number);
    const before = platform.github.log.length;
    const work = await platform.run("issue_comment", help, inputs(actionOf(jobs.baton)?.with, outputs));
    expect(work).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "handed-over" } });
    expect(work.summary).toContain("needs an agent");
    const said = comments(platform as never, number).map(({ body }) => body);
    expect(said.join("\n")).toContain("/baton cost");
    expect(said.join("\n")).not.toContain("BATON_HARNESS_MISSING");
    const calls = platform.github.log.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(calls).toContain(`POST /repos/${repositoryName}/actions/workflows/baton.yml/dispatches`);
    const successor = await happens("workflow_dispatch", { inputs: { thread: `${number}` }, ...platform.about() });
    expect(successor.read.outputs).toMatchObject({ start: "true", agent: "true" });
    expect(successor.work).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
  });

  it("facts that a run waits for start it; those that nobody waits for do not", async () => {
    const sha = pulls(platform as never)[0]?.pull.headSha ?? "";
    const about = (head: string) => ({
      action: "completed",
      workflow_run: { id: 1, head_sha: head },
      ...platform.about(),
    });
    await platform.settle();
    expect((await happens("workflow_run", about("a".repeat(40)))).read.outputs["start"]).toBe("false");
    const { work } = await happens("workflow_run", about(sha));
    expect(work).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
    expect(work?.summary).toMatch(/review/i);
  });

  it("wake-ups start it: the schedule, and somebody who names a thread", async () => {
    // Nobody needs a second job, or an agent, to find that nothing is due.
    const idle = await happens("schedule", platform.about());
    expect(idle.read).toMatchObject({ exitCode: 0, outputs: { start: "false", agent: "false" } });
    expect(idle.read.summary).toContain("Nothing is due.");
    expect(written().join("\n")).not.toContain("mallory");
    const thread = { inputs: { thread: `${platform.issue}` }, ...platform.about() };
    expect((await happens("workflow_dispatch", thread)).work).toMatchObject({ exitCode: 0 });
  });

  it("an unknown input is refused by the first job, before anything starts", async () => {
    const { read, work } = await happens("workflow_dispatch", { inputs: { thred: "1" }, ...platform.about() });
    expect(read).toMatchObject({ exitCode: 1, outputs: { verdict: "refused", start: "false" } });
    expect(work).toBeNull();
  });
});

describe("a push of the configuration", () => {
  // As Actions has it: the commits list no files.
  const pushed = async (files: Record<string, string>) => {
    const before = shopOf()?.refs.get("refs/heads/main");
    const after = await platform.github.push({ repository: repositoryName, as: "alice", branch: "main", files });
    return { ref: "refs/heads/main", before, after, commits: [{ id: after }], ...platform.about() };
  };
  const schedule = "  - { name: weekly, cron: '0 6 * * 1', process: explore }\n";

  it("that sets a schedule switches the wake-up on; another push does not", async () => {
    shopOf()?.disabledWorkflows.add(wakeUp);
    expect((await happens("push", await pushed({ "notes.md": "A\n" }))).work).toBeNull();
    const { read, work } = await happens("push", await pushed({ "baton.yaml": `${config}schedules:\n${schedule}` }));
    expect(read.outputs).toMatchObject({ start: "true" });
    expect(work).toMatchObject({ exitCode: 0, errors: "" });
    expect([...(shopOf()?.disabledWorkflows ?? [])]).toEqual([]);
    // Nothing of it changes.
    expect((await happens("push", await pushed({ "notes.md": "B\n" }))).work).toBeNull();
    await happens("push", await pushed({ "baton.yaml": config }));
  });
});

describe("rules of `triggers`", () => {
  const person = (login: string) => {
    const found = [...platform.github.state.accounts.values()].find((account) => account.login === login);
    return { id: found?.id ?? 0, login, type: "User" };
  };
  const opened = (): number =>
    platform.github.openIssue({ repository: repositoryName, as: "alice", title: "Why?", body: "" }).number;
  const labeled = (number: number, login: string, name = "baton") => ({
    action: "labeled",
    issue: { number, title: "Why?", user: person("alice"), labels: [{ name }], updated_at: "2026-01-01T00:00:00Z" },
    label: { name },
    sender: person(login),
    ...platform.about(),
  });
  const said = (number: number): string =>
    comments(platform as never, number)
      .map(({ body }) => body)
      .join("\n");

  it("a label starts a run in its issue, once; the job that reads says why another starts nothing", async () => {
    const number = opened();
    const stranger = await happens("issues", labeled(number, "mallory"));
    expect(stranger).toMatchObject({ work: null, read: { exitCode: 0, outputs: { start: "false" } } });
    expect(stranger.read.summary).toMatch(/`asked`: .*permission/);
    const other = await happens("issues", labeled(number, "alice", "bug"));
    expect(other.work).toBeNull();
    expect(other.read.summary).toMatch(/`asked`: .*is false/);
    const { work } = await happens("issues", labeled(number, "alice"));
    expect(work).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "passed" } });
    expect(said(number)).toContain("adds prices without counts");
    // Another job delivers the same fact, and cannot read the thread's own state.
    const again = await happens("issues", labeled(number, "alice"));
    expect(again.work?.summary).toMatch(/started `run_\w+` before/i);
    await happens("issue_comment", platform.comment("/baton why", "alice", number));
    expect(said(number)).toMatch(/`asked` on `issues.labeled`: Started `run_/);
  });

  it("a push that changes what the rule names runs in the dashboard issue; the files are asked of GitHub", async () => {
    const shop = [...platform.github.state.repositories.values()].find(({ name }) => name === "shop");
    const pushed = async (path: string) => {
      const before = shop?.refs.get("refs/heads/main");
      const after = await platform.github.push({
        repository: repositoryName,
        as: "alice",
        branch: "main",
        files: { [path]: "Text.\n" },
      });
      const ref = "refs/heads/main";
      return { ref, before, after, commits: [{ id: after }], sender: person("alice"), ...platform.about() };
    };
    expect((await happens("push", await pushed("notes.txt"))).read.summary).toMatch(/No changed file matches/);
    const { work } = await happens("push", await pushed("docs/a.md"));
    expect(work).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "passed" } });
    const dashboard = [...(shop?.threads.values() ?? [])].find(({ title }) => title === "Baton dashboard");
    expect(said(dashboard?.number ?? 0)).toContain("adds prices without counts");
  });
});
