import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alive } from "../../../test/fakes/alive.ts";
import { hostileTexts } from "../../../test/fakes/hostile.ts";
import { settingsSchema } from "../../config/schema.ts";
import type { PathState, ShownChange } from "../../core/shown-change.ts";
import type { RunState } from "../../core/state.ts";
import { approvalText } from "../../summary/child.ts";
import { neutralise } from "../../text/neutralise.ts";
import { breakpointPerformer } from "./breakpoint.ts";
import { knowsLineage, mayPush, protectedAtPush } from "./publish-policy.ts";

const [base, head, later] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)] as [string, string, string];
const ci = ".github/workflows/ci.yml";
const blob = (letter: string): string => letter.repeat(40);
const at = (path: string, letter: string | null, mode = "100644"): PathState => ({
  path,
  mode: letter === null ? null : mode,
  blob: letter === null ? null : blob(letter),
});

interface Tree {
  [path: string]: PathState;
}

function stateOf(paths: readonly string[], shown: ShownChange | null, decision = "approved"): RunState {
  const effects = [
    {
      key: "implement",
      kind: "agent",
      status: "succeeded",
      output: { files: paths.map((path) => ({ path, added: 1, removed: 1 })), baseSha: base, headSha: head },
    },
    {
      key: "protected-paths",
      kind: "breakpoint",
      status: "succeeded",
      input: { title: "t", kind: "protected-paths", subject: { paths, change: { baseSha: base, sha: head } } },
      observed: shown === null ? null : { facts: shown },
      output: { decision, by: null, feedback: "", sha: null, reviewId: null },
    },
  ];
  return {
    runId: "run_1",
    effects: new Map(effects.map((effect) => [effect.key, effect])),
    open: new Set(["protected-paths"]),
    settings: settingsSchema.parse({}),
    thread: { repository: { id: 1, owner: "acme", name: "shop", defaultBranch: "main", installationId: 1 } },
  } as unknown as RunState;
}

/** The change from one tree to the other, as people see it. */
async function show(
  paths: string[],
  before: Tree,
  after: Tree,
  diffs: Record<string, string> = {},
): Promise<ShownChange & { comments: string[] }> {
  const state = stateOf(paths, null);
  const comments: string[] = [];
  const seen = await breakpointPerformer.observe({
    state,
    effect: state.effects.get("protected-paths" as never),
    github: {
      gitAccess: async () => ({ url: "https://example.com/r.git", token: "t" }),
      ensureComment: async (_: unknown, __: number, marker: string, body: string) => {
        expect(marker).toBe(`run_1/protected-paths/part-${comments.push(body)}`);
        return { url: `https://example.com/c${comments.length}` };
      },
    },
    dependencies: {
      redact: (text: string) => text.replaceAll("s3cret-value", "[redacted]"),
      workspaces: {
        leftAt: async () => base,
        pathStates: async (_: unknown, sha: string, asked: string[]) =>
          asked.map((path) => (sha === base ? before : after)[path] ?? at(path, null)),
        diff: async (_: unknown, _from: string, _to: string, _max: number, [path = ""]: string[]) => ({
          text: diffs[path] ?? "",
          truncated: diffs[path] === "+truncated\n",
        }),
      },
    },
  } as never);
  expect(seen.final).toBe(false);
  return { ...(seen.facts as unknown as ShownChange), comments };
}

const push = (state: RunState, present: PathState[], sha = head): void => {
  const { status, reason } = mayPush(state, { branch: "baton/issue-1", sha }, present);
  if (status !== "passed") throw new Error(reason);
};

describe("protected-paths-allowed-unseen: the question", () => {
  it("shows the diff of each file, what else changes of it, and no secret", async () => {
    const link = ".github/CODEOWNERS";
    const { text, files } = await show(
      [ci, link, ".github/gone.yml", ".github/new.yml"],
      { [ci]: at(ci, "1"), [link]: at(link, "2"), ".github/gone.yml": at(".github/gone.yml", "3") },
      { [ci]: at(ci, "4", "100755"), [link]: at(link, "5", "120000"), ".github/new.yml": at(".github/new.yml", "6") },
      { [ci]: "-on: push\n+on: pull_request_target\n+run: echo s3cret-value\n+````\n+@bob\n" },
    );
    expect(text).toContain("+on: pull_request_target");
    expect(text).toContain("`````diff\n-on: push");
    expect(text).toContain("[redacted]");
    expect(text).not.toContain("s3cret-value");
    expect(text).toMatch(/ci\.yml`\*\*: changed to `4{10}`, file becomes executable file/);
    expect(text).toMatch(/CODEOWNERS`\*\*: changed to `5{10}`, file becomes symbolic link/);
    expect(text).toMatch(/gone\.yml`\*\*: deleted \(file\)/);
    expect(text).toMatch(/new\.yml`\*\*: added, file `6{10}`/);
    expect(files).toContainEqual(at(link, "5", "120000"));
    expect(approvalText(stateOf([ci], { files, text }))).toBe(text);
  });

  it("a diff that the question has no room for is whole in further comments, which the question links to", async () => {
    const lines = Array.from({ length: 900 }, (_, index) => `+${index} ${"x".repeat(90)}`);
    const diffs = { [ci]: `${lines.join("\n")}\n+s3cret-value\n` };
    const { text, files, comments } = await show([ci], {}, { [ci]: at(ci, "4") }, diffs);
    expect(text.length).toBeLessThan(10_000);
    expect(text).toContain("The whole change has 901 lines");
    expect(text).toContain("[part 1](https://example.com/c1), [part 2](https://example.com/c2), [part 3]");
    expect(comments).toHaveLength(3);
    const read = comments.flatMap((body) => body.split("\n").filter((line) => line.startsWith("+")));
    expect(read).toEqual([...lines, "+[redacted]"]);
    for (const body of comments) expect(body.length).toBeLessThan(60_000);
    expect(files).toEqual([at(ci, "4")]);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ["more than all further comments hold", { [ci]: `+${"x".repeat(99)}\n`.repeat(2_500) }, []],
    ["a line that is longer than a comment", { [ci]: `+${"x".repeat(50_000)}\n` }, []],
    ["git has more of it", { [ci]: "+truncated\n" }, []],
    ["only one of two", { [ci]: `+${"x".repeat(50_000)}\n`, ".github/b.yml": "+b\n" }, [".github/b.yml"]],
    [
      "the second has no room left",
      { [ci]: `+${"x".repeat(99)}\n`.repeat(1_800), ".github/b.yml": `+${"x".repeat(99)}\n`.repeat(300) },
      [ci],
    ],
  ])("a diff that is not shown whole cannot be allowed: %s", async (_, diffs, readable) => {
    const paths = Object.keys(diffs);
    const after = Object.fromEntries(paths.map((path) => [path, at(path, "4")]));
    const { text, files } = await show(paths, {}, after, diffs);
    expect(text).toContain("nobody can allow this file here");
    expect(files.map(({ path }) => path)).toEqual(readable);
    const state = stateOf(paths, { files, text });
    expect(() => push(state, Object.values(after))).toThrow(/protectedPaths/);
  });

  it("files that it has no room for are counted, and cannot be allowed", async () => {
    const paths = Array.from({ length: 120 }, (_, index) => `.github/workflows/${index}.yml`);
    const many = await show(paths, {}, {}, Object.fromEntries(paths.map((path) => [path, "+x\n"])));
    expect(many.text).toContain("20 more files are not shown");
    expect(many.files).toHaveLength(100);
    const long = Array.from({ length: 50 }, (_, index) => `.github/${`${index}`.repeat(500)}.yml`);
    const some = await show(long, {}, {});
    expect(some.text.length).toBeLessThan(30_000);
    expect(some.text).toMatch(new RegExp(`${50 - some.files.length} more files are not shown`));
  });

  it("has no effect of its own, whatever the file and its name hold", async () => {
    for (const hostile of hostileTexts) {
      const path = `.github/${hostile}`;
      const { text } = await show([path], {}, { [path]: at(path, "4") }, { [path]: `+${hostile}\n` });
      expect(alive(neutralise(text))).toEqual([]);
    }
  });
});

describe("protected-paths-allowed-unseen: the answer", () => {
  const shown: ShownChange = { files: [at(ci, "4")], text: "…" };

  it("allows exactly what was shown", () => {
    expect(protectedAtPush(stateOf([ci, "src/a.ts"], shown), { sha: head })).toEqual([ci]);
    expect(() => push(stateOf([ci, "src/a.ts"], shown), [at(ci, "4")])).not.toThrow();
    const deleted: ShownChange = { files: [at(ci, null)], text: "…" };
    expect(() => push(stateOf([ci], deleted), [at(ci, null)])).not.toThrow();
  });

  it.each([
    ["another content", [ci], [at(ci, "5")], head],
    ["another mode", [ci], [at(ci, "4", "100755")], head],
    ["a link in place of the file", [ci], [at(ci, "4", "120000")], head],
    ["the file is deleted", [ci], [at(ci, null)], head],
    ["another protected path joins", [ci, ".github/x.yml"], [at(ci, "4"), at(".github/x.yml", "4")], head],
    ["it is renamed", [".github/workflows/other.yml"], [at(".github/workflows/other.yml", "4")], head],
    ["a later commit has other content", [ci], [at(ci, "6")], later],
  ])("not where %s", (_, paths, present, sha) => {
    expect(() => push(stateOf(paths, shown), present, sha)).toThrow(/protectedPaths/);
  });

  it("of a journal that kept no content allows nothing; neither does a no", () => {
    expect(() => push(stateOf([ci], null), [at(ci, "4")])).toThrow(/protectedPaths/);
    expect(() => push(stateOf([ci], shown, "rejected"), [at(ci, "4")])).toThrow(/protectedPaths/);
  });

  it("binds whatever the content is", () => {
    const letter = fc.option(fc.constantFrom("1", "2", "3"), { nil: null });
    const mode = fc.constantFrom("100644", "100755", "120000");
    fc.assert(
      fc.property(letter, mode, letter, mode, (one, oneMode, other, otherMode) => {
        const [seen, now] = [at(ci, one, oneMode), at(ci, other, otherMode)];
        const state = stateOf([ci], { files: [seen], text: "" });
        const same = seen.mode === now.mode && seen.blob === now.blob;
        if (same) push(state, [now]);
        else expect(() => push(state, [now])).toThrow();
      }),
    );
  });
});

describe("what a joined commit has counts on the way to a later one", () => {
  const step = (key: string, from: string, to: string, path: string) => ({
    key,
    kind: "agent",
    status: "succeeded",
    output: { files: [{ path, added: 1, removed: 1 }], baseSha: from, headSha: to },
  });
  const sha = (letter: string): string => letter.repeat(40);
  const join = (to: string, joined: number) => ({
    key: "join",
    kind: "join",
    status: "succeeded",
    input: { title: "t", baseSha: base, shas: [sha("1"), sha("2")] },
    output: { headSha: to, joined, conflict: null },
  });
  const of = (effects: { key: string }[]): RunState =>
    ({ ...stateOf([], null), effects: new Map(effects.map((effect) => [effect.key, effect])) }) as unknown as RunState;
  const one = step("a", base, sha("1"), ci);
  const two = step("b", base, sha("2"), "src/b.js");
  const after = step("c", sha("3"), sha("4"), "src/c.js");

  it.each([
    ["after a join", [one, two, join(sha("3"), 2), after], sha("4"), [ci]],
    ["the join itself", [one, two, join(sha("3"), 2)], sha("3"), [ci]],
    ["a join that took none of them", [one, two, join(sha("3"), 0), after], sha("4"), []],
    [
      "a join of a join",
      [
        one,
        join(sha("3"), 1),
        { ...join(sha("5"), 1), key: "again", input: { title: "t", baseSha: base, shas: [sha("3")] } },
      ],
      sha("5"),
      [ci],
    ],
  ])("%s", (_, effects, pushed, expected) => {
    expect(protectedAtPush(of(effects), { sha: pushed })).toEqual(expected);
  });

  const child = {
    key: "child",
    kind: "subprocess",
    status: "succeeded",
    output: { runId: "run_x", verdict: {}, output: { work: { headSha: sha("1") } } },
  };
  const update = {
    key: "update",
    kind: "publish",
    status: "succeeded",
    input: { publish: { operation: "update-branch", pullRequest: 1, sha: sha("1") } },
    output: { number: 1, url: null, sha: sha("2") },
  };
  it.each([
    [
      "a step goes on from a child run's commit",
      [step("x", base, sha("9"), ci), child, step("b", sha("1"), sha("2"), "b.js")],
      sha("2"),
      false,
      [ci],
    ],
    [
      "a join takes a child run's commit",
      [step("x", base, sha("9"), ci), child, join(sha("3"), 2), two],
      sha("3"),
      false,
      [ci],
    ],
    [
      "a join takes a commit that nothing tells of",
      [step("x", base, sha("9"), ci), join(sha("3"), 2), two],
      sha("3"),
      false,
      [ci],
    ],
    ["a child run's commit itself", [step("x", base, sha("9"), ci), child], sha("1"), false, [ci]],
    ["GitHub merged the base into a step's commit", [one, update], sha("2"), true, [ci]],
    ["steps alone", [step("x", base, sha("9"), ci), two], sha("2"), true, []],
    [
      "a step goes on from a commit that an attempt left on another branch",
      [{ ...one, output: { ...one.output, aside: [{ headSha: sha("7") }] } }, step("b", sha("7"), sha("2"), "b.js")],
      sha("2"),
      false,
      [ci],
    ],
  ])("unknown lineage: %s", (_, effects, pushed, known, expected) => {
    expect(knowsLineage(of(effects), pushed)).toBe(known);
    expect(protectedAtPush(of(effects), { sha: pushed })).toEqual(expected);
  });

  it("a parent's commit that a child run goes on from is unknown to the child", () => {
    const state = of([step("b", sha("1"), sha("2"), "b.js")]);
    Object.assign(state, { input: { work: { headSha: sha("1") } } });
    expect(knowsLineage(state, sha("2"))).toBe(true);
    Object.assign(state, { parent: { runId: "run_p", key: "child", depth: 1 } });
    expect(knowsLineage(state, sha("2"))).toBe(false);
  });

  it("what git reports of an unknown lineage needs a person as well", () => {
    const state = of([child, step("b", sha("1"), sha("2"), "b.js")]);
    expect(protectedAtPush(state, { sha: sha("2") }, [ci, "c.js"])).toEqual([ci]);
    const { status } = mayPush(state, { branch: "baton/issue-1", sha: sha("2") }, [at(ci, "4")], [ci, "c.js"]);
    expect(status).not.toBe("passed");
  });
});
