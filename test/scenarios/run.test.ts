/** The main job, end to end: real door, real engine, real git, real processes, against the local GitHub. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect } from "vitest";
import { planOf, sampleFiles, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName, type WorldOptions } from "../../packages/local-github/demo/world.ts";
import { clonedReader } from "../git-reader.ts";
import {
  comments,
  ends,
  kept,
  type ObservedWorld,
  ownComments,
  pulls,
  questions,
  reaches,
  repositoryOf,
  runState,
  say,
} from "./helpers.ts";
import { scenariosOf, scenarioWorld } from "./modes.ts";

const scenario = scenariosOf("run");

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});
const begin = async (options: WorldOptions = {}): Promise<void> => {
  world = await scenarioWorld(options);
};
const green = { ...sampleScript, implement: sampleScript.repair };
const config = (text: string): string => `version: 1\nharness: { default: command }\n${text}`;
const approve = (as = "bob", more: object = {}) =>
  world.github.review({
    repository: repositoryName,
    number: pulls(world)[0]?.number as number,
    as,
    event: "APPROVE",
    ...more,
  });
const check = () => [...repositoryOf(world).checkRuns.values()].filter(({ name }) => name === "Baton");

describe("the happy path", () => {
  scenario("an issue becomes a pull request with green checks, approved by another person", async () => {
    await begin({ script: green });
    const id = say(world, "/baton run");
    const waiting = await reaches(world, "review");
    expect([...waiting.effects.keys()]).toEqual(["plan", "implement", "push", "pull-request", "checks", "review"]);
    const [pull] = pulls(world);
    expect(pull).toMatchObject({
      body: expect.stringContaining(`Closes #${world.issue}`),
      pull: { headRef: expect.stringMatching(/^baton\/issue-1-the-total/) },
    });
    expect(pull?.body).toMatch(
      /### Decisions.*Begin the sum at 0.*### Risks.*### Verification.*### What changed.*`cart\.js` \| \+1 \| −1.*### Cost so far\n\n\$0\.\d+ of \$5\.00/s,
    );
    approve();
    const state = await ends(world);
    expect(state).toMatchObject({
      status: "completed",
      outcome: { verdict: { status: "passed", reason: expect.stringContaining("approved by @bob") } },
    });
    // A job also says that it starts CI.
    const own = ownComments(world).filter((body) => !body.includes("starts no workflow for such a push"));
    expect(own).toHaveLength(2);
    expect(own[0]).toMatch(/^✅ \*\*Done in #2\.\*\*/);
    expect(own[1]).toMatch(/### Evidence.*Cost by step.*scripted-model.*\*\*Total\*\*/s);
    const reactions = repositoryOf(world)
      .comments.get(id)
      ?.reactions.map(({ content }) => content);
    expect(reactions).toEqual(expect.arrayContaining(["eyes", "rocket"]));
    expect(check()).toMatchObject([{ status: "completed", conclusion: "success", headSha: pull?.pull.headSha }]);
    expect(pull?.pull.mergedAt).toBeNull();
  });

  scenario("`merge: auto` merges the approved head and closes the issue", async () => {
    await begin({ script: green, config: config("merge: auto\n") });
    say(world, "/baton run");
    await reaches(world, "review");
    approve();
    const state = await ends(world);
    expect(state.outcome?.output).toMatchObject({ merged: true, approvedBy: "bob" });
    expect(repositoryOf(world).threads.get(world.issue)?.state).toBe("closed");
  });

  scenario("commits carry the run, the step and the asking person", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    const state = await reaches(world, "review");
    const { repository } = state.thread;
    const github = await world.baton.dependencies.github.installation(repository.installationId);
    const { url, token } = await github.gitAccess(repository, "read");
    const reader = await clonedReader(url.replace("//", `//x-access-token:${token}@`), join(world.directory, "clone"));
    const { headRef, headSha } = pulls(world)[0]?.pull as { headRef: string; headSha: string };
    expect(await reader.commits(`main..${headRef}`)).toMatchObject([
      {
        sha: headSha,
        committer: "baton[bot]",
        trailers: [
          `Baton-Run: ${state.runId}`,
          "Baton-Step: implement",
          "Baton-Harness: command",
          expect.stringMatching(/^Co-authored-by: alice <\d+\+alice@users\.noreply\.github\.com>$/),
        ],
      },
    ]);
    expect(Object.keys(await reader.refs())).toEqual([`refs/heads/${headRef}`, "refs/heads/main", "refs/pull/2/head"]);
  });

  scenario("the same comment delivered again begins nothing", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    await reaches(world, "review");
    const delivery = world.github.deliveries.find(({ event }) => event === "issue_comment");
    world.github.redeliver(delivery?.id as number);
    await world.github.settle();
    expect(await world.baton.dependencies.store.runs({})).toHaveLength(1);
    expect(pulls(world)).toHaveLength(1);
  });
});

describe("checks", () => {
  scenario("red: the failing log goes to a repair, a new push, and green", async () => {
    await begin();
    say(world, "/baton run");
    const state = await reaches(world, "review");
    expect([...state.effects.keys()]).toEqual([
      "plan",
      "implement",
      "push",
      "pull-request",
      "checks",
      "repair",
      "push#2",
      "refresh",
      "checks#2",
      "review",
    ]);
    const prompt = await kept(world, state, "repair");
    expect(prompt).toContain("an empty cart costs nothing");
    expect(prompt).toContain("Reduce of empty array");
    await world.until("the older head's check to be closed", () => check()[0]?.conclusion === "neutral");
    expect(check().map(({ status }) => status)).toEqual(["completed", "in_progress"]);
  });

  scenario("red for ever: stops after the limit with an honest verdict", async () => {
    await begin({
      script: { ...sampleScript, repair: [1, 2, 3].map((n) => ({ files: { "note.txt": `${n}` }, text: "tried" })) },
      config: config("limits: { repairAttempts: 2 }\n"),
    });
    say(world, "/baton run");
    const state = await ends(world);
    expect(state.outcome?.verdict).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("Still red after 2 repairs (limit 2)"),
    });
    expect(ownComments(world)[0]).toMatch(/^❌ \*\*Not done in #2\.\*\*/);
    expect(check().at(-1)).toMatchObject({ conclusion: "failure" });
  });

  scenario("no CI at all is not green, unless a setting says so", async () => {
    await begin({ script: green, ci: false, config: config("gates: { appearSeconds: 0 }\n") });
    say(world, "/baton run");
    const state = await ends(world);
    expect(state.outcome?.verdict).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("No check appeared"),
    });
  });

  scenario("`gates.noChecks: pass` accepts it and says so", async () => {
    await begin({
      script: green,
      ci: false,
      config: config("gates: { appearSeconds: 0, noChecks: pass }\nbreakpoints: { review: auto }\n"),
    });
    say(world, "/baton run");
    expect((await ends(world)).outcome?.verdict.children[0]?.reason).toContain("gates.noChecks: pass");
  });
});

describe("review", () => {
  scenario("request changes sends the text back; a new review of the new head passes", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    await reaches(world, "review");
    world.github.review({
      repository: repositoryName,
      number: pulls(world)[0]?.number as number,
      as: "bob",
      event: "REQUEST_CHANGES",
      body: "Say it in the README, too.",
    });
    const state = await reaches(world, "review#2");
    expect(await kept(world, state, "address")).toContain("Say it in the README, too.");
    approve();
    expect((await ends(world)).outcome?.verdict.status).toBe("passed");
  });

  scenario("the person who started the run cannot approve it; another can", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    await reaches(world, "review");
    approve("alice");
    await world.until("the refusal to be seen", async () =>
      JSON.stringify((await runState(world))?.effects.get("review" as never)?.observed ?? null).includes(
        "nobody approves their own",
      ),
    );
    approve("bob");
    expect((await ends(world)).outcome?.output).toMatchObject({ approvedBy: "bob" });
  });

  scenario("`approvals.self: allow` lets them, and the thread says so", async () => {
    await begin({ script: green, config: config("approvals: { self: allow }\n") });
    say(world, "/baton run");
    await reaches(world, "review");
    approve("alice");
    const state = await ends(world);
    expect(JSON.stringify(state.effects.get("review" as never)?.observed)).toContain("approved their own run");
  });

  scenario("a push by anyone voids the approval: the new head is checked and reviewed anew", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    const state = await reaches(world, "review");
    const branch = pulls(world)[0]?.pull.headRef as string;
    const old = pulls(world)[0]?.pull.headSha as string;
    await world.github.push({
      repository: repositoryName,
      as: "bob",
      branch,
      files: { "more.txt": "more\n" },
      message: "More",
    });
    await reaches(world, "review#2");
    approve("bob", { sha: old });
    await world.until("the stale approval to be seen", async () =>
      JSON.stringify((await runState(world))?.effects.get("review#2" as never)?.observed ?? null).includes(
        "not the head",
      ),
    );
    expect(state.runId).toBe((await runState(world))?.runId);
    // Two reviewers: the person who pushed the head does not approve it.
    approve("bob");
    await world.until("the refusal to be seen", async () =>
      JSON.stringify((await runState(world))?.effects.get("review#2" as never)?.observed ?? null).includes(
        "@bob pushed the commit that is judged",
      ),
    );
    world.github.createUser({ login: "carol" });
    world.github.setPermission({ repository: repositoryName, login: "carol", permission: "write" });
    approve("carol");
    expect((await ends(world)).outcome?.output).toMatchObject({ approvedBy: "carol" });
  });
});

describe("the plan as a breakpoint", () => {
  /**
   * One world for questions, refusals, gates that people open and merges that GitHub refuses. Each mode handles them in its
   * own way.
   */
  scenario("waits, is revised by a reason, and goes on once another person approves", async () => {
    await begin({ script: green, config: config("breakpoints: { plan: ask }\nmerge: auto\n") });
    const ci = { name: "test", command: ["node", "--test"], workflow: "ci.yml", needsApproval: true };
    world.github.setCi({ repository: repositoryName, ci });
    const main = [{ branches: "main", rules: [{ type: "pull_request" as const, approvals: 2 }] }];
    world.github.setRules({ repository: repositoryName, ruleSets: main });
    const answered = (words: string) =>
      world.until(words, () => ownComments(world).some((body) => body.includes(words)));
    say(world, "/baton rnu");
    await answered("Did you mean `/baton run`?");
    say(world, "/baton run explroe");
    await answered("Did you mean `/baton run explore`?");
    expect(await world.baton.dependencies.store.runs({})).toEqual([]);
    say(world, "/baton run");
    await reaches(world, "plan-approval");
    // A new comment with the plan and a mention, because an edit of the status would notify nobody.
    const [first] = questions(world);
    expect(first?.body).toMatch(
      /^🙋 \*\*Baton needs an answer: .*\*\*[\s\S]*\/baton approve[\s\S]*@alice, who asked for this run/,
    );
    expect(first?.minimized).toBeUndefined();
    say(world, "/baton approve");
    await answered("nobody approves their own request");
    say(world, "/baton reject Begin with the test.", "bob");
    const state = await reaches(world, "plan-approval#2");
    expect(await kept(world, state, "plan#2")).toContain("Begin with the test.");
    await world.until("the answered question to be folded", () => questions(world)[0]?.minimized === "RESOLVED");
    expect(questions(world)[0]?.body).toBe(first?.body);
    say(world, "/baton approve", "bob");
    await world.until("a gate that people open", () =>
      ownComments(world).some((body) => body.includes("wait for a person to press")),
    );
    world.github.approveWorkflows({ repository: repositoryName, sha: pulls(world)[0]?.pull.headSha as string });
    await reaches(world, "review");
    approve();
    await reaches(world, "merge-wait");
    await world.until("GitHub's words in a question", () =>
      questions(world).some(({ body }) => body.includes("At least 2 approving reviews are required")),
    );
    approve("alice");
    expect((await ends(world)).outcome?.output).toMatchObject({ merged: true });
    await world.until("all questions to be folded", () =>
      questions(world).every(({ minimized }) => minimized === "RESOLVED"),
    );
    expect(new Set(questions(world).map(({ body }) => /op=question:\S+/.exec(body)?.[0])).size).toBe(
      questions(world).length,
    );
  });
});

describe("who may ask", () => {
  scenario("a stranger is refused once, with the rule and who can; nothing runs", async () => {
    await begin();
    say(world, "/baton run", "mallory");
    await world.until("the refusal", () => ownComments(world).length === 1);
    expect(ownComments(world)[0]).toMatch(
      /🚫 .*needs the permission \*\*write\*\*.*commands\.run.*Somebody with write/,
    );
    expect(await world.baton.dependencies.store.runs({})).toEqual([]);
  });

  scenario("an edited comment, a quote and code are no commands", async () => {
    await begin();
    const id = say(world, "nothing");
    world.github.editComment({ repository: repositoryName, commentId: id, as: "alice", body: "/baton run" });
    say(world, "> /baton run");
    say(world, "```\n/baton run\n```");
    say(world, "/baton help");
    await world.until("the help", () => ownComments(world).length === 1);
    expect(await world.baton.dependencies.store.runs({})).toEqual([]);
  });

  scenario("help says which commands the asker may use", async () => {
    await begin();
    say(world, "/baton help", "mallory");
    const body = await world.until("the help", () => ownComments(world)[0]);
    expect(body).toMatch(/You have \*\*read\*\* access/);
    expect(body).toMatch(/`\/baton cost` \|.*\| yes \|/);
    expect(body).toMatch(/`\/baton cancel \[reason\]` \|.*\| needs write \|/);
  });

  scenario("a fork's head is never worked on, and the answer says why", async () => {
    await begin();
    await world.github.forkRepository({ repository: repositoryName, owner: "mallory" });
    await world.github.push({
      repository: "mallory/shop",
      as: "mallory",
      branch: "evil",
      files: { "x.js": "x" },
      message: "x",
    });
    const { number } = await world.github.openPullRequest({
      repository: repositoryName,
      as: "mallory",
      title: "Evil",
      head: "mallory:evil",
    });
    say(world, "/baton run", "alice", number);
    await world.until("the refusal", () => ownComments(world, number)[0]?.includes("comes from a fork"));
    expect(await world.baton.dependencies.store.runs({})).toEqual([]);
  });

  scenario("a broken baton.yaml starts nothing and names the line", async () => {
    await begin({ config: "version: 1\nbudget:\n  runUSD: 3\n" });
    say(world, "/baton run");
    const body = await world.until("the answer", () => ownComments(world)[0]);
    expect(body).toMatch(/baton\.yaml:3: .*"runUSD" is not a key here.*Did you mean `runUsd`/);
  });
});

describe("steering", () => {
  scenario("cancel stops the harness in the middle and keeps what was pushed", async () => {
    const gate = (): string => join(world.directory, "go");
    await begin();
    writeFileSync(
      world.scriptPath,
      JSON.stringify({ ...sampleScript, implement: [{ waitFor: gate(), text: "never" }] }),
    );
    say(world, "/baton run");
    await world.until("the harness to be at work", () => existsSync(`${gate()}.waiting`));
    const marker = readFileSync(`${gate()}.waiting`, "utf8");
    say(world, "/baton cancel wrong issue");
    const state = await ends(world);
    expect(state).toMatchObject({ status: "cancelled" });
    expect(ownComments(world)[0]).toMatch(/\*\*Cancelled\.\*\*.*wrong issue/);
    await world.baton.runner.idle();
    const { killSurvivors } = await import("../../src/adapters/child/survivors.ts");
    expect(await killSurvivors(marker)).toBe(0);
  });

  scenario("a budget that is used up stops the work, keeps it, and a top-up goes on", async () => {
    const costly = { ...green, implement: [{ ...green.implement[0], usage: { input: 1, output: 1, costUsd: 0.5 } }] };
    await begin({ script: costly });
    say(world, "/baton run --budget 0.30");
    await world.until("the stop", async () => (await runState(world))?.money.stop);
    await world.until("the thread to say so", () => ownComments(world)[0]?.includes("Out of budget"));
    const [asked] = await world.until("the question", () => (questions(world).length > 0 ? questions(world) : null));
    expect(asked?.body).toMatch(/^💰 \*\*The budget of \$0\.30 is used up\*\*\n\n@alice: `\/baton budget \+2`/);
    say(world, "/baton budget 2");
    await world.until("the refusal", () => ownComments(world).some((body) => body.includes("is not a top-up")));
    writeFileSync(world.scriptPath, JSON.stringify(green));
    say(world, "/baton budget +2");
    const state = await reaches(world, "review");
    expect(state.effects.get("implement" as never)?.attempts.length).toBe(2);
    expect(state.money.budgetUsd).toBeCloseTo(2.3, 9);
    await world.until("the question to be folded", () => questions(world)[0]?.minimized === "RESOLVED");
    approve();
    expect((await ends(world)).outcome?.verdict.status).toBe("passed");
  });

  scenario("status, cost and why are answered in the thread; a second run is refused while one is active", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    await reaches(world, "review");
    for (const [command, words] of [
      ["status", "step 5 of 6: Review of"],
      ["cost", "Largest part: "],
      ["why", "[Decisions and evidence]("],
      ["priority high --deadline 4h", "The priority of this run is `high`.** Its deadline is "],
      ["run", "is active in this thread"],
    ] as const) {
      const before = ownComments(world).length;
      say(world, `/baton ${command}`);
      await world.until(`the answer to ${command}`, () =>
        ownComments(world)
          .slice(before)
          .some((body) => body.includes(words)),
      );
    }
  });

  scenario("pause begins nothing further until resume", async () => {
    const gate = (): string => join(world.directory, "go");
    await begin();
    writeFileSync(world.scriptPath, JSON.stringify({ ...green, plan: [{ waitFor: gate(), text: planOf("plan") }] }));
    say(world, "/baton run");
    await world.until("the harness to be at work", () => existsSync(`${gate()}.waiting`));
    say(world, "/baton pause lunch");
    await world.until("the pause", async () => (await runState(world))?.status === "paused");
    writeFileSync(gate(), "");
    await world.until(
      "the plan to end",
      async () => (await runState(world))?.effects.get("plan" as never)?.status === "succeeded",
    );
    const implement = async () => (await runState(world))?.effects.get("implement" as never)?.status;
    await world.until("the next step to be asked for", async () => (await implement()) !== undefined);
    expect(await implement()).toBe("requested");
    say(world, "/baton resume");
    await reaches(world, "review");
  });

  scenario("retry begins the last run anew, on the work that was pushed", async () => {
    await begin({ script: { ...sampleScript, repair: [{ text: "nothing" }] } });
    say(world, "/baton run Keep it small.");
    const first = await ends(world);
    expect(first.outcome?.verdict.status).toBe("failed");
    writeFileSync(world.scriptPath, JSON.stringify(green));
    say(world, "/baton retry");
    const state = await reaches(world, "review");
    expect(state).toMatchObject({ retryOf: first.runId, trigger: { text: "Keep it small." } });
    expect(pulls(world)).toHaveLength(1);
  });
});

describe("protected paths", () => {
  const touchesCi = {
    ...green,
    implement: [
      { ...green.implement[0], files: { ...green.implement[0]?.files, ".github/workflows/ci.yml": "on: push\n" } },
    ],
  };

  scenario("wait for another person before anything is pushed", async () => {
    // An App pushes workflow files only with that permission.
    await begin({ script: touchesCi, grants: { workflows: "write" } });
    say(world, "/baton run");
    await reaches(world, "protected-paths");
    expect(pulls(world)).toEqual([]);
    // The person sees the change itself, and can answer only then.
    await world.until("the diff", () => ownComments(world).find((body) => body.includes("+on: push")));
    say(world, "/baton approve", "bob");
    await reaches(world, "review");
  });

  scenario("`breakpoints.protectedPaths: deny` publishes nothing", async () => {
    await begin({ script: touchesCi, config: config("breakpoints: { protectedPaths: deny }\n") });
    say(world, "/baton run");
    expect((await ends(world)).outcome?.verdict).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("Protected paths"),
    });
    expect(pulls(world)).toEqual([]);
  });
});

describe("a repository's own command", () => {
  const own = config("").replace("default: command", "default: command, command: [node, agent.mjs]");

  scenario("is refused where the operator does not allow it, with what to do", async () => {
    await begin({ config: own });
    say(world, "/baton run");
    const body = await world.until("the refusal", () => ownComments(world)[0]);
    expect(body).toMatch(/🚫.*harness\.command.*BATON_REPOSITORY_COMMANDS=allow/);
    expect(await world.baton.dependencies.store.runs({})).toEqual([]);
  });

  scenario("runs in place of the operator's where it is allowed", async () => {
    const script = `import { writeFileSync } from 'node:fs'; writeFileSync('own.txt', 'by the repository'); console.log(${JSON.stringify(planOf("Write it."))});`;
    await begin({ config: own, files: { ...sampleFiles, "agent.mjs": script }, repositoryCommands: true });
    say(world, "/baton run");
    const state = await reaches(world, "checks");
    expect(state.effects.get("implement" as never)?.output).toMatchObject({ files: [{ path: "own.txt" }] });
  });
});

describe("bad harnesses", () => {
  scenario("edits nothing: an honest end", async () => {
    await begin({ script: { ...sampleScript, implement: [{ text: "I did it!" }] } });
    say(world, "/baton run");
    expect((await ends(world)).outcome?.verdict).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("changed nothing"),
    });
  });

  const saysNothing = async (text: string): Promise<void> => {
    await begin({ script: { ...sampleScript, plan: [{ text }, { text }, { text }] } });
    say(world, "/baton run");
    const plan = await world.until("the first attempt to end", async () => {
      const effect = (await runState(world))?.effects.get("plan" as never);
      return effect?.attempts[0]?.error == null ? null : effect;
    });
    expect(plan.attempts[0]?.error).toMatchObject({
      code: "BATON_HARNESS_OUTPUT",
      message: "The agent ended without a word and changed nothing.",
    });
  };
  scenario("harnesses-and-models: a plan of nothing is no success, and is tried again", () => saysNothing(""));
  scenario("harnesses-and-models: a plan of only white space is no success, and is tried again", () =>
    saysNothing(" \n\t"),
  );

  scenario("a refused key: the code and what to do are in the thread, no second try", async () => {
    await begin({ script: { ...sampleScript, plan: [{ error: { message: "bad key", status: 401 } }] } });
    say(world, "/baton run");
    const state = await ends(world);
    expect(state.outcome?.error?.code).toBe("BATON_HARNESS_AUTH");
    expect(state.effects.get("plan" as never)?.attempts).toHaveLength(1);
    expect(ownComments(world)[0]).toMatch(/What to do:.*BATON_HARNESS_AUTH/);
  });

  scenario("an unknown harness is refused with the known ones", async () => {
    await begin();
    say(world, "/baton run --harness nope");
    await world.until("the refusal", () =>
      /Harness "nope" is not known\. Known: .*\bcommand\b/.test(ownComments(world)[0] ?? ""),
    );
  });
});

describe("on a pull request", () => {
  scenario("works on its own branch until a person approves", async () => {
    await begin();
    await world.github.push({
      repository: repositoryName,
      as: "alice",
      branch: "feature",
      files: { "cart.js": green.implement[0]?.files["cart.js"] as string },
      message: "Fix",
    });
    const { number } = await world.github.openPullRequest({
      repository: repositoryName,
      as: "alice",
      title: "Fix the total",
      head: "feature",
    });
    world.github.review({
      repository: repositoryName,
      number,
      as: "bob",
      event: "REQUEST_CHANGES",
      body: "Name the unit, too.",
    });
    say(world, "/baton run Say it in the README.", "alice", number);
    const state = await reaches(world, "review", number);
    expect(await kept(world, state, "address")).toContain("Name the unit, too.");
    expect(state.process.name).toBe("address-review");
    expect(pulls(world)).toHaveLength(1);
    expect(state.effects.get("push" as never)?.input).toMatchObject({ publish: { branch: "feature" } });
    // The earlier objection was the run's task. The run does not answer it a second time.
    world.github.review({ repository: repositoryName, number, as: "bob", event: "APPROVE", body: "" });
    const over = await ends(world, number);
    expect(over.outcome?.verdict.status).toBe("passed");
    expect([...over.effects.keys()]).not.toContain("address#2");
  });
});

describe("restart", () => {
  scenario("a Baton that was stopped goes on where the journal ends", async () => {
    await begin({ script: green });
    say(world, "/baton run");
    const before = await reaches(world, "review");
    await world.restart();
    approve();
    const state = await ends(world);
    expect(state.runId).toBe(before.runId);
    expect(state.outcome?.verdict.status).toBe("passed");
    expect(comments(world, world.issue).filter(({ body }) => body.includes("baton:op=status")).length).toBe(1);
  });
});
