/** The sources of Baton's sentences: documents, and texts in the code (prose of settings, errors, help, comments in threads). */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import type { ProseKind } from "./rules.ts";

export interface ProseText {
  path: string;
  line: number;
  text: string;
  kind: ProseKind;
}

/** Generated from texts in the code, written for agents, or history. */
const excluded = [/^docs\/reference\//, /^test\/fixtures\//, /^src\/prompt\//, /^CHANGELOG\.md$/];

export function proseOf(root: string): ProseText[] {
  return filesOf(root, ["*.md", "src/**/*.ts", "processes/**/*.ts", "packages/**/*.ts"])
    .filter((path) => !path.endsWith(".test.ts") && !excluded.some((one) => one.test(path)))
    .flatMap((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return path.endsWith(".md") ? [{ path, line: 1, text, kind: "guide" as const }] : textsIn(path, text);
    });
}

/** Comments of the code of Baton and of its tests. */
export function commentsOf(root: string): ProseText[] {
  const patterns = ["src", "processes", "packages", "test", "tools", "bench"].map((folder) => `${folder}/**/*.ts`);
  return filesOf(root, patterns)
    .filter((path) => !path.startsWith("test/fixtures/"))
    .flatMap((path) => commentsIn(path, readFileSync(join(root, path), "utf8")));
}

export function commentsIn(path: string, code: string): ProseText[] {
  const starts = lineStarts(code);
  return parseSync(path, code).comments.map(({ value, start }) => ({
    path,
    line: lineAt(starts, start),
    text: value.replaceAll(/^[ \t]*\*+ ?/gm, ""),
    kind: "message",
  }));
}

/** Literals that are sentences: they have at least four words and are not code or SQL. */
export function textsIn(path: string, code: string): ProseText[] {
  const found: ProseText[] = [];
  const starts = lineStarts(code);
  const add = (text: string, offset: number): void => {
    if (isSentence(text)) found.push({ path, line: lineAt(starts, offset), text, kind: "message" });
  };
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === "string") add(node.value, node.start);
    },
    TemplateLiteral: (node) => {
      add(
        node.quasis
          .map(({ value }) => value.cooked ?? "")
          .join("`…`")
          .replaceAll("``…``", "`…`"),
        node.start,
      );
    },
  }).visit(parseSync(path, code).program);
  return found;
}

function filesOf(root: string, patterns: readonly string[]): string[] {
  const listed = execFileSync("git", ["ls-files", "-z", ...patterns], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return listed.split("\0").filter((path) => path !== "");
}

function isSentence(text: string): boolean {
  return (
    /(?:\S+\s+){3}\S/.test(text) &&
    /\p{L}{2}/u.test(text) &&
    !/[{};]\s*$|\b(?:const|import) /.test(text) &&
    !/^\s*(?:select|insert|update|delete|create|with)\b/i.test(text)
  );
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}

function lineAt(starts: readonly number[], offset: number): number {
  return starts.findLastIndex((start) => start <= offset) + 1;
}
