import { expect, it } from "vitest";
import { codeOwnersOf } from "./code-owners.ts";

const file = `# The last line that fits decides
*           @global @acme/core
*.js        @js # not @comment
/build/logs/ @logs
docs/*      docs@example.com @docs
apps/       @octocat
/apps/github
\\#odd\\ name @odd
!not        @negated
[ab]        @range
`;

it.each<[string, string[], string[], string[]]>([
  ["the default", ["README.md"], ["global"], ["acme/core"]],
  ["an extension at any depth", ["src/deep/a.js"], ["js"], []],
  ["an anchored folder", ["build/logs/a.txt"], ["logs"], []],
  ["the same folder elsewhere", ["src/build/logs/a.txt"], ["global"], ["acme/core"]],
  ["files of a folder, without the address", ["docs/a.md"], ["docs"], []],
  ["nothing below `docs/*`", ["docs/build/a.md"], ["global"], ["acme/core"]],
  ["a folder at any depth", ["x/apps/a/b.txt"], ["octocat"], []],
  ["a line without owners takes them away", ["apps/github/a.txt"], [], []],
  ["an escaped name", ["#odd name"], ["odd"], []],
  ["unsupported lines own nothing", ["not", "a"], ["global"], ["acme/core"]],
  ["several files", ["a.js", "docs/a.md", "apps/github"], ["js", "docs"], []],
  ["upper case is another name", ["a.JS"], ["global"], ["acme/core"]],
])("%s", (_, paths, people, teams) => {
  expect(codeOwnersOf(file, paths)).toEqual({ people, teams });
});

it("a pattern that a single name could keep busy, and more lines times files than can be tried, call nobody", () => {
  // With this pattern, 60 letters took 0.4 s and 255 would take an hour.
  expect(codeOwnersOf("*a*a*a*a*a*b @bob", ["a".repeat(255)])).toEqual({ people: [], teams: [] });
  expect(codeOwnersOf("* @bob\n".repeat(5_000), Array(201).fill("a"))).toEqual({ people: [], teams: [] });
});

it("a hostile file costs no time and calls nobody", () => {
  const startedAt = performance.now();
  const text = `${"*a".repeat(2_000)} @bob\n${"*a".repeat(20)}b @bob\n/a @bob\u202e @-b @a/b/c`;
  expect(codeOwnersOf(text, ["a", "b", `${"a".repeat(250)}b`])).toEqual({ people: [], teams: [] });
  expect(performance.now() - startedAt).toBeLessThan(60_000);
});
