/** Processes of a repository by name: which text counts, which refuses, and what a run begins with. */
import { describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { parseProcess } from "../workflow/parse.ts";
import { processFolder, RepositoryProcesses, readInputs } from "./load-processes.ts";

const repository = { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const one = (body: string): string => `summary: One\nsteps:\n  - ${body}\n`;
const shell = one("{ id: a, shell: [x] }");

function of(files: Record<string, string>): { own: RepositoryProcesses; reads: string[] } {
  const reads: string[] = [];
  const github = {
    directory: async () => Object.keys(files),
    file: async (_: unknown, path: string, ref: string) => {
      reads.push(`${path}@${ref}`);
      return files[path.slice(processFolder.length + 1)] ?? null;
    },
  };
  return { own: new RepositoryProcesses(builtInProcesses(), github, repository, "base-sha"), reads };
}

it("the texts that it uses, however far, begin with it; each is read once, at the one commit", async () => {
  const files = {
    "top.yaml": one("{ id: a, uses: middle }"),
    "middle.yaml": `${one("{ id: a, uses: leaf }")}  - { id: b, uses: issue-to-pr }\n`,
    "leaf.yaml": shell,
    "other.yaml": "not: read",
  };
  const { own, reads } = of(files);
  const found = await own.find("top");
  expect(found?.definition.source).toMatchObject({
    path: `${processFolder}/top.yaml`,
    hash: sha256(files["top.yaml"]),
  });
  expect(found?.definition.source?.uses.map(({ name, text }) => [name, text])).toEqual([
    ["middle", files["middle.yaml"]],
    ["leaf", files["leaf.yaml"]],
  ]);
  expect(reads.toSorted()).toEqual(["leaf", "middle", "top"].map((name) => `${processFolder}/${name}.yaml@base-sha`));
});

it.each([
  [
    "one that is misspelt",
    "greeet",
    /There is no process `greeet`\. Did you mean `greet`\? There are: `issue-to-pr`.*, `greet`\./,
  ],
  [
    "one that is named .yml",
    "other",
    /`\.github\/baton\/processes\/other\.yml` is not read; name it `.*\/other\.yaml`/,
  ],
])("%s is not there, and what to do is said", async (_, name, message) => {
  const error = await of({ "greet.yaml": shell, "other.yml": shell }).own.unknown(name);
  expect(error).toMatchObject({ code: "BATON_PROCESS_UNKNOWN", message: expect.stringMatching(message) });
});

it("Baton's own come first, and nothing is read for them", async () => {
  const { own, reads } = of({ "issue-to-pr.yaml": shell });
  expect((await own.find("issue-to-pr"))?.file).toBeNull();
  expect(reads).toEqual([]);
  expect(await own.find("nothing")).toBeNull();
});

it.each<[string, Record<string, string>, string, RegExp]>([
  [
    "a name of Baton's own",
    { "issue-to-pr.yaml": shell },
    "issue-to-pr",
    /a process of Baton's own; give the file another name/,
  ],
  ["a name that no command can say", { "My Own.yaml": shell }, "My Own", /lower-case letters/],
  ["itself", { "a.yaml": one("{ id: a, uses: a }") }, "a", /circle: `a` uses `a`/],
  [
    "a circle",
    { "a.yaml": one("{ id: a, uses: b }"), "b.yaml": one("{ id: a, uses: a }") },
    "a",
    /circle: `a` uses `b` uses `a`/,
  ],
  ["an unknown one", { "a.yaml": one("{ id: a, uses: ab }"), "abc.yaml": shell }, "a", /no process `ab`/],
  [
    "another's input",
    { "a.yaml": one("{ id: a, uses: b, with: { n: x } }"), "b.yaml": `${shell}inputs: { n: { type: integer } }\n` },
    "a",
    /`b` takes a whole number at `n`, and here is "x"/,
  ],
  [
    "a code process's input",
    { "a.yaml": one("{ id: a, uses: issue-to-pr, with: { instruction: x } }") },
    "a",
    /has no input `instruction`/,
  ],
])("%s is told", async (_, files, name, message) => {
  const { parsed } = await of(files).own.check(name);
  expect(parsed.ok).toBe(false);
  expect(parsed.problems[0]?.message).toMatch(message);
});

it("what it uses must be right as well, and the lines are those of that file", async () => {
  const { own } = of({ "a.yaml": one("{ id: a, uses: b }"), "b.yaml": one("{ id: a, shel: [x] }") });
  await expect(own.find("a")).rejects.toMatchObject({
    code: "BATON_PROCESS_INVALID",
    message: expect.stringMatching(/b\.yaml:3:14: "shel" is not a key here.*Did you mean `shell`\?/),
  });
});

it("without a commit there is none", async () => {
  const github = { directory: async () => ["a.yaml"], file: async () => shell };
  const own = new RepositoryProcesses(builtInProcesses(), github, repository, null);
  expect(await own.find("a")).toBeNull();
});

describe("words behind the name", () => {
  const parsed = parseProcess(
    `${shell}inputs: { name: { type: string }, n: { type: integer }, on: { type: boolean }, list: { type: array } }`,
    null,
  );
  if (!parsed.ok) throw new Error("the file of the test");
  it.each<[string, Record<string, unknown>, string]>([
    ["name=Ann n=3 please hurry", { name: "Ann", n: 3 }, "please hurry"],
    ['name="Ann and \\"Bob\\"" on=true', { name: 'Ann and "Bob"', on: true }, ""],
    ["list=[1,2] x", { list: [1, 2] }, "x"],
    ["n=many", { n: "many" }, ""],
    ["other=1 name=Ann", {}, "other=1 name=Ann"],
    ["make name=Ann", {}, "make name=Ann"],
    ["name=", { name: "" }, ""],
    ["constructor=1", {}, "constructor=1"],
  ])("%s", (text, inputs, rest) => {
    expect(readInputs(parsed.file, text)).toEqual({ inputs, rest });
  });
});
