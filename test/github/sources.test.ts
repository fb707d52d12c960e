/** Each answer of the local GitHub to a write or a check has a source at GitHub, or is listed as unverified. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { localGithubRoutes } from "../../packages/local-github/src/local-github.ts";
import { graphqlRoutes } from "../../packages/local-github/src/routes/graphql.ts";

const folder = join(import.meta.dirname, "../../packages/local-github/src/routes");
const unverified = readFileSync(join(import.meta.dirname, "unverified.md"), "utf8");

/** With `route(…)` and `repositoryRoute(…)` on one line or on several. The comment is everything directly above. */
const defined = /((?:^[ ]*\/\/.*\n)*)^[ ]*(route|repositoryRoute)\(\s*"([A-Z]+) (\/[^"]*)?"/gm;
const source = /Source: https:\/\/(?:docs\.github\.com|github\.com)\/\S+/;

interface Defined {
  at: string;
  comment: string;
}

function routesIn(text: string): Defined[] {
  return [...text.matchAll(defined)].map(([, comment = "", kind, method = "", path = ""]) => ({
    at: `${method} ${kind === "repositoryRoute" ? "/repos/:owner/:repo" : ""}${path}`,
    comment,
  }));
}

const isAboutChecks = /\/(?:check-runs|check-suites|status|statuses|actions\/jobs|actions\/runs)\b/;
const needsSource = (at: string): boolean => !at.startsWith("GET ") || isAboutChecks.test(at);
const lacksSource = ({ at, comment }: Defined): boolean =>
  needsSource(at) && !source.test(comment) && !unverified.includes(`\`${at}\``);

const found = readdirSync(folder).flatMap((name) => routesIn(readFileSync(join(folder, name), "utf8")));

it("every such route is found in the text", () => {
  const served = [...localGithubRoutes, ...graphqlRoutes].map(({ method, path }) => `${method} ${path}`);
  const named = found.map(({ at }) => at);
  expect(named.filter(needsSource).toSorted()).toEqual(served.filter(needsSource).toSorted());
});

it("a route that writes, or that answers about checks, has its source right above", () => {
  expect(found.filter(({ at }) => needsSource(at)).length).toBeGreaterThan(50);
  expect(found.filter(lacksSource).map(({ at }) => at)).toEqual([]);
});

it("a row of `unverified.md` says what, which answer, and why", () => {
  const rows = unverified.split("\n").filter((line) => /^\| (?!-|What )/.test(line));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows)
    expect(
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().length > 10),
    ).toEqual([true, true, true]);
});

describe("what is seen", () => {
  it.each([
    ["no comment", 'repositoryRoute("POST /x", w, f)', true],
    ["a comment without a source", '// Makes it.\nrepositoryRoute("PUT /x", w, f)', true],
    ["a source that is no page of GitHub", '// Source: https://example.com/x\nroute("DELETE /x", w, f)', true],
    [
      "a source above another route",
      '// Source: https://docs.github.com/x\nroute("GET /a", r, f),\nroute("POST /x", w, f)',
      true,
    ],
    ["a read of checks", 'repositoryRoute(\n  "GET /commits/*ref/check-runs",\n  r, f)', true],
    ["its source", '  // Source: https://docs.github.com/en/rest/x#y\n  repositoryRoute("POST /x", w, f)', false],
    [
      "its source in a longer comment",
      '// One.\n// Source: https://github.com/a/b/issues/1\nroute("POST /x", w, f)',
      false,
    ],
    ["a read of something else", 'repositoryRoute("GET /x", r, f)', false],
  ])("%s", (_, text, lacks) => {
    expect(routesIn(text).some(lacksSource)).toBe(lacks);
  });
});
