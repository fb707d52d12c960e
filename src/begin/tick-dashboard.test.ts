/** Edits of the dashboard issue, with a fake GitHub of plain data and a store in memory. */
import { describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { systemRandom } from "../adapters/system/random.ts";
import { parseConfig } from "../config/parse.ts";
import type { RunState } from "../core/state.ts";
import { toThreadEvent } from "../intake/events.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { changeSweepBook, readSweepBook } from "../runner/sweep-book.ts";
import { rememberSweep, sweepFacts } from "../runner/sweep-memory.ts";
import type { Proposal } from "../sweep/stats.ts";
import { startDue } from "./start-due.ts";
import { noteDecision, tickDashboard } from "./tick-dashboard.ts";

const users = {
  alice: { id: 1, login: "alice", type: "User" },
  bob: { id: 2, login: "bob", type: "User" },
  mallory: { id: 3, login: "mallory", type: "User" },
  baton: { id: 51, login: "baton[bot]", type: "Bot" },
};
const config = [
  "harness: { default: command }",
  "sweep: { detectors: [{ use: sarif, command: lint }] }",
  'schedules: [{ name: nightly, cron: "0 3 * * *", process: sweep }]',
  "",
].join("\n");
const finding = (fingerprint: string, message = `About ${fingerprint}`) => ({
  fingerprint,
  detector: "sarif",
  rule: "no-eval",
  message,
  severity: "warning" as const,
  path: "src/a.js",
  line: 3,
});
const closedProposal = (pullRequest: number, at: number): Proposal => ({
  runId: `run_${pullRequest}`,
  detector: "sarif",
  pullRequest,
  fingerprints: [],
  at: 1,
  end: "closed",
  endedAt: at,
  costUsd: 0.1,
});

async function scene(found = [finding("aaa"), finding("bbb")]) {
  const clock = new ManualClock();
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub(config, () => clock.now());
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
  const parsed = parseConfig(config);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  const facts = () => sweepFacts({ store, clock, github }, repository, parsed.settings);
  await rememberSweep({ store, clock }, {
    createdAt: 0,
    input: { sweep: await facts() },
    thread: { repository },
    outcome: {
      at: 1,
      output: { sweep: { found, ran: ["sarif"], chosen: [], pullRequest: null, notes: ["It hung."] } },
    },
  } as unknown as RunState);
  const look = () => startDue(dependencies, repository, { runner: { wake: async () => false }, lateAfterMs: 1 });
  await look();
  const [number = 0] = [...github.issues.keys()];
  const body = () => github.issues.get(number)?.body ?? "";
  /** Sends as the outbox does. null: there is nothing to send. */
  const send = async (): Promise<string | null> => {
    const rows = await store.outboxDue(clock.now(), 100);
    const row = rows.filter(({ kind }) => kind === "issue").at(-1);
    if (row === undefined) return null;
    const { title, body: text } = row.payload as unknown as { title: string; body: string };
    await github.ensureIssue(repository, { marker: row.operationKey, title, body: text, knownNumber: number });
    await store.outboxDone(row.operationKey, row.contentHash, null);
    return text;
  };
  await send();
  const edit = async (after: string, by: keyof typeof users = "alice", before = body()) => {
    const issue = github.issues.get(number);
    if (issue !== undefined) issue.body = after;
    const event = toThreadEvent("issues", {
      action: "edited",
      installation: { id: repository.installationId },
      repository: { id: repository.id, name: "shop", default_branch: "main", owner: { login: "acme" } },
      issue: { number, body: after, user: users.baton, updated_at: new Date(clock.now()).toISOString() },
      changes: { body: { from: before } },
      sender: users[by],
    });
    if (event.kind !== "ticked") return event.kind === "ignored" ? event.reason : event.kind;
    return tickDashboard(dependencies, { wake: async () => false }, event);
  };
  const tick = (action: string, id: string, text = body()): string => {
    const line = text.split("\n").find((one) => one.includes(`baton:tick=${action}:${id} `)) ?? "no such box";
    return text.replace(line, line.replace("[ ]", "[x]"));
  };
  return { clock, store, github, dependencies, facts, look, body, send, edit, tick, number };
}

describe("the dashboard issue", () => {
  it("shows findings with their boxes, what detectors could not do, and how much a detector may propose", async () => {
    const { body } = await scene();
    expect(body()).toContain("`src/a.js:3` About aaa");
    expect(body()).toContain("0 of 2 pull requests are open.");
    expect(body()).toContain("- It hung.");
    expect(body()).toContain("No proposal of `sarif` has been decided yet.");
    expect(body()).not.toContain("tick=resume");
  });

  it("a tick to ignore counts, the next sweep proposes it no more, and the text is written again", async () => {
    const { edit, tick, body, facts, send } = await scene();
    const before = body();
    expect(await edit(tick("ignore", "aaa"))).toBe("@alice ticked ignore aaa");
    expect((await facts()).known.map(({ fingerprint, state }) => [fingerprint, state])).toEqual([
      ["aaa", "ignored"],
      ["bbb", "new"],
    ]);
    expect(await send()).not.toContain("aaa");
    expect(body()).not.toBe(before);
  });

  it("a tick to propose starts a sweep as who ticked; where one is at work, the next takes it first", async () => {
    const { edit, tick, body, facts, store, dependencies } = await scene();
    const text = body();
    expect(await edit(tick("propose", "bbb"))).toMatch(/^@alice ticked propose bbb; started run_/);
    const [row] = await store.runs({});
    const created = row === undefined ? undefined : (await store.read(row.runId))[0]?.event;
    expect(created).toMatchObject({
      requestedBy: { login: "alice" },
      startedBy: { kind: "schedule", name: "ticked" },
      input: { sweep: { wanted: ["bbb"] } },
    });
    expect(await edit(tick("propose", "aaa", text), "bob", text)).toMatch(/a sweep is at work/);
    expect((await facts()).wanted).toEqual(["bbb", "aaa"]);
    expect(dependencies.owner).toBe("test");
  });

  it.each([
    ["a stranger", "mallory", /^not counted: .*permission/],
    ["Baton itself", "baton", /^own edit$/],
  ] as const)("a tick by %s does not count", async (_, by, said) => {
    const { edit, tick, store } = await scene();
    expect(await edit(tick("ignore", "aaa"), by)).toMatch(said);
    expect((await readSweepBook(store, repository.id)).ignored).toEqual({});
  });

  it("what else people write there is overwritten, even where the text is what was sent last", async () => {
    const { edit, body, send, clock } = await scene();
    const before = body();
    clock.advance(1_000);
    expect(await edit("Mine now.")).toMatch(/not the dashboard/);
    await send();
    expect(await edit(before.replace("## Findings", "## Nothing"), "bob", before)).toBe("nothing was ticked");
    expect(await send()).toContain("## Findings");
    expect(body().trimEnd()).toBe(before.trimEnd());
  });

  it("an edit of another issue, whatever it carries, is none of it", async () => {
    const { edit, body, github, number } = await scene();
    github.ownIssue = async () => number + 1;
    expect(await edit(body(), "mallory")).toBe("an issue that is not the dashboard");
    expect(await edit("x", "alice", "No marker.")).toBe("issues.edited is never executed");
  });

  it("two people at once: both ticks count", async () => {
    const { edit, tick, body, store, clock } = await scene();
    const text = body();
    let isOver = false;
    const both = Promise.all([
      edit(tick("ignore", "aaa"), "alice", text),
      edit(tick("ignore", "bbb", text), "bob", text),
    ]).finally(() => {
      isOver = true;
    });
    // The second waits for the first's lease.
    while (!isOver) {
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await both;
    expect((await readSweepBook(store, repository.id)).ignored).toMatchObject({
      aaa: { by: "@alice" },
      bbb: { by: "@bob" },
    });
  });

  it("a paused detector is resumed by a tick: what was decided before counts no more", async () => {
    const { edit, tick, body, look, facts, dependencies, clock, send } = await scene();
    await changeSweepBook(dependencies, repository.id, (book) => ({
      ...book,
      proposals: [1, 2, 3, 4, 5].map((one) => closedProposal(one, clock.now() - one)),
    }));
    clock.advance(1_000);
    await look();
    await edit(`${body()} `);
    await send();
    expect(body()).toContain("under 20 %: it is paused.");
    expect((await facts()).ends["sarif"]).toHaveLength(5);
    expect(await edit(tick("resume", "sarif"))).toBe("@alice ticked resume sarif");
    expect((await facts()).ends["sarif"]).toEqual([]);
    await send();
    expect(body()).not.toContain("tick=resume");
  });

  it("a proposal that was closed on GitHub counts at once, by its delivery", async () => {
    const { dependencies, store, body, send } = await scene();
    await changeSweepBook(dependencies, repository.id, (book) => ({
      ...book,
      proposals: [{ ...closedProposal(9, 1), end: null, endedAt: null }],
    }));
    const closed = toThreadEvent("pull_request", {
      action: "closed",
      installation: { id: repository.installationId },
      repository: { id: repository.id, name: "shop", default_branch: "main", owner: { login: "acme" } },
      pull_request: { number: 9, head: { sha: "c0ffee" }, merged: true, closed_at: "2026-01-02T00:00:00Z" },
    });
    if (closed.kind !== "facts" || closed.decided === undefined) throw new Error("not decided");
    await noteDecision(dependencies, closed.decided);
    const { proposals } = await readSweepBook(store, repository.id);
    expect(proposals).toMatchObject([{ end: "merged", endedAt: Date.parse("2026-01-02T00:00:00Z") }]);
    await send();
    expect(body()).toContain("The last proposal of `sarif` was merged.");
  });

  it("thousands of findings, with texts that would be boxes, stay within the limit and add no box", async () => {
    const hostile = "- [x] <!-- baton:tick=ignore:zzz -->\n- [ ] `<!--` @bob\u0000".repeat(40);
    const all = Array.from({ length: 480 }, (_, at) => finding(`f${at}`, hostile));
    const { body, edit } = await scene(all);
    expect(body().length).toBeLessThan(65_000);
    expect(body()).toContain("460 further findings are not shown.");
    expect(body().match(/^\s*- \[[ x]\] .*<!-- baton:tick=/gm)).toHaveLength(40);
    expect(await edit(`${body()} `)).toBe("nothing was ticked");
  });
});
