/** One process per question finds the missing blobs, no matter how many commits the question covers. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { children } from "../child/children.ts";
import { missingInCommits, missingInDifferences, missingInTrees } from "./missing-blobs.ts";

let root: string;
let gitDir: string;
const shas: string[] = [];
/** By content. */
const blobs = new Map<string, string>();

function sh(...args: string[]): string {
  return execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
    cwd: root,
    encoding: "utf8",
  }).trim();
}

/** Commits of one file each, with names that could be read as another entry. Then their blobs are removed. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "baton-missing-"));
  gitDir = join(root, ".git");
  sh("init", "-q");
  for (const content of ["one", "two", "three"]) {
    const name = `${content}\n:100644 100644 ${"a".repeat(40)} ${"b".repeat(40)} M`;
    writeFileSync(join(root, name), content);
    sh("add", "-A");
    sh("commit", "-qm", content);
    shas.push(sh("rev-parse", "HEAD"));
    blobs.set(content, sh("rev-parse", `HEAD:${name}`));
  }
  for (const sha of blobs.values()) rmSync(join(gitDir, "objects", sha.slice(0, 2), sha.slice(2)));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const of = (...contents: string[]): string[] => contents.map((one) => blobs.get(one) as string).toSorted();

it.each<[string, number, () => Promise<string[]>, () => string[]]>([
  ["whole trees", 1, () => missingInTrees(gitDir, shas), () => of("one", "two", "three")],
  ["the same tree twice", 1, () => missingInTrees(gitDir, [shas[0], shas[0]] as string[]), () => of("one")],
  ["no tree", 0, () => missingInTrees(gitDir, []), () => []],
  [
    "differences of several pairs",
    3,
    () =>
      missingInDifferences(gitDir, [
        [shas[0], shas[1]],
        [shas[2], shas[1]],
      ] as [string, string][]),
    () => of("two", "three"),
  ],
  ["no difference", 2, () => missingInDifferences(gitDir, [[shas[0], shas[0]]] as [string, string][]), () => []],
  ["no pair", 0, () => missingInDifferences(gitDir, []), () => []],
  ["what commits change", 2, () => missingInCommits(gitDir, shas), () => of("one", "two", "three")],
])("%s: %i calls of git", async (_, calls, missing, expected) => {
  const call = vi.spyOn(children, "call");
  try {
    expect((await missing()).toSorted()).toEqual(expected());
    expect(call).toHaveBeenCalledTimes(calls);
  } finally {
    call.mockRestore();
  }
});
