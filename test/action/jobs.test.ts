/** Runners start many jobs at once, kill them, let them run out of time, or withhold rights. The state in git carries on. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { workflowAlone } from "../../src/onboarding/template.ts";
import { comments, pulls, repositoryOf } from "../scenarios/helpers.ts";
import { deadlyGit, type FinishedJob, type Platform, type PlatformOptions, startPlatform } from "./platform.ts";

// Each job is a process that starts a dozen git processes, which takes long on a busy machine.

let platform: Platform;
afterEach(() => platform.close());

const begin = async (options: PlatformOptions = {}): Promise<void> => {
  platform = await startPlatform(options);
};
const said = (): string[] =>
  comments(platform as never, platform.issue)
    .filter(({ login }) => login === "github-actions[bot]")
    .map(({ body }) => body);
const replies = (): string[] => said().filter((body) => body.includes("reply:"));
const verdicts = (jobs: FinishedJob[]): string[] => jobs.map(({ outputs }) => outputs["verdict"] ?? "none").sort();

/** Nobody waits for checks that do not come. */
const waiting = { config: "version: 1\nharness: { default: command }\ngates: { appearSeconds: 3600 }\n" };

/** A job this many minutes from now, when its own checks are due. */
function later(minutes: number): Record<string, string> {
  const path = join(platform.directory, `later-${minutes}.mjs`);
  writeFileSync(path, `const { now } = Date;\nDate.now = () => now() + ${minutes * 60_000};\n`);
  return { NODE_OPTIONS: `--import=${path}` };
}

describe("many jobs on one thread", () => {
  it.each([2, 8])("%i comments at once: each is answered once, one job drives, one run begins", async (count) => {
    await begin({ programs: true });
    const payloads = Array.from({ length: count }, (_, index) =>
      platform.comment(index === 0 ? "/baton run" : "/baton help"),
    );
    const jobs = await Promise.all(payloads.map((payload) => platform.run("issue_comment", payload)));
    await platform.settle();
    expect(jobs.map(({ errors }) => errors).join("")).toBe("");
    expect(jobs.map(({ exitCode }) => exitCode)).toEqual(Array(count).fill(0));
    expect(pulls(platform as never)).toHaveLength(1);
    expect(replies()).toHaveLength(count - 1);
    const asked = [...repositoryOf(platform as never).comments.values()].filter(({ body }) => body === "/baton help");
    expect(asked.map(({ reactions }) => reactions.filter(({ content }) => content === "+1").length)).toEqual(
      Array(count - 1).fill(1),
    );
    // A job that did not get the thread ended at once.
    for (const job of jobs)
      if (job.outputs["verdict"] === "elsewhere")
        expect(Number(/(\d+) API calls?/.exec(job.summary)?.[1])).toBeLessThanOrEqual(2);
  });

  it("the same event twice, as when somebody starts the job again, is handled once", async () => {
    await begin();
    const payload = platform.comment("/baton help");
    await platform.run("issue_comment", payload);
    const again = await platform.run("issue_comment", payload);
    expect(again.exitCode).toBe(0);
    expect(said()).toHaveLength(1);
  });
});

/** All eight commands only in the nightly run. */
const firstCommands = process.env["BATON_TEST_EVERY_PUSH"] === undefined ? 3 : 8;

it("first commands on several threads at once: no state before, each is carried out, and the ledger has them all", async () => {
  await begin({ ci: false });
  const numbers = [platform.issue];
  while (numbers.length < firstCommands)
    numbers.push(
      platform.github.openIssue({
        repository: repositoryName,
        as: "alice",
        title: `Where is ${numbers.length}?`,
        body: "?",
      }).number,
    );
  const payloads = numbers.map((number) => platform.comment("/baton run explore", "alice", number));
  const jobs = await Promise.all(payloads.map((payload) => platform.run("issue_comment", payload)));
  await platform.settle();
  expect(jobs.map(({ errors }) => errors).join("")).toBe("");
  expect(verdicts(jobs)).toEqual(Array(firstCommands).fill("passed"));
  const runs = jobs.map(({ outputs }) => outputs["run-id"]);
  expect(new Set(runs).size).toBe(firstCommands);
  const rows = shared(`ledger/${new Date().toISOString().slice(0, 7)}.jsonl`).map(
    (line) => JSON.parse(line) as { runId: string; kind: string; usd: number },
  );
  // Each run set money aside and spent it. No push of another run lost any of it.
  for (const runId of runs) {
    expect(rows.filter((row) => row.runId === runId && row.kind === "reserve").length).toBeGreaterThan(0);
    expect(rows.filter((row) => row.runId === runId && row.kind === "settle" && row.usd > 0).length).toBeGreaterThan(0);
  }
  expect(shared("ended.jsonl")).toHaveLength(firstCommands);
  expect(shared("index.jsonl")).toEqual([]);
});

it("a command whose job the platform dropped is found by the schedule, and handled once", async () => {
  await begin({ ci: false, config: "version: 1\nharness: { default: command }\ngates: { appearSeconds: 3600 }\n" });
  await platform.run("issue_comment", platform.comment("/baton run"));
  const before = replies().length;
  const dropped = platform.comment("/baton why");
  const found = await platform.run("schedule", platform.about());
  expect(found.errors).toBe("");
  expect(replies()).toHaveLength(before + 1);
  // A person starts its job again by hand.
  await platform.run("issue_comment", dropped);
  await platform.run("schedule", platform.about());
  expect(replies()).toHaveLength(before + 1);
});

describe("the very first command of a thread, dropped with its job", () => {
  const refs = (): string[] => [...shop().refs.keys()].filter((ref) => ref.startsWith("refs/baton/thread/")).sort();
  const open = (body: string, as = "alice"): number =>
    platform.github.openIssue({ repository: repositoryName, as, title: "New", body }).number;
  const written = (text: string, at: { createdAt?: string; updatedAt?: string; editedAt?: string }): void => {
    for (const comment of shop().comments.values()) if (comment.body === text) Object.assign(comment, at);
  };
  const saidIn = (number: number): string[] =>
    comments(platform as never, number).flatMap(({ login, body }) => (login === "github-actions[bot]" ? [body] : []));

  it("in a repository without any state: the schedule carries out each command once, as its event would have", async () => {
    await begin({ ci: false, config: "version: 1\nharness: { default: command }\ngates: { appearSeconds: 3600 }\n" });
    const dropped = platform.comment("/baton run");
    const asText = open("The total is wrong.\n\n/baton help");
    const ofStranger = open("Hello.");
    platform.comment("/baton run", "mallory", ofStranger);
    const [edited, early, silent] = [open("Hm."), open("Ah."), open("> /baton run")];
    platform.comment("/baton why", "alice", edited);
    // Within the second in which it was written, so that REST shows no edit.
    written("/baton why", { editedAt: ago(0) });
    // A label changes an issue without an edit.
    const labeled = shop().threads.get(asText);
    if (labeled !== undefined) labeled.updatedAt = ago(-1);
    // The comment is older than the workflow, so another Baton may have carried it out.
    platform.comment("/baton cost", "alice", early);
    written("/baton cost", { createdAt: ago(2), updatedAt: ago(2) });

    const found = await platform.run("schedule", platform.about());
    expect(found.errors).toBe("");
    // Baton refuses one of them, and says so as its own job would have.
    expect(found).toMatchObject({ exitCode: 1, outputs: { verdict: "refused" } });
    expect(refs()).toEqual([platform.issue, asText, ofStranger].map((number) => `refs/baton/thread/${number}`).sort());
    expect(pulls(platform as never)).toHaveLength(1);
    expect(saidIn(ofStranger).filter((body) => body.includes("🚫"))).toHaveLength(1);
    expect(saidIn(asText)).toHaveLength(1);
    for (const number of [edited, early, silent]) expect(saidIn(number)).toEqual([]);

    const before = comments(platform as never, platform.issue).length;
    expect((await platform.run("issue_comment", dropped)).exitCode).toBe(0);
    const again = await platform.run("schedule", platform.about());
    expect(again).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "nothing" } });
    expect(again.summary).toMatch(/ 0 state pushes, .* 0 writes/);
    expect(comments(platform as never, platform.issue)).toHaveLength(before);
    expect(saidIn(ofStranger)).toHaveLength(1);
    expect(saidIn(asText)).toHaveLength(1);
  });

  it("killed at any push, the schedule is followed by one that finds what is left; the cursor then spares reading", async () => {
    await begin();
    const numbers = ["One.", "Two."].map((body) => open(body));
    for (const number of numbers) platform.comment("/baton help", "alice", number);
    written("/baton help", { createdAt: ago(1), updatedAt: ago(1) });
    shop().createdAt = ago(48);
    // The first push begins the state. Then each thread starts, gets its answer and ends.
    for (const [at, when] of [
      [2, "before"],
      [2, "after"],
      [1, "before"],
    ] as const) {
      const path = `${deadlyGit(platform.directory, at, when)}:${process.env["PATH"]}`;
      expect(await platform.run("schedule", platform.about(), { PATH: path })).toMatchObject({ exitCode: null });
    }
    expect(await platform.run("schedule", platform.about())).toMatchObject({ exitCode: 0, errors: "" });
    for (const number of numbers) expect(saidIn(number)).toHaveLength(1);
    expect(shared("values.jsonl").join("")).toContain("commands.taken-in-until");
    const last = await platform.run("schedule", platform.about());
    expect(last.summary).toMatch(/ 0 state pushes, .* 0 writes/);
    const looks = platform.github.log.filter(({ path }) => path.endsWith("/issues/comments"));
    const from = looks.map(({ query }) => Date.parse(query["since"] ?? "")).map((at) => Date.now() - at);
    // At first a day, at last no more than the clocks may differ.
    expect(from.at(0)).toBeGreaterThan(23 * 3_600_000);
    expect(from.at(-1)).toBeLessThan(3_600_000);
  });
});

describe("what means nothing costs nothing", () => {
  it("a comment without a command, an edit, an event that nobody waits for: no state is begun, no call is made", async () => {
    await begin();
    const edited = { ...platform.comment("/baton run"), action: "edited" };
    // An edit brings an old comment up again.
    for (const comment of shop().comments.values()) comment.createdAt = ago(30);
    const jobs = [
      await platform.run("issue_comment", platform.comment("I like this")),
      await platform.run("issue_comment", edited),
      await platform.run("workflow_run", {
        action: "completed",
        workflow_run: { id: 1, head_sha: "a".repeat(40) },
        ...platform.about(),
      }),
    ];
    expect(verdicts(jobs)).toEqual(Array(3).fill("nothing"));
    expect(jobs.every(({ exitCode }) => exitCode === 0)).toBe(true);
    expect(jobs.every(({ summary }) => summary.includes("0 state pushes, 0 API calls"))).toBe(true);
    // The schedule looks for comments whose job never ran, and for schedules. It begins no state for the answers.
    const schedule = await platform.run("schedule", { schedule: "* * * * *", ...platform.about() });
    expect(schedule).toMatchObject({ exitCode: 0, outputs: { verdict: "nothing" } });
    expect(schedule.summary).toContain("0 state pushes, 3 API calls");
    expect([...shop().refs.keys()].filter((ref) => ref.startsWith("refs/baton"))).toEqual([]);
  });

  it("a fork's pull request: nothing is tried with a token that may not write", async () => {
    await begin();
    const sides = { head: { sha: "b".repeat(40), repo: { id: 7 } }, base: { repo: { id: 8 } } };
    const payload = { action: "synchronize", pull_request: { number: 3, ...sides }, ...platform.about() };
    const job = await platform.run("pull_request", payload);
    expect(job).toMatchObject({ exitCode: 0, outputs: { verdict: "nothing" } });
    expect(job.log).toContain("fork");
  });
});

describe("honest ends", () => {
  it("a stranger is refused once, in the thread and by the exit code", async () => {
    await begin();
    const job = await platform.run("issue_comment", platform.comment("/baton run", "mallory"));
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "refused", "run-id": "" } });
    expect(job.log).toContain("::error title=Baton: refused::");
    expect(said().filter((body) => body.includes("🚫"))).toHaveLength(1);
    expect(pulls(platform as never)).toHaveLength(0);
  });

  it("a run that fails makes the job fail, with its reason as annotation", async () => {
    await begin({ script: { plan: [{ text: "no", exitCode: 3 }] } });
    const job = await platform.run("issue_comment", platform.comment("/baton run"));
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "failed" } });
    expect(job.log).toMatch(/::error title=Baton: failed::.*exit code 3/);
  });

  it("a token that may not write the state is named, not retried for ever", async () => {
    await begin();
    const token = platform.github.state.tokens.get(platform.token);
    if (token !== undefined) token.grants = { metadata: "read", contents: "read", issues: "write" };
    const job = await platform.run("issue_comment", platform.comment("/baton run"));
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "failed", "run-id": "", "cost-usd": "0" } });
    for (const told of [job.log, job.summary]) {
      expect(told).toMatch(/BATON_GIT_DENIED.*could not be written/);
      expect(told).toContain("permissions: { contents: write }");
      expect(told).not.toContain(platform.token);
    }
    expect(job.log).toContain("::error title=Baton: failed::");
  });

  it("a job that may not write to the thread is no success, and says which permission is missing", async () => {
    await begin();
    const token = platform.github.state.tokens.get(platform.token);
    if (token !== undefined) token.grants = { ...token.grants, issues: "read", pull_requests: "read" };
    const job = await platform.run("issue_comment", platform.comment("/baton help"));
    expect(said()).toEqual([]);
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "failed" } });
    expect(job.log).toContain("::error title=Baton: failed::The job may not write to the thread");
    for (const told of [job.log, job.summary]) expect(told).toContain("needs issues: write or pull-requests: write");
  });

  it.each<[string, string, RegExp]>([
    ["pull-requests", "write", /lacks `pull-requests: write`/],
    ["checks", "write", /lacks `checks: write`/],
    ["actions", "write", /lacks `actions: write`/],
  ])(
    "a workflow without `%s: %s` starts no run, before the first paid step, and says where to add it",
    async (name, level, words) => {
      await begin({ workflow: workflowAlone().text.replace(new RegExp(`^  ${name}: ${level}.*\n`, "m"), "") });
      const job = await platform.run("issue_comment", platform.comment("/baton run"));
      expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "refused", "run-id": "", "cost-usd": "0" } });
      expect(said().join("\n")).toMatch(words);
      expect(said().join("\n")).toContain("`permissions` of `.github/workflows/baton.yml`");
    },
  );

  it("without an event file the job says that no runner started it", async () => {
    await begin();
    const job = await platform.run("issue_comment", platform.comment("/baton help"), { GITHUB_EVENT_NAME: "" });
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "failed", "run-id": "", "pull-request": "" } });
    expect(job.summary).toContain("GITHUB_EVENT_NAME");
  });

  it.each([
    ["999", "There is no issue or pull request #999"],
    ["the second", "Write the number of an issue or pull request"],
  ])("started by hand for thread %s: refused, and no state is begun for it", async (thread, said) => {
    await begin();
    const job = await platform.run("workflow_dispatch", { inputs: { thread }, ...platform.about() });
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "refused" } });
    expect(job.log).toContain(said);
    expect([...shop().refs.keys()].filter((ref) => ref.startsWith("refs/baton"))).toEqual([]);
  });
});

describe("a run that only people can move", () => {
  it("costs a schedule no push, and is not what somebody else's refusal was about; a later job tops it up", async () => {
    const budget = "budget: { runUsd: 0.03 }\ngates: { appearSeconds: 3600 }\n";
    await begin({ ci: false, config: `version: 1\nharness: { default: command }\n${budget}` });
    const first = await platform.run("issue_comment", platform.comment("/baton run"));
    expect(first.summary).toContain("Out of budget");
    const idle = await platform.run("schedule", platform.about());
    expect(idle).toMatchObject({ exitCode: 0, outputs: { verdict: "nothing" } });
    expect(idle.summary).toContain("0 state pushes");
    const refused = await platform.run("issue_comment", platform.comment("/baton run", "mallory"));
    expect(refused).toMatchObject({ exitCode: 1, outputs: { verdict: "refused", "run-id": "", "cost-usd": "0" } });
    expect(refused.log).toMatch(/::error title=Baton: refused::.*needs the permission/);
    const next = await platform.run("issue_comment", platform.comment("/baton budget +5"));
    expect(next).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting", "run-id": first.outputs["run-id"] } });
    expect(next.outputs["pull-request"]).toBe("2");
  });
});

describe("a journal that somebody changed", () => {
  it("stops its own thread alone, which goes on when the ref is put back", async () => {
    const gates = "gates: { appearSeconds: 3600 }\n";
    await begin({ ci: false, config: `version: 1\nharness: { default: command }\n${gates}` });
    const { github, issue } = platform;
    const other = github.openIssue({ repository: repositoryName, as: "alice", title: "Another", body: "-" }).number;
    for (const number of [issue, other]) {
      const job = await platform.run("issue_comment", platform.comment("/baton run", "alice", number));
      expect(job.outputs["verdict"]).toBe("waiting");
    }
    const gitDir = github.gitDirectory(repositoryName);
    const inRepository = (args: string[], input = ""): string =>
      execFileSync("git", ["-C", gitDir, ...args], { encoding: "utf8", input });
    const refOf = (number: number): string => `refs/baton/thread/${number}`;
    const headOf = (number: number): string => inRepository(["rev-parse", refOf(number)]).trim();
    const before = { broken: headOf(issue), other: headOf(other) };
    const path = inRepository(["ls-tree", "-r", "--name-only", refOf(issue), "journal/"]).trim();
    const changed = inRepository(["show", `${refOf(issue)}:${path}`]).replace('"alice"', '"mallory"');
    inRepository(
      ["fast-import", "--quiet"],
      `commit ${refOf(issue)}\ncommitter M <m@m> 1 +0000\ndata 1\nx\nfrom ${refOf(issue)}^0\nM 100644 inline ${path}\ndata ${Buffer.byteLength(changed)}\n${changed}\ndone\n`,
    );
    const saidBefore = said().length;
    const broken = await platform.run("schedule", platform.about(), later(10));
    expect(broken).toMatchObject({ exitCode: 1, outputs: { verdict: "failed" } });
    expect(broken.log).toMatch(/::error title=Baton: failed::BATON_JOURNAL_BROKEN: Event 1 of run_/);
    expect(broken.summary).toContain("when-the-state-is-broken");
    expect(said()).toHaveLength(saidBefore);
    expect(inRepository(["show", `${refOf(issue)}:${path}`])).toBe(changed);
    expect(headOf(other)).not.toBe(before.other);
    // As the guide says.
    inRepository(["update-ref", refOf(issue), before.broken]);
    inRepository(["update-ref", `refs/baton/accepted/thread/${issue}`, before.broken]);
    const next = await platform.run("schedule", platform.about(), later(20));
    expect(next).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
    expect(headOf(issue)).not.toBe(before.broken);
  });
});

describe("a thread's ref that somebody set back", () => {
  it("stops that thread with the reason, and goes on when it is put back", async () => {
    const gates = "gates: { appearSeconds: 3600 }\n";
    await begin({ ci: false, config: `version: 1\nharness: { default: command }\n${gates}` });
    const { github, issue } = platform;
    const job = await platform.run("issue_comment", platform.comment("/baton run"));
    expect(job.outputs["verdict"]).toBe("waiting");
    const ref = `refs/baton/thread/${issue}`;
    const inRepository = (...args: string[]): string =>
      execFileSync("git", ["-C", github.gitDirectory(repositoryName), ...args], { encoding: "utf8" }).trim();
    const head = inRepository("rev-parse", ref);
    inRepository("update-ref", ref, `${ref}~1`);
    const before = said().length;
    const stopped = await platform.run("issue_comment", platform.comment("/baton status"));
    expect(stopped).toMatchObject({ exitCode: 1, outputs: { verdict: "failed" } });
    expect(stopped.log).toContain(`::error title=Baton: failed::BATON_STATE_ROLLED_BACK: ${ref} is at`);
    expect(stopped.summary).toContain("when-a-ref-was-set-back");
    expect(said()).toHaveLength(before);
    inRepository("update-ref", ref, head);
    const next = await platform.run("issue_comment", platform.comment("/baton status"));
    expect(next).toMatchObject({ exitCode: 0 });
  });
});

describe("what is kept of an agent's work", () => {
  const refs = (): string[] => [...shop().refs.keys()].filter((ref) => ref.includes("/kept/"));
  /** Assembled, so that no scanner takes this file for a leak. */
  const secret = `gh${"p"}_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8`;
  const stateKey = "0123456789abcdef0123456789abcdef";
  const writing = (files: Record<string, string>) => ({
    ...sampleScript,
    implement: [{ ...sampleScript.repair[0], files: { ...sampleScript.repair[0]?.files, ...files } }],
  });

  it.each<[string, Record<string, string>, Record<string, string>, RegExp | null]>([
    ["protected work", { ".github/dependabot.yml": "version: 2\n" }, {}, null],
    // GitHub accepts this commit from no job's token, on no ref. So Baton does not keep it as a commit.
    ["a workflow file", { ".github/workflows/x.yml": "on: push\n" }, {}, /without `workflows` permission/],
    ["blocked work with a key", { ".github/t.yml": secret }, { "INPUT_STATE-KEY": stateKey }, /t\.yml.*in commit/],
  ])("%s: its machine goes before anybody allows it, and the next job goes on", async (_, files, environment, end) => {
    await begin({ ci: false, script: writing(files), ...waiting });
    const asked = await platform.run("issue_comment", platform.comment("/baton run"), environment);
    expect(asked).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "waiting", "pull-request": "" } });
    expect(asked.summary).toMatch(/protected path/);
    expect(refs()).not.toEqual([]);
    expect(refs().every((ref) => ref.endsWith(".sealed"))).toBe("INPUT_STATE-KEY" in environment);
    rmSync(asked.directory, { recursive: true });
    const next = await platform.run("issue_comment", platform.comment("/baton approve", "bob"), environment);
    expect(next.outputs["verdict"]).toBe(end === null ? "waiting" : "failed");
    expect(pulls(platform as never)).toHaveLength(end === null ? 1 : 0);
    if (end !== null) expect(said().join("\n")).toMatch(end);
    expect(said().join("\n")).not.toContain(secret);
    // After the end of the run, nobody needs it.
    if (end !== null) expect(refs()).toEqual([]);
  });

  it("blocked work without a key ends with its job, and the thread names the input that would keep it", async () => {
    await begin({ ci: false, script: writing({ "t.txt": secret }) });
    const job = await platform.run("issue_comment", platform.comment("/baton run"));
    expect(job).toMatchObject({ exitCode: 1, outputs: { verdict: "failed" } });
    expect(said().join("\n")).toMatch(/This work ends with the job.*`state-key`/);
    expect(refs()).toEqual([]);
  });

  it("what a job that died left of a run that is over goes with the next schedule", async () => {
    await begin({ ci: false, ...waiting });
    await platform.run("issue_comment", platform.comment("/baton run"));
    const [ref = ""] = refs();
    const gone = ref.replace(/run_\w+/, "run_0123456789abcdef");
    execFileSync("git", ["-C", platform.github.gitDirectory(repositoryName), "update-ref", gone, ref]);
    const before = refs().length;
    await platform.run("schedule", platform.about());
    expect(refs()).toHaveLength(before);
    expect(refs()).toContain(ref);
    const left = execFileSync("git", ["-C", platform.github.gitDirectory(repositoryName), "for-each-ref", gone]);
    expect(left.toString()).toBe("");
  });

  it("outlives the machine while the run goes on, and is gone when it is over", async () => {
    await begin();
    await platform.run("issue_comment", platform.comment("/baton run"));
    expect(refs()).not.toEqual([]);
    await platform.run("issue_comment", platform.comment("/baton cancel"));
    expect(refs()).toEqual([]);
  });
});

describe("jobs that die", () => {
  it("a killed job's thread is freed by its post step, and the next event goes on with the run", async () => {
    const gate = "go";
    await begin({ script: { ...sampleScript, plan: [{ waitFor: gate }, ...(sampleScript["plan"] ?? [])] } });
    const running = platform.start("issue_comment", platform.comment("/baton run"));
    await platform.waitForAgent(gate);
    running.kill("SIGKILL");
    const killed = await running.done;
    expect(killed.log).toContain("is free again");
    const next = await platform.run("schedule", platform.about());
    expect(next.errors).not.toContain("BATON_");
    expect(next.outputs["run-id"]).toMatch(/^run_/);
    expect(pulls(platform as never)).toHaveLength(1);
  });

  it.each([
    ["completed", "waiting", true],
    ["in_progress", "elsewhere", false],
  ] as const)(
    "one that is gone with its machine: its workflow run %s, so the next event is %s",
    async (status, verdict, taken) => {
      const gate = "go";
      // Without a post step, nothing frees the thread.
      await begin({
        post: false,
        script: { ...sampleScript, plan: [{ waitFor: gate }, ...(sampleScript["plan"] ?? [])] },
      });
      const running = platform.start("issue_comment", platform.comment("/baton run"));
      await platform.waitForAgent(gate);
      running.kill("SIGKILL");
      await running.done;
      platform.github.state.workflowRuns.set(101, { status, at: new Date().toISOString().replace(/\.\d+/, "") });
      const next = await platform.run("workflow_dispatch", {
        inputs: { thread: `${platform.issue}` },
        ...platform.about(),
      });
      expect(next.outputs["verdict"]).toBe(verdict);
      expect(pulls(platform as never)).toHaveLength(taken ? 1 : 0);
    },
  );

  it("a job that is asked to stop hands over: the run goes on from its journal", async () => {
    const gate = "go";
    await begin({ script: { ...sampleScript, plan: [{ waitFor: gate }, ...(sampleScript["plan"] ?? [])] } });
    const running = platform.start("issue_comment", platform.comment("/baton run"));
    await platform.waitForAgent(gate);
    running.kill("SIGTERM");
    const stopped = await running.done;
    expect(stopped).toMatchObject({ exitCode: 0, outputs: { verdict: "handed-over" } });
    // The successor, as the platform starts it.
    const next = await platform.run("workflow_dispatch", {
      inputs: { thread: `${platform.issue}` },
      ...platform.about(),
    });
    expect(next.exitCode).toBe(0);
    expect(pulls(platform as never)).toHaveLength(1);
  });
});

describe("killed at a push", () => {
  // The first push begins the shared state, the second adds the event. All pushes only in the nightly run.
  const all = process.env["BATON_TEST_EVERY_PUSH"] === undefined ? [2, 5] : Array.from({ length: 14 }, (_, n) => n + 1);
  it.each(all.flatMap((at) => [[at, "before"] as const, [at, "after"] as const]))(
    "%i, %s it: the next jobs end with one pull request, one status and no second answer",
    async (at, when) => {
      await begin();
      const payload = platform.comment("/baton run");
      const path = `${deadlyGit(platform.directory, at, when)}:${process.env["PATH"]}`;
      const killed = await platform.run("issue_comment", payload, { PATH: path });
      expect(killed.exitCode).toBe(null);
      // The schedule finds the event even if it never arrived.
      const next = await platform.run("schedule", platform.about());
      expect(next).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
      await platform.settle();
      expect(pulls(platform as never)).toHaveLength(1);
      expect(replies()).toHaveLength(0);
      expect(said().filter((body) => body.includes("status:"))).toHaveLength(1);
    },
  );
});

describe("the time limit", () => {
  it("a job that reaches it saves what it has, starts a successor, and ends green", async () => {
    const gate = "go";
    await begin({ script: { ...sampleScript, plan: [{ waitFor: gate }, ...(sampleScript["plan"] ?? [])] } });
    const job = await platform.run("issue_comment", platform.comment("/baton run"), {
      "INPUT_TIME-LIMIT-MINUTES": "0.1",
    });
    expect(job).toMatchObject({ exitCode: 0, outputs: { verdict: "handed-over" } });
    expect(platform.github.log.map(({ method, path }) => `${method} ${path}`)).toContain(
      "POST /repos/acme/shop/actions/workflows/baton.yml/dispatches",
    );
    const successor = await platform.run("workflow_dispatch", {
      inputs: { thread: `${platform.issue}` },
      ...platform.about(),
    });
    expect(successor).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
  });

  it("one that is no number is refused with what is allowed", async () => {
    await begin();
    const job = await platform.run("issue_comment", platform.comment("/baton run"), {
      "INPUT_TIME-LIMIT-MINUTES": "soon",
    });
    expect(job.exitCode).toBe(1);
    expect(job.log).toContain("number of minutes, up to 7200");
  });
});

/** Lines of a file that all threads share. */
function shared(path: string): string[] {
  const cwd = platform.github.gitDirectory(repositoryName);
  const text = execFileSync("git", ["show", `refs/baton/shared:${path}`], { cwd, encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}

/** As GitHub writes it. */
function ago(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString().replace(/\.\d+/, "");
}

function shop() {
  const found = [...platform.github.state.repositories.values()].find(({ name }) => name === "shop");
  if (found === undefined) throw new Error(`no ${repositoryName}`);
  return found;
}
