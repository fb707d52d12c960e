import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isBranchName, standsInTheWay } from "./branch-name.ts";

const names = [
  ..."feature/テスト feature/#42-sum feat(cart)-sum a+b 100%-sure it's a'b`c é-ü x=y a,b a;b a&b a!b {x} a|b <x> $x \"q\" refs/heads/x 🎉".split(
    " ",
  ),
  ..."a..b a.lock x/a.lock .a x/.a a. a/ /a a//b a~b a^b a:b a?b a*b a[b a\\b @ -a HEAD a@{b @x x@ a@b".split(" "),
  "a b",
  "a\tb",
  "a\u007fb",
  "",
];

describe("branch-names: what git takes is taken", () => {
  it.each(names)("%j", (name) => {
    const { status } = spawnSync("git", ["check-ref-format", "--branch", name], { cwd: "/", encoding: "utf8" });
    expect(isBranchName(name)).toBe(status === 0);
  });

  it.each([
    ["baton/issue-1", "baton", true],
    ["baton/issue-1", "baton/issue-1/old", true],
    ["baton/issue-1", "baton/issue-1", false],
    ["baton/issue-1", "baton/issue-10", false],
    ["baton/issue-1", "bat", false],
  ])("%s beside %s: in the way is %s", (name, existing, expected) => {
    expect(standsInTheWay(name, existing)).toBe(expected);
  });
});
