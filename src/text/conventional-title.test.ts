import { expect, it } from "vitest";
import { conventionalTitle } from "./conventional-title.ts";

const history = [
  "feat(cart): add a discount",
  "fix: count each item once (#12)",
  "Merge pull request #11 from acme/x",
  "chore(deps): bump vitest to 5",
  "docs: say how to run it",
  "refactor!: one price list",
  "Release 1.2.3",
];

it.each<[string, string]>([
  ["Fix the total of an empty cart.", "fix: the total of an empty cart"],
  ["Add a rate limit to the login", "feat: add a rate limit to the login"],
  ["Explain the cache", "docs: explain the cache"],
  ["Add tests of the cart", "test: add tests of the cart"],
  ["The total is wrong", "fix: the total is wrong"],
  ["Bump vitest", "build: bump vitest"],
  ["OAuth tokens expire too early", "chore: OAuth tokens expire too early"],
  ["Parser: accept tabs", "chore: parser: accept tabs"],
  // A type in capitals, and one that only this history has.
  ["Fix: the total", "fix: the total"],
  ["FEAT(cart): a discount", "feat(cart): a discount"],
  // CT1
  ["feat(cart)!: a discount", "feat(cart)!: a discount"],
  ["chore: tidy up", "chore: tidy up"],
])("in a conventional history %j becomes %j, and stays so", (title, expected) => {
  const once = conventionalTitle(title, history);
  expect(once).toBe(expected);
  expect(conventionalTitle(once, history)).toBe(once);
});

it.each<[string, string[]]>([
  ["sentences", ["Add a discount", "Count each item once", "Bump vitest", "Say how to run it", "One price list"]],
  ["names of modules", ["cart: add", "login: limit", "cart: count", "docs: say", "prices: one"]],
  ["too few commits", ["feat: a", "fix: b"]],
  ["no commits", []],
  ["a habit that half of them follow", ["feat: a", "Add b", "fix: c", "Count d", "docs: e", "Say f"]],
])("a history of %s changes no title", (_, subjects) => {
  expect(conventionalTitle("Fix the total.", subjects)).toBe("Fix the total.");
});

it("descriptions begin as the others of the history do", () => {
  const capitals = history.map((subject) => subject.replace(/: ([a-z])/, (_, one: string) => `: ${one.toUpperCase()}`));
  expect(conventionalTitle("Add a limit", capitals)).toBe("feat: Add a limit");
});
