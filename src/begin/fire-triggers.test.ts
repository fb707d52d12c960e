/** Events and rules against a GitHub of plain data and a store in memory. */
import { describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { systemRandom } from "../adapters/system/random.ts";
import { BatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { loadSettings } from "../runner/load-settings.ts";
import { forgetRules, noBook, writeBook } from "../runner/schedule-book.ts";
import { toTriggerEvent } from "../trigger/event.ts";
import { fireTriggers, judgeRules, triggerDecisions } from "./fire-triggers.ts";

const users = {
  alice: { id: 1, login: "alice", type: "User" },
  mallory: { id: 3, login: "mallory", type: "User" },
  baton: { id: 51, login: "baton[bot]", type: "Bot" },
  helper: { id: 77, login: "helper[bot]", type: "Bot" },
};
const config = [
  "harness: { default: command }",
  "commands: { bots: [{ id: 77, permission: write }] }",
  "triggers:",
  "  - { name: asked, on: issues.labeled, if: \"event.label == 'baton'\", process: explore, budgetUsd: 0.5 }",
  "  - { name: released, on: release.published, process: explore }",
  "",
].join("\n");

function scene(text = config) {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(text, () => clock.now());
  const dependencies = {
    store,
    clock,
    log: silentLog,
    owner: "test",
    random: systemRandom,
    redact: (one: string) => one,
    processes: builtInProcesses(),
    harnesses: new Map([["command", spy("command", [])]]),
    github: github.app(),
    repositoryCommands: true,
    publicUrl: null,
  } as unknown as Dependencies;
  const fire = async (event: string, payload: object, by: keyof typeof users = "alice") => {
    const base = {
      installation: { id: repository.installationId },
      repository: { id: repository.id, name: "shop", default_branch: "main", owner: { login: "acme" } },
      sender: users[by],
    };
    const read = toTriggerEvent(event, { ...base, ...payload }, `guid-${Math.floor(clock.now())}`);
    if (read === null) throw new Error("no event");
    return fireTriggers(dependencies, { wake: async () => false }, read);
  };
  const label = (number: number, name = "baton", by: keyof typeof users = "alice", at = "t") =>
    fire(
      "issues",
      { action: "labeled", issue: { number, title: "x", user: users.alice, updated_at: at }, label: { name } },
      by,
    );
  const runs = () => store.runs({});
  const created = async () => {
    const [row] = await runs();
    const event = row === undefined ? undefined : (await store.read(row.runId))[0]?.event;
    return event?.type === "run.created" ? event : null;
  };
  return { clock, store, github, dependencies, fire, label, runs, created };
}

describe("triggers", () => {
  it("`triggers` start runs in the event's thread, as the person who caused it", async () => {
    const { label, runs, created } = scene();
    expect(await label(5)).toMatch(/^asked: Started `run_\w+`, caused by @alice\.$/);
    expect(await created()).toMatchObject({
      thread: { number: 5, kind: "issue" },
      requestedBy: { login: "alice", permission: "write" },
      budgetUsd: 0.5,
    });
    expect(await label(5)).toMatch(/started `run_\w+` before/);
    expect(await runs()).toHaveLength(1);
  });

  it.each([
    ["another label", "bug", "alice", /is false/],
    ["a stranger", "baton", "mallory", /Refused: .*needs the permission \*\*write\*\*/],
    ["Baton itself", "baton", "baton", /^own event$/],
  ] as const)("%s starts nothing, and why is kept", async (_, name, by, said) => {
    const { label, runs, dependencies } = scene();
    expect(await label(5, name, by)).toMatch(said);
    expect(await runs()).toEqual([]);
    if (by !== "baton") expect((await triggerDecisions(dependencies, repository, 5)).join()).toMatch(said);
    expect(await triggerDecisions(dependencies, repository, 6)).toEqual([]);
  });

  it("an event without a thread runs in the dashboard issue", async () => {
    const { fire, created } = scene();
    const release = { id: 4, tag_name: "v1", name: null, prerelease: false };
    expect(await fire("release", { action: "published", release })).toMatch(/released: Started/);
    expect(await created()).toMatchObject({
      startedBy: { kind: "trigger", name: "released", on: "release.published", inDashboard: true },
      input: { branch: "baton/trigger-released", thread: { title: "Trigger released" } },
    });
  });

  it("a red default branch speaks for who pushed it; where nobody is known nothing starts", async () => {
    const { fire, runs } = scene(
      "harness: { default: command }\ntriggers:\n  - { name: red, on: check_run.failed, process: explore }\n",
    );
    const check = { name: "test", head_sha: "c0ffee", conclusion: "failure", check_suite: { head_branch: "main" } };
    expect(await fire("check_run", { action: "completed", check_run: check })).toMatch(
      /does not say who brought c0ffee/,
    );
    expect(await runs()).toEqual([]);
  });

  it("what no rule was about when it was read last costs no call, and an account that is not served neither", async () => {
    const { dependencies, store, label, runs } = scene();
    await writeBook(store, repository.id, { ...noBook, readAt: 1, listens: ["push"] });
    expect(await label(5)).toBe("no trigger is about it");
    await forgetRules(store, repository.id, 2);
    Object.assign(dependencies, { owners: ["others"] });
    expect(await label(5)).toBe("acme is not among BATON_OWNERS");
    Object.assign(dependencies, { owners: ["acme"] });
    expect(await label(5)).toMatch(/Started/);
    expect(await runs()).toHaveLength(1);
  });

  it("a key folds events into one run", async () => {
    const { label, runs } = scene(config.replace("budgetUsd: 0.5", 'key: "${{ event.number }}"'));
    await label(5, "baton", "alice", "one");
    expect(await label(5, "baton", "alice", "two")).toMatch(/before/);
    expect(await runs()).toHaveLength(1);
  });

  it("a storm of a thousand events costs a bounded number of runs; the rest are counted", async () => {
    const { label, runs, store, clock } = scene(config.replace("budgetUsd: 0.5", "maxPerHour: 30"));
    for (let number = 1; number <= 1_000; number += 1) await label(number);
    expect((await runs()).length).toBe(limits.triggerStartsPerHourMax);
    const { folded } = (await store.value(`triggers/${repository.id}`)) as { folded: Record<string, number> };
    const held = (await store.value(`triggers-held/${repository.id}`)) as number;
    expect(Object.values(folded).reduce((sum, count) => sum + count, held)).toBe(
      1_000 - limits.triggerStartsPerHourMax,
    );
    clock.advance(3_600_001);
    expect(await label(2_000)).toMatch(/Started/);
  });

  it("a start whose end was lost goes on with its own run, and is counted once", async () => {
    const { label, runs, dependencies } = scene();
    const { harnesses } = dependencies;
    const broken = new BatonError("BATON_DATABASE_UNAVAILABLE", "gone");
    Object.defineProperty(dependencies, "harnesses", {
      configurable: true,
      get: () => {
        throw broken;
      },
    });
    await expect(label(5)).rejects.toThrow("gone");
    Object.defineProperty(dependencies, "harnesses", { configurable: true, value: harnesses });
    expect(await label(5)).toMatch(/Started/);
    expect(await runs()).toHaveLength(1);
    const { starts } = (await dependencies.store.value(`triggers/${repository.id}`)) as { starts: object[] };
    expect(starts).toHaveLength(1);
  });

  it("a storm of refused events costs a bounded number of calls and opens no issue; others still start runs", async () => {
    const { fire, label, runs, github } = scene();
    const asked: string[] = [];
    const { permission, actor } = github;
    github.permission = (...given) => {
      asked.push("permission");
      return permission.call(github, ...given);
    };
    github.actor = (...given) => {
      asked.push("actor");
      return actor.call(github, ...given);
    };
    for (let id = 1; id <= 100; id += 1) {
      const release = { id, tag_name: `v${id}`, name: null, prerelease: false };
      await fire("release", { action: "published", release }, "mallory");
    }
    expect(asked.length).toBeLessThanOrEqual(2 * limits.triggerRefusalsPerActorMax);
    expect(github.issues.size).toBe(0);
    expect(await label(5)).toMatch(/Started/);
    expect(await runs()).toHaveLength(1);
  });

  it("refusals of many people fill the bound, which then costs no call", async () => {
    const { store, label, clock } = scene();
    const refused = Array.from({ length: limits.triggerStartsPerHourMax }, (_, index) => ({
      at: clock.now(),
      actor: `stranger-${index}`,
    }));
    await store.setValue(`triggers/${repository.id}`, { starts: [], refused, folded: {}, decisions: [] });
    expect(await label(5)).toBe("triggers are at their limit");
    clock.advance(3_600_001);
    expect(await label(5)).toMatch(/Started/);
  });

  it.each([
    ["a start of another form", { starts: [{ rule: 1 }], folded: {}, decisions: [] }],
    ["no starts", { folded: {}, decisions: [] }],
    ["a value of another form", "x"],
    ["a time of another form", { starts: [], folded: {}, decisions: [], unreadAt: "now" }],
  ])("memory with %s bounds as one that is full, for an hour; for bots a day", async (_, value) => {
    const { store, label, clock } = scene();
    await store.setValue(`triggers/${repository.id}`, value as never);
    expect(await label(5)).toBe("triggers are at their limit");
    clock.advance(1_800_000);
    expect(await label(6)).toBe("triggers are at their limit");
    clock.advance(1_800_001);
    expect(await label(7, "baton", "helper")).toMatch(/cannot be read\. Events by bots start nothing/);
    expect(await label(8)).toMatch(/Started/);
    clock.advance(24 * 3_600_000);
    expect(await label(9, "baton", "helper")).toMatch(/Started/);
  });

  it.each(["constructor", "valueof", "hasownproperty"])("events of a rule called `%s` are counted", async (name) => {
    const { label, store, dependencies } = scene(
      `harness: { default: command }\ntriggers:\n  - { name: ${name}, on: issues.labeled, process: explore, maxPerHour: 1 }\n`,
    );
    for (const number of [5, 6, 7]) await label(number);
    expect(await store.value(`triggers/${repository.id}`)).toMatchObject({ folded: { [name]: 2 } });
    expect((await triggerDecisions(dependencies, repository, 6)).join()).toContain(`2 events of \`${name}\``);
  });

  it("decisions about events without a thread are kept for the dashboard issue", async () => {
    const { fire, dependencies } = scene();
    const release = { id: 4, tag_name: "v1", name: null, prerelease: false };
    await fire("release", { action: "published", release }, "mallory");
    expect((await triggerDecisions(dependencies, repository, null)).join()).toMatch(
      /`released` on `release.published`: Refused/,
    );
  });

  it("events that reach the bound at once are all counted", async () => {
    const { store, label, clock } = scene();
    const refused = Array.from({ length: limits.triggerStartsPerHourMax }, (_, index) => ({
      at: clock.now(),
      actor: `stranger-${index}`,
    }));
    await store.setValue(`triggers/${repository.id}`, { starts: [], refused, folded: {}, decisions: [] });
    let done = false;
    const all = Promise.all(Array.from({ length: 25 }, (_, number) => label(number + 1))).then(() => (done = true));
    while (!done) {
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    expect(await store.value(`triggers-held/${repository.id}`)).toBe(25);
  });

  it("an event of the App's address names a signed request as its cause, not the rule", async () => {
    const { dependencies, store } = scene(
      "harness: { default: command }\ntriggers:\n  - { name: deploy, on: http, process: explore }\n",
    );
    const common = { thread: null, paths: null, between: null, pushed: null, sender: null };
    const event = { ...common, on: "http" as const, repository, facts: {}, key: "n1", rule: "deploy" };
    expect(await fireTriggers(dependencies, { wake: async () => false }, event)).toMatch(
      /Started `run_\w+`, caused by a signed request\.$/,
    );
    expect(await store.value(`triggers/${repository.id}`)).toMatchObject({ starts: [{ rule: "deploy", actor: "" }] });
  });

  it("a lease that went to another process meanwhile: no run is created, and nothing is written", async () => {
    const { label, github, clock, store, runs } = scene();
    const { issue } = github;
    github.issue = async (...given) => {
      clock.advance(60_001);
      await store.acquireLease(`triggers:${repository.id}`, "another", clock.now(), 60_000);
      return issue.call(github, ...given);
    };
    await expect(label(5)).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
    expect(await runs()).toEqual([]);
    github.issue = issue;
    clock.advance(60_001);
    expect(await label(5)).toMatch(/Started/);
    expect(await runs()).toHaveLength(1);
  });

  it("the lease is renewed while GitHub takes its time", async () => {
    const { label, github, clock, store } = scene();
    const { issue } = github;
    let others = 0;
    github.issue = async (...given) => {
      for (let step = 0; step < 10; step += 1) {
        clock.advance(20_000);
        await new Promise((resolve) => setImmediate(resolve));
        if ((await store.acquireLease(`triggers:${repository.id}`, "another", clock.now(), 60_000)) !== null)
          others += 1;
      }
      return issue.call(github, ...given);
    };
    expect(await label(5)).toMatch(/Started/);
    expect(others).toBe(0);
  });

  const openTo = (rest: string) =>
    `harness: { default: command }\ntriggers:\n  - { name: opened, on: issues.opened, budgetUsd: 0.25, ${rest} }\n`;
  const opened = (given: ReturnType<typeof scene>, by: keyof typeof users, association: string) =>
    given.fire(
      "issues",
      {
        action: "opened",
        issue: { number: 5, title: "x", user: users[by], updated_at: "t", author_association: association },
      },
      by,
    );

  it.each<[string, string, keyof typeof users, string, RegExp]>([
    [
      "a contributor",
      "process: explore, openTo: { contributors: true }",
      "mallory",
      "CONTRIBUTOR",
      /Started `run_\w+`, caused by @mallory/,
    ],
    ["a bot by id", "process: explore, openTo: { bots: [77] }", "helper", "NONE", /Started/],
    [
      "a first contribution",
      "process: explore, openTo: { contributors: true }",
      "mallory",
      "FIRST_TIME_CONTRIBUTOR",
      /Refused: .*permission/,
    ],
    ["another bot", "process: explore, openTo: { bots: [78] }", "helper", "NONE", /Refused/],
    [
      "a process that changes files",
      "process: issue-to-pr, openTo: { contributors: true }",
      "mallory",
      "CONTRIBUTOR",
      /Refused: `issue-to-pr` may change files/,
    ],
  ])("FT7: a rule that is open: %s", async (_, rest, by, association, said) => {
    const given = scene(openTo(rest));
    expect(await opened(given, by, association)).toMatch(said);
    const created = await given.created();
    if (!/Started/.test(said.source)) return expect(created).toBeNull();
    // The rule's author, who cannot approve it, and the rule's budget.
    expect(created).toMatchObject({
      requestedBy: { login: "alice" },
      budgetUsd: 0.25,
      startedBy: { kind: "trigger", authors: [{ login: "alice" }] },
    });
  });

  it("FT7: a permitted person starts an open rule as themselves", async () => {
    const given = scene(openTo("process: issue-to-pr, openTo: { contributors: true }"));
    expect(await opened(given, "alice", "MEMBER")).toMatch(/Started/);
    const created = await given.created();
    expect(created?.startedBy).not.toHaveProperty("authors");
  });

  it.each([
    ["explore", "", true],
    ["explor", "", false],
    ["explore", ", with: { folder: docs }", false],
    ["address-review", "", false],
  ])(
    "the job that reads judges `%s`%s of an event without a thread before anybody opens the dashboard issue",
    async (process, rest, starts) => {
      const { dependencies, github } = scene(
        `harness: { default: command }\ntriggers:\n  - { name: released, on: release.published, process: ${process}${rest} }\n`,
      );
      const payload = {
        installation: { id: repository.installationId },
        repository: { id: repository.id, name: "shop", default_branch: "main", owner: { login: "acme" } },
        sender: users.alice,
        action: "published",
        release: { id: 4, tag_name: "v1", name: null, prerelease: false },
      };
      const event = toTriggerEvent("release", payload, "g");
      if (event === null) throw new Error("no event");
      const loaded = await loadSettings(github, repository, "main");
      const judged = await judgeRules(dependencies, github, loaded, event);
      expect(judged.map((one) => one.starts)).toEqual([starts]);
      expect(github.issues.size).toBe(0);
    },
  );

  it("nor does a rule that is open to others lead to a dashboard issue where it starts nothing", async () => {
    const { dependencies, github } = scene(
      "harness: { default: command }\ntriggers:\n  - { name: released, on: release.published, process: explor, openTo: { bots: [77] } }\n",
    );
    const payload = {
      installation: { id: repository.installationId },
      repository: { id: repository.id, name: "shop", default_branch: "main", owner: { login: "acme" } },
      sender: users.helper,
      action: "published",
      release: { id: 4, tag_name: "v1", name: null, prerelease: false },
    };
    const event = toTriggerEvent("release", payload, "g");
    if (event === null) throw new Error("no event");
    const judged = await judgeRules(dependencies, github, await loadSettings(github, repository, "main"), event);
    expect(judged).toMatchObject([{ starts: false, reason: expect.stringContaining("explor") }]);
  });

  it("an input that the process does not have starts nothing", async () => {
    const { label, runs } = scene(config.replace("budgetUsd: 0.5", "with: { folder: docs }"));
    expect(await label(5)).toMatch(/Refused: `explore` has no input `folder`/);
    expect(await runs()).toEqual([]);
  });

  const release = { action: "published", release: { id: 4, tag_name: "v1", name: null, prerelease: false } };
  it.each<[string, (github: SmallGithub) => void, RegExp]>([
    ["without a commit", (github) => github.branches.clear(), /^no trigger is about it$/],
    [
      "archived, so that no dashboard can be opened",
      (github) => {
        github.ensureIssue = async () => {
          throw new BatonError("BATON_GITHUB_DENIED", "Repository was archived so is read-only.");
        };
      },
      /^released: Refused: Repository was archived so is read-only\. \(BATON_GITHUB_DENIED\)$/,
    ],
    [
      "that lost its default branch after its rules were read",
      (github) => {
        let looks = 0;
        const { branchSha } = github;
        github.branchSha = async (...given) => (looks++ === 0 ? branchSha.apply(github, given) : null);
      },
      /^released: Refused: The branch main has no commit yet/,
    ],
  ])("a repository %s starts nothing, and says so", async (_, change, said) => {
    const { fire, runs, github } = scene();
    change(github);
    expect(await fire("release", release)).toMatch(said);
    expect(await runs()).toEqual([]);
  });

  it("a repository that moved or is gone meanwhile ends the delivery with GitHub's words", async () => {
    const { fire, github } = scene();
    github.branchSha = async () => {
      throw new BatonError("BATON_GITHUB_NOT_FOUND", "There is no acme/shop.");
    };
    await expect(fire("release", release)).rejects.toMatchObject({ code: "BATON_GITHUB_NOT_FOUND" });
  });

  it("two bots in a circle: the second turn is refused with its chain", async () => {
    const { label, clock, store } = scene();
    expect(await label(5, "baton", "helper", "one")).toMatch(/Started/);
    clock.advance(1_000);
    // The run has ended, so that the thread is free.
    const [row] = await store.runs({});
    if (row === undefined) throw new Error("no run");
    await store.write({
      run: { ...row, status: "completed" },
      thread: { threadKey: row.threadKey, activeRunId: null },
    });
    expect(await label(5, "baton", "helper", "two")).toMatch(
      /comes back to a rule that it has: `asked` \(run_\w+, by @helper\[bot\]\) → `asked`/,
    );
  });

  it("a bot's label, dispatch and label in another thread are one chain, and the second turn is refused", async () => {
    const { fire, label, clock, dependencies } = scene(
      config.replace(
        "  - { name: released",
        "  - { name: told, on: repository_dispatch, process: explore }\n  - { name: released",
      ),
    );
    expect(await label(5)).toMatch(/asked: Started/);
    clock.advance(1_000);
    expect(await fire("repository_dispatch", { action: "done", client_payload: {} }, "helper")).toMatch(
      /told: Started/,
    );
    clock.advance(1_000);
    expect(await label(9, "baton", "helper")).toMatch(
      /comes back to a rule that it has: `asked` \(run_\w+, by @alice\) → `told` \(run_\w+, by @helper\[bot\]\) → `asked`/,
    );
    // A label of Baton's own App is its run's business.
    expect(await label(10, "baton", "baton")).toBe("own event");
    expect((await triggerDecisions(dependencies, repository, 9)).join()).toContain("comes back to a rule");
  });
});
