/** Commits that GitHub creates again with a signature: the same work, by compare-and-swap, once. */
import { describe, expect, it } from "vitest";
import { settingsSchema } from "../../config/schema.ts";
import { BatonError, hasCode } from "../../core/errors.ts";
import type { RunState } from "../../core/state.ts";
import type { CommitFacts, Workspaces } from "../../ports/workspace.ts";
import type { PerformContext } from "./performer.ts";
import { publishPerformer } from "./publish.ts";
import { mayDelete, protectedAtPush } from "./publish-policy.ts";
import { isSameWork } from "./publish-signed.ts";

const id = (letter: string): string => letter.repeat(40);
const commit = (sha: string, tree: string, parents: string[], message = "m"): CommitFacts => ({
  sha: id(sha),
  tree: id(tree),
  parents: parents.map(id),
  message,
});

describe("the same work", () => {
  const ours = [commit("1", "a", ["0"]), commit("2", "b", ["1"]), commit("3", "c", ["2"])];
  const theirs = [commit("4", "a", ["0"]), commit("5", "b", ["4"]), commit("6", "c", ["5"])];
  const merge = [commit("1", "a", ["0"]), commit("2", "b", ["0"]), commit("3", "c", ["1", "2"])];
  const mergeAgain = [commit("5", "b", ["0"]), commit("4", "a", ["0"]), commit("6", "c", ["4", "5"])];
  it.each<[string, CommitFacts[], CommitFacts[], boolean]>([
    ["commit by commit", ours, theirs, true],
    ["a merge, whatever comes first", merge, mergeAgain, true],
    ["parents of a merge in another order", merge, [...mergeAgain.slice(0, 2), commit("6", "c", ["5", "4"])], false],
    ["another tree", ours, [...theirs.slice(0, 2), commit("6", "d", ["5"])], false],
    ["another message", ours, [...theirs.slice(0, 2), commit("6", "c", ["5"], "x")], false],
    ["on another base", ours, [commit("4", "a", ["9"]), ...theirs.slice(1)], false],
    ["one less", ours, theirs.slice(1), false],
    ["one more on top", ours.slice(0, 2), theirs, false],
    ["nothing", [], [], false],
  ])("%s: %s", (_, a, b, same) => {
    expect(isSameWork(a, b)).toBe(same);
  });
});

const publish = { operation: "push", branch: "baton/x", sha: id("2"), expectedSha: null } as const;
const local = [commit("1", "a", ["0"]), commit("2", "b", ["1"])];

/** A branch that accepts only signed commits, and a GitHub that signs. */
function world({
  verified = true,
  changed = {},
  expectedSha = null,
  commits = local,
}: {
  verified?: boolean;
  /** Keys are the first letters of parent and commit. */
  changed?: Record<string, string[]>;
  commits?: CommitFacts[];
  expectedSha?: string | null;
} = {}) {
  const remote = new Map(local.map((one) => [one.sha, one]));
  const signed = new Set<string>();
  let head: string | null = null;
  const done: string[] = [];
  const chain = (sha: string, length: number): CommitFacts[] => {
    const found: CommitFacts[] = [];
    for (let at = remote.get(sha); at !== undefined && found.length < length; at = remote.get(at.parents[0] ?? ""))
      found.unshift(at);
    return found;
  };
  const workspaces: Partial<Workspaces> = {
    async push(_, { branch, sha, expectedSha }) {
      if (head === sha) return;
      if (head !== expectedSha) throw new BatonError("BATON_BRANCH_MOVED", `${branch} is at ${head}.`);
      if (!signed.has(sha)) throw new BatonError("BATON_PUSH_REFUSED", "GH013", { details: { refusal: "signatures" } });
      done.push("moved");
      head = sha;
    },
    async commits(_, sha, which) {
      if ("newest" in which) return chain(sha, which.newest);
      return which.outgoing.includes(id("1")) ? commits.slice(1) : commits;
    },
    fetch: async (_, ref) => ref,
    pushKept: async (_, { ref }) => void done.push(`kept ${ref}`),
    dropKept: async (_, { ref }) => void done.push(`dropped ${ref}`),
    remoteHead: async () => head,
    pathStates: async () => [],
    listFiles: async () => [],
    diffStat: async (_, from, sha) =>
      (changed[`${from[0]}${sha[0]}`] ?? []).map((path) => ({ path, added: 1, removed: 0 })),
  };
  const github = {
    gitAccess: async () => ({ url: "https://github.test/acme/shop.git", token: null }),
    async createCommit(_: unknown, { message, tree, parents }: Omit<CommitFacts, "sha">) {
      const sha = id(String.fromCharCode(99 + signed.size));
      remote.set(sha, { sha, tree, parents: [...parents], message });
      signed.add(sha);
      return { sha, verified, reason: verified ? "valid" : "unsigned" };
    },
  };
  const effect = {
    key: "push",
    kind: "publish",
    input: { title: "t", publish: { ...publish, expectedSha } },
    status: "started",
    output: null,
  };
  const state = {
    runId: "run_1",
    effects: new Map([["push", effect]]),
    settings: settingsSchema.parse({}),
    thread: { repository: { id: 1, owner: "acme", name: "shop", defaultBranch: "main", installationId: 1 } },
  } as unknown as RunState;
  const context = { effect, github, state, dependencies: { workspaces } } as unknown as PerformContext;
  return { context, done, signed, head: () => head, move: (sha: string) => (head = sha) };
}

describe("a branch whose rules want signatures", () => {
  it("gets commits that GitHub made and signed, and the step's result is the head that is there", async () => {
    const { context, done, head } = world();
    const result = await publishPerformer.perform(context);
    expect(result).toMatchObject({ ok: true, output: { sha: id("d") } });
    expect(head()).toBe(id("d"));
    const carrier = `refs/baton/signing/run_1/${"2".repeat(12)}`;
    expect(done).toEqual([`kept ${carrier}`, "moved", `dropped ${carrier}`]);
  });

  it("pushed before a crash: it is found, and nothing is made or moved again", async () => {
    const { context, done, signed } = world();
    await publishPerformer.perform(context);
    const before = [...done];
    const again = await publishPerformer.perform(context);
    expect(again).toMatchObject({ ok: true, output: { sha: id("d") } });
    // Baton removes the leftovers of an earlier try that died.
    const dropped = `dropped refs/baton/signing/run_1/${"2".repeat(12)}`;
    expect({ done, signed: signed.size }).toEqual({ done: [...before, dropped], signed: 2 });
  });

  const ci = [".github/workflows/ci.yml"];
  const merge = commit("3", "m", ["2", "8"]);
  it.each<[string, Parameters<typeof world>[0], boolean]>([
    ["a commit", { changed: { "12": ci } }, true],
    ["one that a later commit takes back", { changed: { "01": ci, "12": ci } }, true],
    ["other files", { changed: { "12": ["a.js"] } }, false],
    ["a merge that has it from a parent", { commits: [merge], changed: { "23": ci } }, false],
    ["a merge that has it from no parent", { commits: [merge], changed: { "23": ci, "83": ci } }, true],
    ["what the branch has already", { changed: { "01": ci }, expectedSha: id("1") }, false],
  ])("git reports what commits change that no step of the run made: %s", async (_, given, isDenied) => {
    const { context, move, done } = world(given);
    if (given?.expectedSha != null) move(given.expectedSha);
    const pushing = publishPerformer.perform(context);
    if (!isDenied) {
      await expect(pushing).resolves.toMatchObject({ ok: true });
      return;
    }
    await expect(pushing).rejects.toMatchObject({ code: "BATON_POLICY_DENIED" });
    expect(done).toEqual([]);
  });

  it("a branch that somebody moved is a conflict as ever", async () => {
    const { context, move } = world();
    move(id("9"));
    await expect(publishPerformer.perform(context)).rejects.toMatchObject({ code: "BATON_BRANCH_MOVED" });
  });

  it("a token for which GitHub does not sign is refused with what to do, and the branch stays", async () => {
    const { context, head, done } = world({ verified: false });
    const failed = await publishPerformer.perform(context).catch((thrown: unknown) => thrown);
    expect(hasCode(failed, "BATON_PUSH_REFUSED")).toBe(true);
    expect((failed as Error).message).toMatch(/"unsigned".*token of an App/);
    expect(head()).toBeNull();
    expect(done.at(-1)).toMatch(/^dropped/);
  });
});

describe("what the run's policy makes of it", () => {
  const ci = ".github/workflows/ci.yml";
  const step = (key: string, baseSha: string, headSha: string, path: string) => ({
    key,
    kind: "agent",
    status: "succeeded",
    input: {},
    output: { files: [{ path, added: 1, removed: 0 }], baseSha: id(baseSha), headSha: id(headSha) },
  });
  const push = (key: string, sha: string, published: string, expectedSha: string | null) => ({
    key,
    kind: "publish",
    status: "succeeded",
    input: { title: "t", publish: { ...publish, sha: id(sha), expectedSha } },
    output: { number: null, url: null, sha: id(published) },
  });
  const state = {
    effects: new Map(
      [step("one", "0", "1", ci), push("push", "1", "a", null), step("two", "a", "2", "x.txt")].map((effect) => [
        effect.key,
        effect,
      ]),
    ),
    input: { baseBranch: "main" },
    settings: settingsSchema.parse({}),
    thread: { repository: { id: 1, owner: "acme", name: "shop", defaultBranch: "main", installationId: 1 } },
  } as unknown as RunState;

  it("a step that goes on from a signed commit still brings what the steps before it changed", () => {
    expect(protectedAtPush(state, { sha: id("2") })).toEqual([ci]);
  });

  it("a branch is deleted at the head that GitHub signed, not at ours", () => {
    const at = (letter: string) =>
      mayDelete(state, { operation: "delete-branch", branch: publish.branch, expectedSha: id(letter) }).status;
    expect([at("a"), at("1")]).toEqual(["passed", "failed"]);
  });
});
