import { describe, expect, it } from "vitest";
import { repository } from "../../test/fakes/small-github.ts";
import { limits } from "../core/limits.ts";
import { projectInstructions } from "./project-instructions.ts";

const base = "a".repeat(40);

async function read(files: Record<string, string>, about: string[] = []) {
  const asked: string[] = [];
  const found = await projectInstructions(
    {
      file: async (_, path, ref) => {
        asked.push(ref ?? "");
        return files[path] ?? null;
      },
      setup: () => ({ paths: async () => ({ paths: Object.keys(files), isWhole: true }) }) as never,
    },
    repository,
    base,
    about,
  );
  return { found, asked };
}

describe("the project's instructions", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["none", {}, []],
    [
      "all that there are, those for everybody first",
      { "GEMINI.md": "g", "AGENTS.md": "a" },
      ["AGENTS.md", "GEMINI.md"],
    ],
    ["the same text once", { "AGENTS.md": "a\n", "CLAUDE.md": "a" }, ["AGENTS.md"]],
    ["no symbolic link to one that is there", { "AGENTS.md": "a", "CLAUDE.md": "AGENTS.md" }, ["AGENTS.md"]],
    ["no line that includes one that is there", { "AGENTS.md": "a", "CLAUDE.md": "@AGENTS.md\n" }, ["AGENTS.md"]],
    ["a line that includes what is not there stays", { "CLAUDE.md": "@AGENTS.md" }, ["CLAUDE.md"]],
    [
      "those of folders after those for all, the outer ones first, none of code of others",
      {
        "node_modules/x/AGENTS.md": "x",
        "packages/b/CLAUDE.md": "b",
        "packages/a/deep/AGENTS.md": "d",
        "docs/NOT-AGENTS.md": "n",
        "api/AGENTS.md": "api",
        "AGENTS.md": "a",
      },
      ["AGENTS.md", "api/AGENTS.md", "packages/b/CLAUDE.md", "packages/a/deep/AGENTS.md"],
    ],
    [
      "the same text of two folders twice: each holds for its own",
      { "a/AGENTS.md": "t", "b/AGENTS.md": "t", "b/CLAUDE.md": "@AGENTS.md" },
      ["a/AGENTS.md", "b/AGENTS.md"],
    ],
    [
      "instruction-files-dropped-in-silence: those of tools and in small letters too, pages for all after those of folders",
      {
        ".github/copilot-instructions.md": "c",
        ".github/instructions/web/css.instructions.md": "i",
        ".claude/CLAUDE.md": "k",
        "crates/but/agents.md": "n",
        "crates/.claude/CLAUDE.md": "m",
        "crates/vendor/x/AGENTS.md": "x",
        "docs/instructions.md": "no",
      },
      [
        ".claude/CLAUDE.md",
        "crates/.claude/CLAUDE.md",
        "crates/but/agents.md",
        ".github/copilot-instructions.md",
        ".github/instructions/web/css.instructions.md",
      ],
    ],
    ["an empty one is none", { "AGENTS.md": " \n", "CLAUDE.md": "c" }, ["CLAUDE.md"]],
  ])("%s", async (_, files, expected) => {
    expect((await read(files)).found.map(({ path }) => path)).toEqual(expected);
  });

  it("B1: all are read at the base commit", async () => {
    expect(new Set((await read({ "AGENTS.md": "a" })).asked)).toEqual(new Set([base]));
  });

  it("B2: together they are bounded, and what is cut says so", async () => {
    const max = limits.promptInstructionsCharactersMax;
    const { found } = await read({
      "AGENTS.md": "a".repeat(max - 100),
      "CLAUDE.md": "b".repeat(max),
      "GEMINI.md": "g",
    });
    expect(found.map(({ path, text }) => [path, text === ""])).toEqual([
      ["AGENTS.md", false],
      ["CLAUDE.md", true],
      ["GEMINI.md", true],
    ]);
    expect(found.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(max);
  });

  it("instruction-files-dropped-in-silence: the tree of gitbutler: what is cut says so, and what has no room is named", async () => {
    const { found } = await read({
      "AGENTS.md": "a".repeat(1_800),
      ".github/copilot-instructions.md": "c".repeat(10_200),
      "crates/AGENTS.md": "r".repeat(9_000),
      "crates/but/AGENTS.md": "b".repeat(7_000),
      "apps/lite/AGENTS.md": "l".repeat(3_000),
      "crates/but/skill/AGENTS.md": "s".repeat(3_000),
    });
    expect(found.map(({ path }) => path)).toEqual([
      "AGENTS.md",
      "crates/AGENTS.md",
      "apps/lite/AGENTS.md",
      "crates/but/AGENTS.md",
      "crates/but/skill/AGENTS.md",
      ".github/copilot-instructions.md",
    ]);
    expect(found[3]?.text).toContain("(cut)");
    expect(found.slice(4).map(({ text }) => text)).toEqual(["", ""]);
  });

  it("instruction-files-dropped-in-silence: of very many files every one is named, and few are read", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [`p${index}/AGENTS.md`, `text ${index}`]),
    );
    const { found, asked } = await read(files);
    expect(found).toHaveLength(120);
    expect(asked.length).toBeLessThanOrEqual(24);
  });

  it.each<[string, string[], string[]]>([
    [
      "nothing",
      [],
      ["AGENTS.md", "docs/AGENTS.md", "packages/AGENTS.md", "packages/api/AGENTS.md", "packages/web/AGENTS.md"],
    ],
    ["a folder", ["packages/api"], ["AGENTS.md", "packages/AGENTS.md", "packages/api/AGENTS.md"]],
    ["a file in it", ["packages/api/src/a.ts"], ["AGENTS.md", "packages/AGENTS.md", "packages/api/AGENTS.md"]],
    [
      "a glob",
      ["packages/*/src/**"],
      ["AGENTS.md", "packages/AGENTS.md", "packages/api/AGENTS.md", "packages/web/AGENTS.md"],
    ],
    ["a folder whose name only begins so", ["packages/ap"], ["AGENTS.md", "packages/AGENTS.md"]],
    [
      "two folders",
      ["docs", "packages/web"],
      ["AGENTS.md", "docs/AGENTS.md", "packages/AGENTS.md", "packages/web/AGENTS.md"],
    ],
  ])(
    "PJ1: of a run about %s, the files of those folders and the ones around them are read",
    async (_, about, expected) => {
      const folders = ["", "docs/", "packages/", "packages/api/", "packages/web/"];
      const files = Object.fromEntries(folders.map((folder) => [`${folder}AGENTS.md`, `Text of ${folder}`]));
      const { found } = await read(files, about);
      expect(found.filter(({ text }) => text !== "").map(({ path }) => path)).toEqual(expected);
      expect(found).toHaveLength(folders.length);
    },
  );
});
