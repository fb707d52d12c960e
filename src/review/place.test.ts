/** Findings on lines: quotes that match or not, moved and deleted lines, renames, suggestions, and what came before. */
import { describe, expect, it } from "vitest";
import type { ReviewFinding } from "../core/review-finding.ts";
import { changeMap } from "./change-map.ts";
import { type PlaceFacts, placeFindings } from "./place.ts";

const head = `import { add } from "./add.js";

export function total(prices) {
  return prices.reduce(add);
}

export function mean(prices) {
  const sum = total(prices);
  return sum / prices.length;
}
`;
const base = `import { add } from "./add.js";

export function total(prices) {
  if (prices.length === 0) return 0;
  return prices.reduce(add, 0);
}
`;
const diff = `diff --git a/sum.js b/cart.js
similarity index 60%
rename from sum.js
rename to cart.js
index 1111111..2222222 100644
--- a/sum.js
+++ b/cart.js
@@ -1,6 +1,10 @@
 import { add } from "./add.js";
 
 export function total(prices) {
-  if (prices.length === 0) return 0;
-  return prices.reduce(add, 0);
+  return prices.reduce(add);
 }
+
+export function mean(prices) {
+  const sum = total(prices);
+  return sum / prices.length;
+}
`;

const facts: PlaceFacts = {
  files: changeMap(diff),
  since: null,
  head: (path) => ({ "cart.js": head, "other.js": "one\ntwo\ntwo\n" })[path] ?? null,
  base: (path) => (path === "sum.js" ? base : null),
  maySuggest: (path) => path !== "guarded.js",
};

const finding = (change: Partial<ReviewFinding>): ReviewFinding => ({
  path: "cart.js",
  line: 4,
  severity: "blocking",
  text: "It throws.",
  quote: "  return prices.reduce(add);",
  ...change,
});
const placed = (change: Partial<ReviewFinding>, more: Partial<PlaceFacts> = {}) =>
  placeFindings([finding(change)], [], { ...facts, ...more });

describe("the place", () => {
  it.each<[string, Partial<ReviewFinding>, object]>([
    ["the line as reported", {}, { side: "RIGHT", line: 4, startLine: null, path: "cart.js" }],
    ["a wrong number: the quote decides", { line: 9 }, { line: 4 }],
    ["no number", { line: null }, { line: 4 }],
    ["other spaces", { quote: "return   prices.reduce(add);" }, { line: 4 }],
    [
      "several lines",
      { line: 8, quote: "  const sum = total(prices);\n  return sum / prices.length;" },
      { startLine: 8, line: 9 },
    ],
    ["a line that the change keeps", { line: 3, quote: "export function total(prices) {" }, { line: 3 }],
    [
      "a deleted line, by the file's earlier name",
      { path: "sum.js", deleted: true, quote: "  if (prices.length === 0) return 0;" },
      { side: "LEFT", line: 4, path: "cart.js" },
    ],
    ["equal lines: the nearest one", { line: 10, quote: "}" }, { line: 10 }],
  ])("%s", (_, change, expected) => {
    expect(placed(change)).toMatchObject({ placed: [expected], outside: [], left: [] });
  });

  it.each<[string, Partial<ReviewFinding>, RegExp]>([
    ["words that are not in the file", { quote: "  return 1;" }, /not at one certain place/],
    ["no quote", { quote: undefined as never }, /quotes no line/],
    ["an empty quote", { quote: " \n" }, /quotes no line/],
    ["a file that is not there", { path: "gone.js" }, /not there/],
    ["a path out of the repository", { path: "../../etc/passwd" }, /not there/],
    ["equal lines and no number", { line: null, quote: "}" }, /certain place/],
    ["equal lines and a number far away", { line: 4_000, quote: "}" }, /certain place/],
    ["a deleted line as a present one", { quote: "  if (prices.length === 0) return 0;" }, /certain place/],
    ["a whole file as a quote", { quote: "x\n".repeat(30) }, /more than 20 lines/],
    ["equal lines of an unchanged file", { path: "other.js", line: null, quote: "two" }, /certain place/],
  ])("%s: never posted", (_, change, reason) => {
    const { placed: found, outside, left } = placed(change);
    expect([found, outside]).toEqual([[], []]);
    expect(left).toMatchObject([{ reason: expect.stringMatching(reason) }]);
  });

  it("a quote in a file that the change leaves alone is told, without a comment on a line", () => {
    expect(placed({ path: "other.js", line: 7, quote: "one" })).toMatchObject({
      placed: [],
      outside: [{ path: "other.js", line: 1 }],
    });
  });

  it("only lines that changed since the last review are fresh", () => {
    const since = changeMap(
      "diff --git a/cart.js b/cart.js\n--- a/cart.js\n+++ b/cart.js\n@@ -8,1 +8,1 @@\n-  const sum = 1;\n+  const sum = total(prices);\n",
    );
    const fresh = (change: Partial<ReviewFinding>) => placed(change, { since }).placed[0]?.fresh;
    expect(fresh({ line: 8, quote: "  const sum = total(prices);" })).toBe(true);
    expect(fresh({})).toBe(false);
    expect(placed({}, { since: [] }).placed[0]?.fresh).toBe(false);
  });
});

describe("the fingerprint", () => {
  const of = (change: Partial<ReviewFinding>, more: Partial<PlaceFacts> = {}) =>
    placed(change, more).placed[0]?.fingerprint;

  it("survives moved lines and other words", () => {
    const moved = {
      files: changeMap(diff.replace("@@ -1,6 +1,10 @@", "@@ -1,6 +3,10 @@")),
      head: () => `// one\n// two\n${head}`,
    };
    expect(of({ line: 6, text: "Other words." }, moved)).toBe(of({}));
    expect(of({ line: 9, quote: "  return sum / prices.length;" })).not.toBe(of({}));
  });

  it("is that of the base's file, so a later rename does not bring a finding back", () => {
    const before = changeMap(diff.replaceAll("cart.js", "sum.js").replace(/^(?:similarity|rename).*\n/gm, ""));
    const plain = { files: before, head: (path: string) => (path === "sum.js" ? head : null) };
    expect(of({ path: "sum.js" }, plain)).toBe(of({}));
  });

  it("is gone when its line is, or when a deleted line is back", () => {
    const { fingerprint } = placed({}).placed[0] as { fingerprint: string };
    const deleted = of({ path: "sum.js", deleted: true, quote: "  if (prices.length === 0) return 0;" }) as string;
    const earlier = [
      { fingerprint, path: "cart.js", side: "RIGHT" as const },
      { fingerprint: deleted, path: "cart.js", side: "LEFT" as const },
    ];
    expect(placeFindings([], earlier, facts).gone).toEqual([]);
    const fixed = { ...facts, head: () => base, files: [] };
    expect(placeFindings([], earlier, fixed).gone).toEqual([fingerprint, deleted]);
    expect(placeFindings([], earlier, { ...facts, head: () => null, files: [] }).gone).toHaveLength(2);
  });

  it("two findings about one line are one comment with the worse severity", () => {
    const two = placeFindings([finding({ severity: "nit" }), finding({ text: "It is slow." })], [], facts).placed;
    expect(two).toMatchObject([{ severity: "blocking", text: "It throws.\n\nIt is slow." }]);
    expect(placeFindings([finding({}), finding({})], [], facts).placed).toMatchObject([{ text: "It throws." }]);
  });
});

describe("a suggestion", () => {
  const fix = "  return prices.reduce(add, 0);";
  it.each<[string, Partial<ReviewFinding>, Partial<PlaceFacts>, string | null]>([
    ["replaces what it quotes", { suggestion: fix }, {}, fix],
    ["an end of line does not matter", { suggestion: `${fix}\n` }, {}, fix],
    ["deletes the line", { suggestion: "" }, {}, ""],
    ["for an inexact quote", { suggestion: fix, quote: "return prices.reduce(add);" }, {}, null],
    ["that changes nothing", { suggestion: "  return prices.reduce(add);" }, {}, null],
    ["with letters that nobody sees", { suggestion: `${fix}\u202e` }, {}, null],
    ["with a lone carriage return", { suggestion: `a\rb` }, {}, null],
    ["in a protected file", { suggestion: fix }, { maySuggest: () => false }, null],
    [
      "for a deleted line",
      { suggestion: fix, path: "sum.js", deleted: true, quote: "  return prices.reduce(add, 0);" },
      {},
      null,
    ],
  ])("%s", (_, change, more, expected) => {
    expect(placed(change, more).placed[0]?.suggestion).toBe(expected);
  });

  it("two that overlap: the worse finding keeps its own", () => {
    const wide = finding({
      severity: "minor",
      line: 8,
      quote: "  const sum = total(prices);\n  return sum / prices.length;",
      suggestion: "  return 1;",
    });
    const narrow = finding({ line: 8, quote: "  const sum = total(prices);", suggestion: "  const sum = 0;" });
    const both = placeFindings([wide, narrow], [], facts).placed;
    expect(both.map(({ suggestion }) => suggestion)).toEqual(["  const sum = 0;", null]);
  });
});

describe("hostile and odd diffs", () => {
  it.each<[string, string, object[]]>([
    ["nothing", "", []],
    ["noise", "hello\n@@ x", []],
    [
      "a binary file",
      "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n",
      [{ path: "x", hunks: [] }],
    ],
    [
      "a header within an added line",
      "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,1 +1,3 @@\n a\n+diff --git a/y b/y\n+@@ -1 +1 @@\n",
      [{ path: "x", from: "x" }],
    ],
    ["a hunk that lies about its length", "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\n", []],
    [
      "a new file",
      "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
      [{ path: "x", from: null }],
    ],
    [
      "a deleted file",
      "diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
      [{ path: null, from: "x" }],
    ],
    [
      "a quoted name",
      'diff --git "a/\\303\\244.js" "b/\\303\\244.js"\n--- "a/\\303\\244.js"\n+++ "b/\\303\\244.js"\n@@ -1 +1 @@\n-a\n+b\n',
      [{ path: "ä.js", from: "ä.js" }],
    ],
  ])("%s", (_, text, files) => {
    expect(changeMap(text)).toMatchObject(files);
    expect(changeMap(text)).toHaveLength(files.length);
  });

  it("a cut diff loses its last file, never an earlier one", () => {
    const [first, second] = [diff, diff.replaceAll("cart", "last")];
    expect(changeMap(first + second.slice(0, 200), { truncated: true })).toEqual(changeMap(first));
  });

  it("3,000 files and a long one are read in time", () => {
    const many = Array.from({ length: 3_000 }, (_, index) => diff.replaceAll("cart.js", `f${index}.js`)).join("");
    expect(changeMap(many)).toHaveLength(3_000);
    const lines = Array.from({ length: 100_000 }, (_, index) => `+${index % 7}`).join("\n");
    const long = changeMap(`diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,100000 @@\n${lines}\n`);
    const text = lines.replaceAll("+", "");
    const all = placeFindings([finding({ path: "x", line: 50_001, quote: "0\n1\n2" })], [], {
      ...facts,
      files: long,
      head: () => text,
    });
    expect([...all.placed, ...all.left]).toHaveLength(1);
  });
});
