/** Due schedules of one repository, with a fake GitHub of plain data and a store in memory. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { people, repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import type { CommandContext } from "../commands/command.ts";
import { schedule } from "../commands/schedule.ts";
import { parseConfig } from "../config/parse.ts";
import { BatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { matchesAny } from "../policy/paths.ts";
import { defineProcess } from "../process/process.ts";
import { createRun } from "../runner/create-run.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { changeControls, pauseOf, readBook, readControls, resumeOf } from "../runner/schedule-book.ts";
import { Schedules } from "../runner/schedules.ts";
import { openDashboard } from "./open-dashboard.ts";
import { hasDue, startDue } from "./start-due.ts";

const hour = 3_600_000;
const rule = (more = "") => `  - { name: nightly, cron: "0 3 * * *", process: explore, jitterMinutes: 0${more} }\n`;
const base = "harness: { default: command }\nschedules:\n";

function scene(config: string) {
  // Midnight of January 1.
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(config, () => clock.now());
  const dependencies = {
    store,
    clock,
    log: silentLog,
    owner: "test",
    redact: (text: string) => text,
    processes: builtInProcesses(),
    harnesses: new Map([["command", spy("command", [])]]),
    github: github.app(),
    repositoryCommands: true,
    publicUrl: null,
  } as unknown as Dependencies;
  const options = { runner: { wake: async () => false }, lateAfterMs: 60_000 };
  const look = (given = dependencies) => startDue(given, repository, options);
  const runs = () => store.runs({});
  const entry = async (name = "nightly") => (await readBook(store, repository.id)).entries[name];
  const body = async () =>
    ((await store.outboxRow(`dashboard:${repository.id}`))?.payload as { body: string } | undefined)?.body ?? "";
  /** Ends the run, although nobody drove it. */
  const end = async (runId: string) => {
    const row = await store.run(runId as never);
    const { dashboard } = await readBook(store, repository.id);
    if (row === null) throw new Error("no run");
    await store.write({
      run: { ...row, status: "completed" },
      thread: { threadKey: `${repository.id}#${dashboard}/nightly`, activeRunId: null },
    });
  };
  return { clock, store, github, dependencies, look, runs, entry, body, end };
}

describe("what is due of a repository", () => {
  it("`dashboard: false` opens no issue and starts nothing", async () => {
    const { clock, github, look, runs } = scene(`dashboard: false\n${base}${rule()}`);
    await look();
    clock.advance(4 * hour);
    expect(await look()).toMatch(/do not run with `dashboard: false`/);
    expect(await runs()).toEqual([]);
    expect(github.issues.size).toBe(0);
  });

  it("without schedules there is no issue, and nothing is asked again for an hour", async () => {
    const { clock, github, dependencies, look } = scene("harness: { default: command }\n");
    expect(await look()).toBeNull();
    expect(github.issues.size).toBe(0);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
    clock.advance(hour);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
  });

  it.each([
    ["a file without schedules breaks", "harness: 3\n"],
    ["a file that is not YAML", "a: [\n"],
    ["`dashboard: false` next to an error", `dashboard: false\nharness: 3\n${rule()}`],
  ])("%s: no dashboard issue opens", async (_, config) => {
    const { github, dependencies, look } = scene(config);
    expect(await look()).toBeNull();
    expect(github.issues.size).toBe(0);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
  });

  it("a file that breaks before the dashboard is open keeps the rules that were known", async () => {
    const { clock, store, dependencies, look } = scene(`dashboard: false\n${base}${rule()}`);
    await look();
    await look({ ...dependencies, github: new SmallGithub("harness: 3\n", () => clock.now()).app() });
    expect((await readBook(store, repository.id)).rules).toMatchObject([{ name: "nightly" }]);
  });

  it.each(["BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND", "BATON_GITHUB_UNAVAILABLE"] as const)(
    "an issue that GitHub refuses (%s) is tried again when the rules are read again, not before",
    async (code) => {
      const { clock, github, dependencies, look } = scene(`${base}${rule(", catchUp: none").replace("0 3", "*/5 *")}`);
      const { ensureIssue } = github;
      github.ensureIssue = () => Promise.reject(new BatonError(code, "410"));
      await expect(look()).rejects.toMatchObject({ code });
      expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
      clock.advance(hour / 2);
      expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
      clock.advance(hour / 2);
      expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
      github.ensureIssue = ensureIssue;
      await look();
      expect(github.issues.size).toBe(1);
    },
  );

  it("a death between the run and the book starts nothing twice", async () => {
    const { clock, store, dependencies, look, runs, entry } = scene(`${base}${rule()}`);
    await look();
    clock.advance(3 * hour);
    const dies = {
      ...dependencies,
      store: new Proxy(store, {
        get: (target, name) =>
          name === "setValue"
            ? () => Promise.reject(new Error("killed"))
            : (Reflect.get(target, name) as () => unknown).bind?.(target),
      }),
    };
    await expect(look(dies)).rejects.toThrow("killed");
    expect(await runs()).toHaveLength(1);
    expect(await look()).toBe("found nightly");
    expect(await runs()).toHaveLength(1);
    expect((await entry())?.runId).toBe((await runs())[0]?.runId);
  });

  it("two at once start one run", async () => {
    const { clock, look, runs } = scene(`${base}${rule()}`);
    await look();
    clock.advance(3 * hour);
    await Promise.all([look(), look(), look()]);
    expect(await runs()).toHaveLength(1);
  });

  it("while GitHub is down the time is kept and tried again", async () => {
    const { clock, github, look, runs } = scene(`${base}${rule()}`);
    await look();
    clock.advance(3 * hour);
    const { lastChange } = github;
    github.lastChange = () => Promise.reject(new BatonError("BATON_GITHUB_UNAVAILABLE", "503"));
    await expect(look()).rejects.toMatchObject({ code: "BATON_GITHUB_UNAVAILABLE" });
    expect(await runs()).toEqual([]);
    github.lastChange = lastChange;
    clock.advance(hour);
    expect(await look()).toBe("started nightly");
  });

  it.each([
    ["an unknown process", rule().replace("explore", "explor"), /no process `explor`.*Did you mean `explore`/],
    ["an input that it does not take", rule(", with: { depth: 3 }"), /`explore` has no input `depth`/],
    ["a process for pull requests", rule().replace("explore", "address-review"), /works on pull requests/],
    ["a harness that is not here", rule(", harness: codex"), /codex/],
    ["more than the day's budget", `${rule()}budget: { dayUsd: 0 }\n`, /has used \$0\.00 of \$0\.00/],
  ])("%s is said in the dashboard, and the next time is tried again", async (_, rules, said) => {
    const { clock, look, runs, body, entry } = scene(`${base}${rules}`);
    await look();
    clock.advance(3 * hour);
    expect(await look()).toBe("refused nightly");
    expect(await runs()).toEqual([]);
    expect(await body()).toMatch(said);
    expect((await entry())?.last).toBe(clock.now());
    expect(await look()).toBeNull();
  });

  it("nobody known, or a bot, brought the rule: nothing starts", async () => {
    const { clock, github, look, body } = scene(`${base}${rule()}`);
    await look();
    clock.advance(3 * hour);
    github.ruleAuthor = null;
    expect(await look()).toBe("refused nightly");
    expect(await body()).toMatch(/GitHub does not say who brought/);
    clock.advance(24 * hour);
    github.ruleAuthor = { id: 51, login: "baton[bot]", kind: "bot" };
    expect(await look()).toBe("refused nightly");
  });

  it.each([
    ["skip", "skipped nightly", 1],
    ["queue", "queued nightly", 2],
  ])("`overlap: %s` while the run before it is active", async (overlap, did, count) => {
    const { clock, look, runs, end, body } = scene(`${base}${rule(`, overlap: ${overlap}, catchUp: none`)}`);
    await look();
    clock.advance(3 * hour);
    await look();
    clock.advance(24 * hour);
    expect(await look()).toBe(did);
    expect(await body()).toMatch(/active|waits for its run/);
    await end((await runs())[0]?.runId ?? "");
    clock.advance(2 * hour);
    await look();
    expect(await runs()).toHaveLength(count);
  });

  it("two schedules at one time run at once, each with its own place and branch", async () => {
    const { clock, store, look, runs } = scene(`${base}${rule()}${rule().replace("nightly", "weekly")}`);
    await look();
    clock.advance(3 * hour);
    expect(await look()).toBe("started nightly, started weekly");
    const created = await Promise.all((await runs()).map(async ({ runId }) => (await store.read(runId))[0]?.event));
    const branches = created.map((event) =>
      event?.type === "run.created" ? (event.input as { branch: string }).branch : "",
    );
    expect(branches.sort()).toEqual(["baton/schedule-nightly", "baton/schedule-weekly"]);
  });

  it("a rule with other times begins anew: what it missed before is not caught up", async () => {
    const { clock, dependencies, github, look, runs } = scene(`${base}${rule()}`);
    await look();
    clock.advance(30 * hour);
    const other = new SmallGithub(`${base}${rule().replace("0 3", "0 4")}`, () => clock.now());
    Object.assign(other, { issues: github.issues });
    await look({ ...dependencies, github: other.app() });
    expect(await runs()).toEqual([]);
    clock.advance(23 * hour);
    await look({ ...dependencies, github: other.app() });
    expect(await runs()).toHaveLength(1);
  });

  it.each([
    ["removed", "harness: { default: command }\n"],
    ["renamed", `${base}${rule().replace("nightly", "nocturnal")}`],
  ])("a schedule that is %s during its run: the run goes on, and nothing more of it starts", async (_, config) => {
    const { clock, dependencies, github, look, runs, body, entry, end } = scene(`${base}${rule()}`);
    await look();
    clock.advance(3 * hour);
    await look();
    const [run] = await runs();
    const other = Object.assign(new SmallGithub(config, () => clock.now()), { issues: github.issues });
    clock.advance(hour);
    await look({ ...dependencies, github: other.app() });
    expect(await entry()).toBeUndefined();
    expect((await runs()).map(({ status }) => status)).toEqual(["running"]);
    expect(await body()).toContain("`explore`");
    expect(await body()).not.toContain("`nightly`");
    // It is back while its run is still active: its place is taken, so the next time is left out.
    await look();
    clock.advance(24 * hour);
    expect(await look()).toBe("skipped nightly");
    await end(run?.runId ?? "");
    clock.advance(24 * hour);
    expect(await look()).toBe("started nightly");
  });

  it("a repository without a default branch has no rules, and starts nothing", async () => {
    const { clock, github, dependencies, look, runs } = scene(`${base}${rule()}`);
    github.branches.clear();
    expect(await look()).toBeNull();
    clock.advance(24 * hour);
    expect(await look()).toBeNull();
    expect(await runs()).toEqual([]);
    expect(github.issues.size).toBe(0);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
  });

  it("a file that is broken starts nothing, says so, and what is due then is caught up", async () => {
    const { clock, dependencies, github, look, runs, body } = scene(`${base}${rule()}`);
    await look();
    clock.advance(3 * hour);
    const broken = new SmallGithub("schedules: 3\n", () => clock.now());
    Object.assign(broken, { issues: github.issues });
    await look({ ...dependencies, github: broken.app() });
    expect(await runs()).toEqual([]);
    expect(await body()).toMatch(/No schedule runs.*has 1 error/);
    clock.advance(2 * hour);
    expect(await look()).toBe("started nightly");
  });
});

it("a rule whose fifty names of branches are taken by merged and closed proposals gets a name of its run", async () => {
  const { clock, store, github, look, runs } = scene(`${base}${rule()}`);
  await look();
  for (let count = 1; count <= 60; count += 1)
    github.branches.set(`baton/schedule-nightly${count === 1 ? "" : `-${count}`}`, "a".repeat(40));
  clock.advance(3 * hour);
  expect(await look()).toBe("started nightly");
  const [row] = await runs();
  const created = row === undefined ? undefined : (await store.read(row.runId))[0]?.event;
  if (created?.type !== "run.created") throw new Error("no run");
  expect(created.input).toMatchObject({
    branch: `baton/schedule-nightly-${created.runId.slice(4, 14)}`,
    branchSha: null,
    pullRequest: null,
  });
});

describe("a run about some paths", () => {
  it("`paths` of a schedule: its run knows them, and what lies outside is protected", async () => {
    const { clock, store, look, runs } = scene(`${base}${rule(", paths: [packages/api, docs], deadlineMinutes: 90")}`);
    await look();
    clock.advance(3 * hour);
    await look();
    const [row] = await runs();
    const created = row === undefined ? undefined : (await store.read(row.runId))[0]?.event;
    if (created?.type !== "run.created") throw new Error("no run");
    expect(created.input).toMatchObject({ paths: ["packages/api", "docs"] });
    const { protectedPaths } = created.settings as { protectedPaths: string[] };
    expect(matchesAny("packages/api/a.ts", protectedPaths)).toBe(false);
    expect(matchesAny("packages/web/a.ts", protectedPaths)).toBe(true);
    expect(created.deadline).toBe(clock.now() + 90 * 60_000);
    expect((created.input as { settings: object }).settings).toMatchObject({ protectedPaths });
  });

  it("paths that are too long for one glob start nothing, and why is said", async () => {
    const paths = Array.from({ length: 20 }, (_, index) => `${"a".repeat(250)}${index}`);
    const { clock, look, runs, entry } = scene(`${base}${rule(`, paths: [${paths.join(", ")}]`)}`);
    await look();
    clock.advance(3 * hour);
    expect(await look()).toBe("refused nightly");
    expect(await runs()).toEqual([]);
    expect((await entry())?.problem).toMatch(/`paths` cannot be used/);
  });
});

describe("active runs in the dashboard issue", () => {
  const sample = defineProcess({
    name: "sample",
    version: 1,
    summary: "Waits for people.",
    stages: [],
    input: z.object({}),
    output: z.object({}),
    verdict: () => ({ name: "result", status: "passed", reason: "", evidence: [], children: [] }),
    run: async () => ({}),
  });
  const actor = { id: 2, login: "bob", kind: "user", permission: "write" } as const;
  const begin = (dependencies: Dependencies, number: number, of = repository) =>
    createRun(dependencies, {
      operationKey: `${of.id}#${number}`,
      definition: sample as never,
      input: {},
      thread: { repository: of, number, kind: "issue" },
      requestedBy: actor,
      commentId: null,
      instructions: "",
      budgetUsd: 1,
      settings: {},
      settingsSha: null,
      retryOf: null,
      priority: "high",
      deadline: Date.UTC(2026, 0, 2, 9),
    });
  const section = (text: string, name: string) => text.split(`## ${name}\n\n`)[1]?.split("\n\n## ")[0] ?? "";

  it("those of every thread of this repository are there within some minutes, with who, what and why", async () => {
    const { clock, store, dependencies, look, body } = scene(`${base}${rule()}`);
    await look();
    expect(section(await body(), "Running")).toBe("Nothing runs.");
    const runId = await begin(dependencies, 12);
    await begin(dependencies, 13, { ...repository, id: repository.id * 10 });
    expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
    clock.advance(limits.dashboardRefreshMs);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
    await look();
    expect(section(await body(), "Running")).toMatch(
      /^- #12 `sample`, asked by @\u200b?bob at 2026-01-01 00:00 \(UTC\), priority high, due 2026-01-02 09:00 \(UTC\)\.$/,
    );
    clock.advance(limits.dashboardRefreshMs);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(false);
    // Somebody pauses it: it waits for people now.
    const row = await store.run(runId);
    if (row === null) throw new Error("no run");
    await store.append({
      runId,
      expectedPosition: row.position,
      events: [{ type: "run.paused", by: actor, reason: "" }],
      now: clock.now(),
      also: { run: { ...row, status: "paused", position: row.position + 1 } },
    });
    expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
    await look();
    expect(section(await body(), "Running")).toBe("Nothing runs.");
    expect(section(await body(), "Waiting for people")).toMatch(/^- #12 .*Paused: @\u200b?bob paused the run\./);
  });

  it("a job of Actions names the threads that it does not drive", async () => {
    const { dependencies, look, body } = scene(`${base}${rule()}`);
    await begin(dependencies, 12);
    await look({ ...dependencies, activeElsewhere: async () => [12, 14] });
    const lines = section(await body(), "Running").split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^- #12 `sample`/);
    expect(lines[1]).toBe("- #14: a run is active. Its status comment has the details.");
  });

  it("a dashboard issue that a trigger opened is kept up to date too", async () => {
    const { clock, github, dependencies, look, body } = scene("harness: { default: command }\n");
    await look();
    await openDashboard(dependencies, github, repository, null);
    clock.advance(hour);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
    await look();
    expect(await body()).toContain("## Running");
  });
});

describe("schedules by the command line", () => {
  const operator = { id: 0, login: "root (command line)", kind: "user" as const, permission: "admin" as const };

  it("are listed, paused, resumed and run", async () => {
    const { clock, store, dependencies, look, runs } = scene(`${base}${rule()}`);
    await look();
    await store.setValue("schedule-repositories", { readAt: 0, repositories: [repository] } as never);
    const schedules = new Schedules(dependencies);
    expect(await schedules.list()).toMatchObject([
      { repository: "acme/shop", name: "nightly", next: clock.now() + 3 * hour, pausedBy: null, lastRun: null },
    ]);
    expect(await schedules.pause("nightly", null, operator.login)).toBe("acme/shop: nightly");
    clock.advance(3 * hour);
    expect(await look()).toBeNull();
    expect((await schedules.list())[0]).toMatchObject({ next: null, pausedBy: operator.login });
    await schedules.resume("nightly", "ACME/shop");
    expect(await look()).toBeNull();
    await schedules.run("nightly", null, operator);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
    expect(await look()).toBe("ran nightly");
    expect(await look()).toBeNull();
    expect(await runs()).toHaveLength(1);
    expect((await schedules.list())[0]?.lastRun).toMatchObject({ status: "running", spentUsd: 0 });
    await expect(schedules.run("nigtly", null, operator)).rejects.toThrow('Did you mean "nightly"?');
    await expect(schedules.run("nightly", "acme/other", operator)).rejects.toThrow("There are: none.");
  });

  it("a run that was asked for and refused is not said to have run", async () => {
    const { clock, store, dependencies, look, runs } = scene(`${base}${rule().replace("explore", "explor")}`);
    await look();
    await store.setValue("schedule-repositories", { readAt: 0, repositories: [repository] } as never);
    clock.advance(1);
    await new Schedules(dependencies).run("nightly", null, operator);
    expect(await look()).toBe("refused nightly");
    expect(await runs()).toEqual([]);
  });

  it.each([
    ["a rule with other times", (text: string) => [text.replace("0 3", "0 4")]],
    ["a rule that went and came back", (text: string) => ["harness: { default: command }\n", text]],
  ])("an operator's request of long ago is not for %s", async (_, later) => {
    const text = `${base}${rule().replace("explore", "explor")}`;
    const { clock, store, github, dependencies, look, runs } = scene(text);
    await look();
    await store.setValue("schedule-repositories", { readAt: 0, repositories: [repository] } as never);
    clock.advance(1);
    await new Schedules(dependencies).run("nightly", null, operator);
    expect(await look()).toBe("refused nightly");
    for (const config of later(`${base}${rule()}`)) {
      clock.advance(60 * 24 * hour);
      const changed = Object.assign(new SmallGithub(config, () => clock.now()), { issues: github.issues });
      await look({ ...dependencies, github: changed.app() });
    }
    expect(await runs()).toEqual([]);
  });

  it("what people pause and what the clock writes do not overwrite each other", async () => {
    const { clock, store, look } = scene(`${base}${rule()}`);
    await look();
    await changeControls({ store, clock }, repository.id, pauseOf("nightly", "@bob", 1));
    await look();
    expect((await readControls(store, repository.id)).paused).toHaveProperty("nightly");
  });

  it("two who change pauses at once both have their change", async () => {
    const { clock, store } = scene(base);
    const waits: number[] = [];
    // Waiting moves the clock.
    const moving = {
      now: () => clock.now(),
      sleepUntil: async (at: number) => {
        waits.push(at);
        clock.advance(at - clock.now());
      },
    };
    const change = (name: string) => changeControls({ store, clock: moving }, repository.id, pauseOf(name, "@bob", 1));
    await Promise.all(["nightly", "weekly", "daily"].map(change));
    expect(Object.keys((await readControls(store, repository.id)).paused).sort()).toEqual([
      "daily",
      "nightly",
      "weekly",
    ]);
    expect(waits).not.toEqual([]);
  });

  it.each([
    ["an entry of another form", { paused: { nightly: 1 } }, "nightly"],
    ["another field of another form", { paused: { nightly: { by: "@bob", at: 1 } }, asked: 3 }, "nightly"],
    ["pauses of another form", { paused: [], resumed: { nightly: 1 }, started: {}, asked: {} }, "every"],
    ["a value of another form", "x", "every"],
  ])("%s leaves paused what is paused, and resuming helps", async (_, value, paused) => {
    const { clock, store, dependencies, look, runs, body } = scene(
      `${base}${rule()}${rule().replace("nightly", "constructor")}`,
    );
    await look();
    await store.setValue(`schedules/${repository.id}/controls`, value);
    clock.advance(3 * hour);
    expect(await look()).toBe(paused === "every" ? null : "started constructor");
    expect(await runs()).toHaveLength(paused === "every" ? 0 : 1);
    expect(await body()).toMatch(/paused by (a record that Baton cannot read|@\u200b?bob)/);
    await changeControls(dependencies, repository.id, resumeOf("nightly", clock.now()));
    clock.advance(24 * hour);
    expect(await look()).toMatch(/started nightly/);
  });

  it("a schedule named `constructor` is a name like others", async () => {
    const { clock, store, dependencies, look } = scene(`${base}${rule().replace("nightly", "constructor")}`);
    expect(await hasDue(dependencies, repository.id, 1)).toBe(true);
    await look();
    await store.setValue("schedule-repositories", { readAt: 0, repositories: [repository] } as never);
    expect(await new Schedules(dependencies).list()).toMatchObject([{ pausedBy: null, lastRun: null }]);
    clock.advance(3 * hour);
    expect(await look()).toBe("started constructor");
  });
});

describe("whose permission a schedule has", () => {
  const processFile = (name: string) => `.github/baton/processes/${name}.yaml`;
  const steps = (step: string) => `summary: Counts.\nsteps:\n  - { id: a, ${step} }\n`;
  const user = (login: string) => (people[login] as (typeof people)[string]).user;
  const started = async (authors: { rule: string; file: string | null; used?: string }) => {
    const given = scene(`${base}${rule().replace("explore", "count")}`);
    given.github.ruleAuthor = user(authors.rule);
    const by = authors.file === null ? null : user(authors.file);
    if (authors.used === undefined) given.github.files.set(processFile("count"), { text: steps("shell: [x]"), by });
    else {
      given.github.files.set(processFile("count"), { text: steps("uses: words"), by });
      given.github.files.set(processFile("words"), { text: steps("shell: [x]"), by: user(authors.used) });
    }
    await given.look();
    given.clock.advance(3 * hour);
    const did = await given.look();
    const [row] = await given.runs();
    const events = row === undefined ? [] : (await given.store.read(row.runId)).map(({ event }) => event);
    return { did, events, problem: (await given.entry())?.problem ?? null };
  };

  it.each([
    ["the file", { rule: "alice", file: "mallory" }, /@mallory.*@mallory last changed `.*\/count\.yaml`/],
    ["a file that it uses", { rule: "alice", file: "alice", used: "mallory" }, /last changed `.*\/words\.yaml`/],
    ["the rule, not the file", { rule: "mallory", file: "alice" }, /@mallory last changed `baton\.yaml`/],
    ["a file of nobody known", { rule: "alice", file: null }, /does not say who .* `.*\/count\.yaml`/],
  ])("somebody without permission changed %s last: nothing starts, and why is said", async (_, authors, why) => {
    const { did, events, problem } = await started(authors);
    expect(did).toBe("refused nightly");
    expect(events).toEqual([]);
    expect(problem).toMatch(why);
  });

  it.each([
    ["the file's author may less", { rule: "bob", file: "alice" }, "alice", ["bob", "alice"]],
    ["the rule's author may less", { rule: "alice", file: "bob" }, "alice", ["alice", "bob"]],
    [
      "the author of a file that it uses may less",
      { rule: "bob", file: "bob", used: "alice" },
      "alice",
      ["bob", "alice"],
    ],
    ["one person", { rule: "bob", file: "bob" }, "bob", ["bob"]],
  ])("%s: the run has the least of their permissions, and the journal names all", async (_, authors, actor, all) => {
    const { did, events } = await started(authors);
    expect(did).toBe("started nightly");
    const [created] = events;
    expect(created).toMatchObject({
      requestedBy: { login: actor, permission: people[actor]?.permission },
      startedBy: { kind: "schedule", authors: all.map((login) => ({ login })) },
    });
    const decided = events.flatMap((event) => (event.type === "policy.decided" ? [event] : []));
    expect(decided.map((one) => one.actor?.login).toSorted()).toEqual(all.toSorted());
    expect(decided.every(({ verdict }) => verdict.evidence.some(({ label }) => label === "last changed"))).toBe(true);
  });

  it("where everybody who may approve is an author, nothing starts", async () => {
    const { did, problem } = await started({ rule: "bob", file: "carol", used: "alice" });
    expect(did).toBe("refused nightly");
    expect(problem).toMatch(/may approve/);
  });

  it("an input that the process does not have starts nothing", async () => {
    const given = scene(`${base}${rule(", with: { folder: docs }")}`);
    await given.look();
    given.clock.advance(3 * hour);
    expect(await given.look()).toBe("refused nightly");
    expect((await given.entry())?.problem).toMatch(/`explore` has no input `folder`/);
  });
});

describe("`/baton schedule cancel`", () => {
  const cancelling = async (given: ReturnType<typeof scene>, name: string, config = "{}\n") => {
    const { dashboard } = await readBook(given.store, repository.id);
    const parsed = parseConfig(config);
    if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
    const changed: string[] = [];
    const context = {
      dependencies: given.dependencies,
      repository,
      github: given.github,
      issue: { number: dashboard },
      settings: parsed.settings,
      configuration: { settings: parsed.settings },
      actor: { id: 1, login: "alice", kind: "user", permission: "write" },
      command: { name: "schedule", positional: ["cancel", name], options: {}, text: "" },
      runner: { change: async (runId: string) => void changed.push(runId) },
    } as unknown as CommandContext;
    return { said: await schedule.handle(context), changed };
  };

  it.each(["nightly", "constructor", "red"])("finds the run of `%s`, which `baton.yaml` has no more", async (name) => {
    const given = scene(`${base}${rule().replace("nightly", name)}`);
    await given.look();
    given.clock.advance(3 * hour);
    await given.look();
    const [run] = await given.runs();
    const { said, changed } = await cancelling(given, name);
    expect(said).toBe(`Cancelling the run of \`${name}\`.`);
    expect(changed).toEqual([run?.runId]);
  });

  it("says of a name without a run whether there is such a rule", async () => {
    const given = scene(`${base}${rule()}`);
    await given.look();
    const triggers = "triggers:\n  - { name: red, on: check_run.failed, process: explore }\n";
    await expect(cancelling(given, "red", triggers)).rejects.toMatchObject({ code: "BATON_NO_RUN" });
    await expect(cancelling(given, "nightly", `${base}${rule()}`)).rejects.toMatchObject({ code: "BATON_NO_RUN" });
    await expect(cancelling(given, "nightl", `${base}${rule()}`)).rejects.toThrow("Did you mean `nightly`?");
  });
});
