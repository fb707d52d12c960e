/** Checks before the first paid step, through the thread. */
import { execFileSync } from "node:child_process";
import { afterEach, expect } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { ends, type ObservedWorld, ownComments, pulls, reaches, repositoryOf, runState, say } from "./helpers.ts";
import { scenariosOf, scenarioWorld } from "./modes.ts";

const scenario = scenariosOf("preflight");

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

const green = { ...sampleScript, implement: sampleScript.repair };
const refusedWith = async (text: RegExp): Promise<void> => {
  await world.until(`an answer like ${text}`, () => ownComments(world).some((body) => text.test(body)));
  expect(await runState(world)).toBeNull();
};

scenario(
  "push-refused-by-rule-told-as-moved: rules and refs in the way stop a run before it costs anything",
  async () => {
    world = await scenarioWorld({ script: green });
    await world.github.push({ repository: repositoryName, as: "alice", branch: "baton", files: { "a.txt": "1" } });
    say(world, "/baton run");
    await refusedWith(/`baton` is in the way/);
    await world.github.deleteBranch({ repository: repositoryName, as: "alice", branch: "baton" });
    world.github.setRules({
      repository: repositoryName,
      ruleSets: [{ branches: "baton/**", rules: [{ type: "creation" }] }],
    });
    say(world, "/baton run");
    await refusedWith(/restricts who creates/);
  },
);

scenario(
  "push-refused-by-rule-told-as-moved: where signatures are required GitHub signs, and all that follows is about its commits",
  async () => {
    const config = "version: 1\nharness: { default: command }\nmerge: auto\n";
    world = await scenarioWorld({ script: sampleScript, config });
    world.github.setRules({
      repository: repositoryName,
      ruleSets: [{ branches: "baton/**", rules: [{ type: "required_signatures" }] }],
    });
    say(world, "/baton run");
    // Red first, so that a second push continues from a commit by GitHub.
    const waiting = await reaches(world, "review");
    const [pull] = pulls(world);
    const head = pull?.pull.headSha ?? "";
    const repository = repositoryOf(world);
    expect([...repository.signedCommits.keys()].at(-1)).toBe(head);
    expect(waiting.effects.get("push#2" as never)?.output).toMatchObject({ sha: head });
    expect(waiting.effects.get("review" as never)?.input).toMatchObject({ subject: { sha: head } });
    const gitDir = world.github.gitDirectory(repositoryName);
    const show = (...args: string[]): string => execFileSync("git", ["-C", gitDir, ...args], { encoding: "utf8" });
    const repair = waiting.effects.get("repair" as never)?.output as { headSha: string; baseSha: string };
    expect(repair.headSha).not.toBe(head);
    expect(repair.baseSha).toBe(show("rev-parse", `${head}^`).trim());
    const made = show("log", "--format=%cn|%an|%T", "-2", head).trim().split("\n");
    for (const line of made) expect(line.startsWith(`GitHub|${world.bot ?? "baton[bot]"}|`), line).toBe(true);
    expect(show("log", "-1", "--format=%B", head)).toMatch(/Baton-Run: run_/);
    // The refs that brought the trees are gone. In Actions mode, the state is next to them.
    expect([...repository.refs.keys()].filter((ref) => ref.startsWith("refs/baton/signing/"))).toEqual([]);
    expect(ownComments(world)[0]).toContain("Baton publishes its commits through GitHub's API");
    world.github.review({ repository: repositoryName, number: pull?.number ?? 0, as: "bob", event: "APPROVE" });
    const state = await ends(world);
    expect(state.outcome?.output).toMatchObject({ merged: true, headSha: head });
  },
);

scenario("push-refused-by-rule-told-as-moved: a rule that comes later is told with GitHub's words, once", async () => {
  world = await scenarioWorld({ script: green });
  world.github.faults.add({
    match: { path: /\/rules\/branches\// },
    kind: "status",
    status: 404,
    message: "Not Found",
    times: 50,
  });
  world.github.setRules({
    repository: repositoryName,
    ruleSets: [{ branches: "baton/**", rules: [{ type: "commit_message_pattern", pattern: "^JIRA-" }] }],
  });
  say(world, "/baton run");
  const state = await world.until("the run to end", async () => {
    const now = await runState(world);
    return now?.outcome == null ? null : now;
  });
  expect(state.outcome?.error).toMatchObject({
    code: "BATON_PUSH_REFUSED",
    message: expect.stringMatching(/GH013.*Commit message must match a given regex pattern/),
  });
  expect(state.effects.get("push" as never)?.attempts).toHaveLength(1);
});

scenario(
  "a permission that the installation lacks stops a run before it costs anything, until it is granted",
  async () => {
    world = await scenarioWorld({ script: green });
    const [installation] = world.github.state.installations.values();
    if (installation === undefined) throw new Error("Baton is not installed.");
    const { grants } = installation;
    installation.grants = { ...grants, pull_requests: "read" };
    say(world, "/baton run");
    await refusedWith(/lacks `pull_requests: write` here/);
    installation.grants = grants;
    say(world, "/baton run");
    await reaches(world, "checks");
  },
);

scenario("no CI and nobody who may approve are asked about once, with the word that goes on", async () => {
  const config = "version: 1\nharness: { default: command }\napprovals: { people: [carol] }\n";
  world = await scenarioWorld({ script: green, ci: false, config });
  say(world, "/baton run");
  await refusedWith(/No CI is to be seen.*Nobody may approve.*--without checks,approver/s);
  say(world, "/baton run --without checks,approver");
  await reaches(world, "checks");
});
