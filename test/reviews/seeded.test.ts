/**
 * 20 seeded defects in 5 changes, measured by git: moved, renamed and deleted lines. A scripted reviewer miscounts, as models
 * do, and also claims things about clean hunks. Comments stand on the defect's line, and on no clean hunk.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { ReviewFinding } from "../../src/core/review-finding.ts";
import { changeMap } from "../../src/review/change-map.ts";
import { placeFindings } from "../../src/review/place.ts";

interface Seeded {
  name: string;
  before: Record<string, string[]>;
  after: Record<string, string[]>;
  /** From, to. */
  moved?: [string, string];
}

/** The defect's line, in the file that has it. `drift`: how far the reviewer miscounts. */
interface Defect {
  change: string;
  path: string;
  text: string;
  drift: number;
  deleted?: boolean;
}

const filler = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, index) => `const ${name}${index} = ${index};`);

const changes: Seeded[] = [
  {
    name: "edited",
    before: { "a.js": [...filler(20, "a"), "let sum = 0;", ...filler(20, "b"), "return sum;", ...filler(5, "c")] },
    after: {
      "a.js": [
        ...filler(20, "a"),
        "let sum;",
        "sum = undefined + 1;",
        ...filler(20, "b"),
        "return sum / 0;",
        ...filler(4, "c"),
        "const c4 = 5 // clean",
      ],
    },
  },
  {
    name: "moved down by new lines above",
    before: { "b.js": [...filler(30, "k"), "check(user);", "save(user);", ...filler(10, "z")] },
    after: {
      "b.js": [
        "// A header.",
        "// It moves all lines.",
        ...filler(15, "k"),
        "}",
        ...filler(30, "k").slice(15),
        "save(user);",
        "}",
        "log(user.password);",
        ...filler(10, "z"),
        "retry(Infinity);",
      ],
    },
  },
  {
    name: "renamed",
    before: { "old/name.js": [...filler(40, "n"), "open(path);", "close(path);"] },
    after: { "new/name.js": [...filler(40, "n"), "open(path);", "open(path + '/..');", "eval(path);"] },
    moved: ["old/name.js", "new/name.js"],
  },
  {
    name: "deleted",
    before: {
      "gone.js": ["export function guard(x) {", "  if (x === null) throw new Error('no');", "}"],
      "kept.js": [...filler(10, "d"), "lock.acquire();", "try {", "  work();", "} finally {", "  lock.release();", "}"],
    },
    after: { "kept.js": [...filler(10, "d"), "lock.acquire();", "work();"] },
  },
  {
    name: "new and spread",
    before: { "e.js": [...filler(60, "e")] },
    after: {
      "e.js": [
        ...filler(5, "e"),
        "if (a = b) run();",
        ...filler(30, "e").slice(5),
        "for (let i = 0; i <= list.length; i++) use(list[i]);",
        ...filler(60, "e").slice(30),
        "// clean",
      ],
      "ä ö.js": ["JSON.parse(input);", "document.write(input);", "query(`select ${input}`);", "// clean"],
      "f.js": ["}", "}", "setTimeout(run, '1000');"],
    },
  },
];

const defects: Defect[] = [
  { change: "edited", path: "a.js", text: "sum = undefined + 1;", drift: 1 },
  { change: "edited", path: "a.js", text: "return sum / 0;", drift: -2 },
  { change: "edited", path: "a.js", text: "let sum;", drift: 0 },
  { change: "edited", path: "a.js", text: "let sum = 0;", drift: 3, deleted: true },
  { change: "moved down by new lines above", path: "b.js", text: "log(user.password);", drift: -3 },
  { change: "moved down by new lines above", path: "b.js", text: "retry(Infinity);", drift: 20 },
  { change: "moved down by new lines above", path: "b.js", text: "check(user);", drift: 2, deleted: true },
  // Two equal lines, and the reviewer is between them. Nobody can tell which one.
  { change: "moved down by new lines above", path: "b.js", text: "}", drift: -9 },
  { change: "renamed", path: "new/name.js", text: "open(path + '/..');", drift: 0 },
  { change: "renamed", path: "new/name.js", text: "eval(path);", drift: 5 },
  { change: "renamed", path: "old/name.js", text: "close(path);", drift: 1, deleted: true },
  { change: "deleted", path: "gone.js", text: "  if (x === null) throw new Error('no');", drift: 0, deleted: true },
  { change: "deleted", path: "kept.js", text: "  lock.release();", drift: -1, deleted: true },
  { change: "deleted", path: "kept.js", text: "work();", drift: 4 },
  { change: "new and spread", path: "e.js", text: "if (a = b) run();", drift: 1 },
  { change: "new and spread", path: "e.js", text: "for (let i = 0; i <= list.length; i++) use(list[i]);", drift: -6 },
  { change: "new and spread", path: "ä ö.js", text: "JSON.parse(input);", drift: 0 },
  { change: "new and spread", path: "ä ö.js", text: "document.write(input);", drift: 1 },
  { change: "new and spread", path: "ä ö.js", text: "query(`select ${input}`);", drift: -1 },
  { change: "new and spread", path: "f.js", text: "setTimeout(run, '1000');", drift: 1 },
];

const directory = mkdtempSync(join(tmpdir(), "seeded-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const git = (...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", ...args], {
    cwd: directory,
    encoding: "utf8",
  });

function write(files: Record<string, string[]>): void {
  for (const [path, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), `${lines.join("\n")}\n`);
  }
}

/** The claims that a careless reviewer adds about hunks without a defect. */
const careless = (path: string): ReviewFinding[] => [
  { path, line: 3, severity: "minor", text: "Invented.", quote: "const invented = 1;" },
  { path, line: 2, severity: "minor", text: "Without a quote." },
  { path: "no/such.js", line: 1, severity: "blocking", text: "Elsewhere.", quote: "// clean" },
];

it("at least 18 of 20 comments stand on the defect's line, and none on a clean hunk", () => {
  git("init", "-q");
  const onDefect: string[] = [];
  const elsewhere: string[] = [];
  for (const { name, before, after, moved } of changes) {
    write(before);
    git("add", "-A");
    git("commit", "-qm", "before");
    if (moved !== undefined) {
      mkdirSync(dirname(join(directory, moved[1])), { recursive: true });
      renameSync(join(directory, moved[0]), join(directory, moved[1]));
    }
    for (const path of Object.keys(before)) if (!(path in after) && moved?.[0] !== path) rmSync(join(directory, path));
    write(after);
    git("add", "-A");
    git("commit", "-qm", "after");
    const own = defects.filter(({ change }) => change === name);
    const lineOf = ({ path, text, deleted }: Defect): number =>
      ((deleted === true ? before : after)[path] ?? []).indexOf(text) + 1;
    const findings = own.map(
      (one): ReviewFinding => ({
        path: one.path,
        line: Math.max(1, lineOf(one) + one.drift),
        severity: "blocking",
        text: one.text,
        quote: one.text,
        ...(one.deleted === undefined ? {} : { deleted: one.deleted }),
      }),
    );
    const { placed } = placeFindings([...findings, ...careless(Object.keys(after)[0] ?? "")], [], {
      files: changeMap(git("diff", "HEAD~1", "HEAD")),
      since: null,
      head: (path) => (after[path] === undefined ? null : `${after[path].join("\n")}\n`),
      base: (path) => (before[path] === undefined ? null : `${before[path].join("\n")}\n`),
      maySuggest: () => true,
    });
    for (const one of placed) {
      const defect = own.find(({ text }) => text === one.text);
      const isThere =
        defect !== undefined &&
        one.line === lineOf(defect) &&
        one.side === (defect.deleted === true ? "LEFT" : "RIGHT");
      (isThere ? onDefect : elsewhere).push(`${name}: ${one.text}`);
    }
  }
  expect(elsewhere).toEqual([]);
  expect(onDefect.length).toBeGreaterThanOrEqual(18);
  expect(defects).toHaveLength(20);
});
