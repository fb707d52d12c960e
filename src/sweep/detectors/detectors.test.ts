/** Each detector against reports from real tools, and against broken ones. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentFilesCommand } from "./agent.ts";
import { detectorNamed, detectors, linesOf } from "./index.ts";
import { type PatternRule, patternCommand } from "./pattern.ts";
import { staleCommand } from "./stale.ts";

const now = Date.parse("2026-06-01T00:00:00Z");
const read = (name: string, report: string, root: string | null = null) =>
  detectorNamed(name).read(report, { root, now });
const places = (name: string, report: string, root: string | null = null) =>
  read(name, report, root).findings.map(({ rule, severity, path, line }) => [rule, severity, path, line]);

const result = (uri: string | null, line = 3, more: object = {}) => ({
  ruleId: "no-eval",
  level: "error",
  message: { text: "eval is evil" },
  ...(uri === null
    ? {}
    : { locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: line } } }] }),
  ...more,
});
const sarif = (results: object[], more: object = {}) =>
  JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver: { name: "lint" } }, results, ...more }] });

describe("sarif", () => {
  it.each([
    ["a path of the repository", result("src/a.js"), "src/a.js"],
    ["one that climbs and comes back", result("src/x/../a.js"), "src/a.js"],
    ["percent signs", result("src/a%20b.js"), "src/a b.js"],
    ["an absolute path below the root", result("/repo/src/a.js"), "src/a.js"],
    ["a file address below the root", result("file:///repo/src/a.js"), "src/a.js"],
    ["an absolute path elsewhere", result("/etc/passwd"), null],
    ["a path outside", result("../../etc/passwd"), null],
    ["a path outside by percent signs", result("..%2f..%2fetc/passwd"), null],
    ["a path of Windows", result("C:\\repo\\a.js"), null],
    ["an address of the web", result("https://example.com/a.js"), null],
    ["git's own folder", result(".git/config"), null],
    ["a broken escape", result("src/%zz.js%41%"), null],
    ["no location", result(null), null],
    ["a location without an address", { ...result(null), locations: [{}] }, null],
  ])("%s", (_, one, path) => {
    const { findings } = read("sarif", sarif([one]), "/repo");
    expect(findings.map((finding) => finding.path)).toEqual([path]);
    if (path === null) expect(findings[0]?.line).toBeNull();
  });

  it("says what has no place, and why", () => {
    const { notes } = read("sarif", sarif([result("/etc/a"), result("../b", 4), result(null)]));
    expect(notes).toEqual([
      "2 findings are about paths outside the repository. They have no place.",
      "1 finding names no location.",
    ]);
  });

  it("levels come from the result, its rule, or are a warning; what is suppressed or passed is none", () => {
    const rules = [{ id: "soft", defaultConfiguration: { level: "note" }, shortDescription: { text: "Softly." } }];
    const report = sarif(
      [
        result("a.js"),
        { ruleId: "soft", message: {}, locations: result("b.js").locations },
        { ruleIndex: 0, message: { text: "by index" }, locations: result("c.js").locations },
        { ruleId: "other", message: { text: "?" }, locations: result("d.js").locations },
        result("e.js", 3, { suppressions: [{ kind: "inSource" }] }),
        result("f.js", 3, { kind: "pass" }),
        result("g.js", 3, { baselineState: "absent" }),
      ],
      { tool: { driver: { rules } } },
    );
    expect(places("sarif", report)).toEqual([
      ["no-eval", "error", "a.js", 3],
      ["soft", "note", "b.js", 3],
      ["soft", "note", "c.js", 3],
      ["other", "warning", "d.js", 3],
    ]);
    expect(read("sarif", report).findings[1]?.message).toBe("Softly.");
  });

  it("a base of the tool's machine is the repository", () => {
    const one = result(null, 1, {
      locations: [{ physicalLocation: { artifactLocation: { uri: "src/a.js", uriBaseId: "SRC" } } }],
    });
    expect(
      places("sarif", sarif([one], { originalUriBaseIds: { SRC: { uri: "file:///home/runner/work/x/" } } })),
    ).toEqual([["no-eval", "error", "src/a.js", null]]);
  });

  it.each([
    ["", "it is empty"],
    ["{", "it is not JSON"],
    ["[]", "it has no `runs`"],
    ['{"runs":[]}', 'its version is ""'],
    ['{"version":"2.0.0","runs":[]}', "2.1.0 is read"],
  ])("%j is refused", (report, why) => expect(() => read("sarif", report)).toThrow(why));

  it("a report of 50 MB is refused before it is parsed, and 10,000 findings are bounded", () => {
    expect(() => read("sarif", " ".repeat(50 * 1024 * 1024))).toThrow("it has 50 MB, and at most 20 MB are read");
    const many = Array.from({ length: 10_000 }, (_, index) => result(`src/f${index}.js`, 3, { level: "note" }));
    const { findings, notes } = read("sarif", sarif([...many, result("z/last.js")]));
    expect(findings).toHaveLength(2_000);
    // No folder hides an error in another one.
    expect(findings.at(-1)?.path).toBe("z/last.js");
    expect(notes).toEqual(["10001 findings were reported. The 2000 most severe are used."]);
  });
});

describe("fingerprints", () => {
  const snippet = (line: number, text: string) =>
    result("src/a.js", line, {
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "src/a.js" },
            region: { startLine: line, snippet: { text } },
          },
        },
      ],
    });
  const prints = (...results: object[]) => read("sarif", sarif(results)).findings.map(({ fingerprint }) => fingerprint);

  it("survive moved lines and other white space, and change with the code", () => {
    expect(prints(snippet(3, "eval(x)"))).toEqual(prints(snippet(90, "  eval(x)  ")));
    expect(prints(snippet(3, "eval(x)"))).not.toEqual(prints(snippet(3, "eval(y)")));
  });

  it("tell equal texts in one file apart, in their order, wherever both move", () => {
    const both = prints(snippet(3, "eval(x)"), snippet(9, "eval(x)"));
    expect(new Set(both).size).toBe(2);
    expect(prints(snippet(30, "eval(x)"), snippet(13, "eval(x)"))).toEqual(both);
  });

  it("the same place reported twice is one finding, and two messages about it are two", () => {
    expect(prints(snippet(3, "eval(x)"), snippet(3, "eval(x)"))).toHaveLength(1);
    const unused = ["req", "res"].map((name) => ({
      ...snippet(3, "(req, res)"),
      message: { text: `${name} is unused` },
    }));
    expect(new Set(prints(...unused)).size).toBe(2);
  });

  describe("of reports that quote no code", () => {
    const named = (name: string, report: string, file: string) =>
      detectorNamed(name)
        .read(report, { root: null, now, lineAt: linesOf((path) => (path === "a.js" ? file : null)) })
        .findings.map(({ fingerprint }) => fingerprint);
    const reports: Record<string, (lines: number[]) => string> = {
      command: (lines) => lines.map((line) => `a.js:${line}:1: Unexpected var. [no-var]`).join("\n"),
      sarif: (lines) => sarif(lines.map((line) => result("a.js", line))),
    };
    it.each(Object.entries(reports))("%s: a fix renames no other finding of the same message", (name, report) => {
      const before = named(name, report([1, 2, 4]), "var a = 1;\nvar b = 2;\n\nvar c = 3;\n");
      const after = named(name, report([2, 4]), "let a = 1;\nvar b = 2;\n\nvar c = 3;\n");
      expect(after).toEqual(before.slice(1));
      expect(named(name, report([3, 5]), "// New.\nlet a = 1;\nvar b = 2;\n\nvar c = 3;\n")).toEqual(after);
    });
    it("two messages about one line are two, and a line that is not there is none", () => {
      const report = "a.js:1:4: 'a' is unused\na.js:1:9: 'b' is unused\na.js:70: Gone\nb.js:1: Elsewhere";
      expect(new Set(named("command", report, "f = (a, b) => 1")).size).toBe(4);
    });
  });

  it("the tool's own name of a place counts", () => {
    const own = (line: number, message: string) =>
      result("a.js", line, { message: { text: message }, partialFingerprints: { primaryLocationLineHash: "39fa:1" } });
    expect(prints(own(1, "at line 1"))).toEqual(prints(own(50, "at column 7")));
  });
});

describe("command", () => {
  it.each([
    ["src/a.ts:12:3: error: Broken [x/y]", ["x/y", "error", "src/a.ts", 12]],
    ["src/a.ts:12: Something", ["command", "warning", "src/a.ts", 12]],
    ["./src/a.ts:1: info: Note this", ["command", "note", "src/a.ts", 1]],
    ['{"message":"m","path":"b.js","line":2,"rule":"r","severity":"note"}', ["r", "note", "b.js", 2]],
    ['{"message":"m"}', ["command", "warning", null, null]],
    ["/etc/passwd:1: Outside", ["command", "warning", null, null]],
    ['{"message":"m","line":"2","severity":7}', ["command", "warning", null, null]],
    ["src/a.ts(12,3): error TS2322: Type it.", ["TS2322", "error", "src/a.ts", 12]],
    ["src/(app)/a.ts(7): warning CS0168: Unused.", ["CS0168", "warning", "src/(app)/a.ts", 7]],
    ["src/a.py:1:1: F401 'os' imported but unused", ["F401", "warning", "src/a.py", 1]],
    ["a.js:5:2: 'x' is unused. [Error/eslint(no-unused-vars)]", ["eslint(no-unused-vars)", "error", "a.js", 5]],
    ["a.js:5:2: Missing semicolon. [Warning/semi]", ["semi", "warning", "a.js", 5]],
    ["a.c:3:10: fatal error: x.h: No such file", ["command", "error", "a.c", 3]],
  ])("%s", (line, expected) => expect(places("command", `${line}\n`)).toEqual([expected]));

  it.each(["http://localhost:3000: listening", "12:30:45: started", "2026-06-01T12:30:45: done", "Error: no"])(
    "no finding: %s",
    (line) => expect(read("command", line)).toEqual({ findings: [], notes: ["1 line is not a finding."] }),
  );

  it("other lines are counted, and a million lines are bounded", () => {
    expect(read("command", "hello\n{broken\n").notes).toEqual(["2 lines are not a finding."]);
    const many = Array.from({ length: 1_000_000 }, (_, index) => `a:${index}:`).join("\n");
    expect(read("command", many).notes.at(-1)).toBe("1000000 lines were printed. The first 50000 are read.");
    expect(read("command", "")).toEqual({ findings: [], notes: [] });
  });
});

describe("stale", () => {
  const row = (path: string, line: number, date: string, text: string) =>
    `${path}\t${line}\t${Date.parse(date) / 1_000}\t${text}`;
  it("old notes are findings, young ones are counted", () => {
    const report = [
      row("src/a.js", 3, "2023-01-01", "// TODO: remove"),
      row("src/a.js", 9, "2025-10-01", "// TODO later"),
      row("src/b.js", 1, "2025-10-01", "// FIXME now"),
      row("src/c.js", 1, "2026-05-01", "// TODO young"),
      row("../d.js", 1, "2020-01-01", "// TODO outside"),
      "nonsense",
    ].join("\n");
    expect(places("stale", report)).toEqual([
      ["todo", "warning", "src/a.js", 3],
      ["todo", "note", "src/a.js", 9],
      ["fixme", "warning", "src/b.js", 1],
    ]);
    expect(read("stale", report).notes).toEqual(["1 finding is younger than 180 days. Baton leaves it alone."]);
  });

  const noted = (path: string, ...lines: string[]) => {
    const { findings, notes } = detectorNamed("stale").read(
      lines.map((text, at) => row(path, at + 1, "2023-01-01", text)).join("\n"),
      { root: null, now },
    );
    return { said: findings.map(({ line, message }) => [line, message.replace(/^\w+ of \S+ /, "")]), notes };
  };
  it.each([
    ["src/a.js", "  // TODO: remove"],
    ["src/a.js", "//TODO remove"],
    ["src/a.js", "f(); // FIXME(ann): remove"],
    ["src/a.js", " * @TODO remove"],
    ["src/a.py", "# XXX: support for the old name"],
    ["src/a.py", "TODO: a docstring's own line"],
    ["src/a.py", '@skip(reason="TODO: fails on Windows")'],
    ["src/a.go", "// validate this TODO"],
    ["src/a.ini", '"lib" = ["ALL"] # TODO'],
    ["src/a.sql", "--TODO: drop the table"],
    ["README.md", "<!-- TODO: a picture -->"],
    ["README.md", "TODO: write this part"],
  ])("%s: %s is a note", (path, text) => expect(noted(path, text).said).toHaveLength(1));
  it.each([
    ["src/a.js", 'mkdir("abc/XXX/def");'],
    ["src/a.js", 'const states = ["TODO", "DONE"];'],
    ["src/a.js", "const names = { TODO: 'to do' };"],
    ["src/a.js", "if (state === State.TODO) go();"],
    ["src/a.js", 'get("https://example.com/TODO");'],
    ["src/a.js", 'const key = "api_key=XXX";'],
    ["src/a.js", "// Finds TODO, FIXME and HACK."],
    ["src/a.py", "If `XXX` is false, `__XXX__` is missing."],
    ["src/a.toml", "# Yes, we want XXX as a mark."],
    ["src/a.js", "#TODO-1234 is a ticket"],
    ["README.md", "An example: the TODO list of Ann."],
    ["docs/a.rst", "the offset XXX of the file"],
  ])("%s: %s is none", (path, text) =>
    expect(noted(path, text)).toEqual({ said: [], notes: ["1 finding is a word, not a note."] }),
  );

  it("a mark on each line of one sentence is one note, and a bare mark is none", () => {
    expect(noted("a.py", "# XXX: This is odd with", "# XXX: subclasses.", "# XXX: Another.").said).toEqual([
      [1, "# XXX: This is odd with subclasses."],
      [3, "# XXX: Another."],
    ]);
    expect(noted("a.go", "\t// TODO", "}").notes).toEqual([
      "1 finding is a mark without a text.",
      "1 finding is a word, not a note.",
    ]);
  });

  it("the message goes on with the comment below", () => {
    const file = [
      "  // TODO: drop the pool and",
      "  // return the type. Then",
      "  // more.",
      "  //",
      "  // Other.",
      "  // TODO",
      "  // `input`",
      "  x();",
    ];
    const report = [1, 6].map((line) => row("a.js", line, "2023-01-01", file[line - 1] ?? "")).join("\n");
    const { findings } = detectorNamed("stale").read(report, {
      root: null,
      now,
      lineAt: (_, line) => file[line - 1] ?? null,
    });
    expect(findings.map(({ message }) => message)).toEqual([
      "TODO of 2023-01-01: // TODO: drop the pool and return the type. Then more.",
      "TODO of 2023-01-01: // TODO `input`",
    ]);
  });

  it("is searched in files that people write, whatever their names are", () => {
    const place = mkdtempSync(join(tmpdir(), "stale-"));
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
        cwd: place,
        stdio: "ignore",
        env: { ...process.env, GIT_COMMITTER_DATE: "2020-01-01T00:00:00Z" },
      });
    git("init", "-q");
    const files = {
      "src/a.js": "// TODO: one\n",
      "src/snow ☃: 100%25.js": "\t// TODO: two:\n",
      "src/a.min.js": "// TODO: minified\n",
      "vendor/b.js": "// TODO: of somebody else\n",
      "test/fixtures/c.js": "// TODO: input of a test\n",
      "CHANGELOG.md": "TODO: of old\n",
      "src/made.js": "// Code generated by a tool. DO NOT EDIT.\n// TODO: of the tool\n",
      "src/made.tmpl": "// Code generated by a tool. DO NOT EDIT.\n// TODO: of its template\n",
      "own/d.js": "// TODO: of GitHub's own mark\n",
      ".gitattributes": "own/** linguist-generated=true\n",
      "src/TODO.js": "TODOS();\n",
      ".git-blame-ignore-revs": "no commit\n",
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(place, path, ".."), { recursive: true });
      writeFileSync(join(place, path), text);
    }
    git("add", "-A");
    git("commit", "-qm", "a");
    const { stdout, status } = spawnSync("sh", ["-c", staleCommand], { cwd: place, encoding: "utf8" });
    expect(status).toBe(0);
    for (const object of readdirSync(join(place, ".git/refs/heads"))) rmSync(join(place, ".git/refs/heads", object));
    // Without a commit, git knows no author. Outside of a repository, it searches nothing.
    expect(spawnSync("sh", ["-c", staleCommand], { cwd: place }).status).toBe(3);
    rmSync(join(place, ".git"), { recursive: true });
    const outside = { ...process.env, GIT_CEILING_DIRECTORIES: join(place, "..") };
    expect(spawnSync("sh", ["-c", staleCommand], { cwd: place, env: outside }).status).toBe(128);
    expect(detectorNamed("stale").needsZero).toBe(true);
    rmSync(place, { recursive: true });
    const { findings } = detectorNamed("stale").read(stdout, { root: null, now });
    expect(findings.map(({ path, line }) => [path, line])).toEqual([
      ["src/a.js", 1],
      ["src/made.tmpl", 2],
      ["src/snow ☃: 100%25.js", 1],
    ]);
  });

  it("more marks than Baton asks about are reported", () => {
    const many = Array.from({ length: 501 }, (_, at) => row(`src/${at}.js`, 1, "2023-01-01", "// TODO: x")).join("\n");
    expect(read("stale", many).notes).toEqual(["There are more than 500 marks. The first 500 by path are read."]);
  });
});

describe("flaky", () => {
  const check = (sha: string, name: string, conclusion: string, minute: number) => ({
    sha,
    name,
    conclusion,
    at: `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`,
  });
  it.each([
    ["red, then green", [check("a", "test", "failure", 1), check("a", "test", "success", 2)], 1],
    ["green, then red", [check("a", "test", "success", 1), check("a", "test", "failure", 2)], 0],
    ["red on one commit, green on the next", [check("a", "test", "failure", 1), check("b", "test", "success", 2)], 0],
    ["two names", [check("a", "test", "failure", 1), check("a", "lint", "success", 2)], 0],
    ["out of order", [check("a", "test", "success", 5), check("a", "test", "timed_out", 2)], 1],
  ])("%s", (_, checks, count) => expect(read("flaky", JSON.stringify(checks)).findings).toHaveLength(count));
});

describe("coverage", () => {
  const file = (path: string, run: number, total: number) =>
    [
      `SF:${path}`,
      ...Array.from({ length: total }, (_, index) => `DA:${index + 1},${index < run ? 1 : 0}`),
      "end_of_record",
    ].join("\n");
  it("files that tests leave out, with the first line that they do", () => {
    const report = [
      file("/repo/src/a.js", 0, 20),
      file("src/b.js", 10, 20),
      file("src/c.js", 18, 20),
      file("src/d.js", 0, 5),
      file("/elsewhere/e.js", 0, 20),
    ].join("\n");
    expect(places("coverage", report, "/repo")).toEqual([
      ["untested", "warning", "src/a.js", 1],
      ["little-tested", "note", "src/b.js", 11],
    ]);
    expect(read("coverage", report, "/repo").notes).toEqual(["1 finding is about a file outside the repository."]);
  });
  it("two records of one file count together; what is no lcov is refused", () => {
    expect(places("coverage", `${file("a.js", 10, 20)}\nSF:a.js\nDA:20,1\nDA:19,4\nend_of_record`)).toEqual([]);
    expect(() => read("coverage", "<xml/>")).toThrow("no `SF:` line");
  });
});

describe("alerts", () => {
  it("reads the three kinds, open ones only, and never a secret's value", () => {
    const report = JSON.stringify([
      {
        number: 1,
        state: "open",
        rule: { id: "js/xss", security_severity_level: "high", description: "XSS" },
        most_recent_instance: { message: { text: "Cross-site" }, location: { path: "src/a.js", start_line: 7 } },
      },
      { number: 2, state: "fixed", rule: { id: "x" }, most_recent_instance: {} },
      {
        number: 3,
        state: "open",
        dependency: { package: { ecosystem: "npm", name: "left-pad" }, manifest_path: "package-lock.json" },
        security_advisory: { ghsa_id: "GHSA-1", summary: "Pads left.", severity: "medium" },
        security_vulnerability: { severity: "medium", first_patched_version: { identifier: "1.3.0" } },
      },
      { number: 4, state: "open", secret_type: "token", secret_type_display_name: "Token", secret: "s3cr3t-value" },
    ]);
    expect(places("alerts", report)).toEqual([
      ["secret", "error", null, null],
      ["GHSA-1", "warning", "package-lock.json", null],
      ["js/xss", "error", "src/a.js", 7],
    ]);
    expect(JSON.stringify(read("alerts", report))).not.toContain("s3cr3t-value");
    expect(read("alerts", report).findings[1]?.message).toBe("left-pad: Pads left. Fixed in 1.3.0.");
  });
});

describe("pattern", () => {
  const rules: PatternRule[] = [
    {
      id: "no-console",
      text: "console.log(",
      regex: null,
      message: "Use the logger.",
      severity: "warning",
      paths: ["src/**"],
    },
    {
      id: "no-date",
      text: null,
      regex: "new Date\\(\\)|it's",
      message: "Ask the clock.",
      severity: "error",
      paths: [],
    },
  ];
  /** Runs it as a sweep does: `sh -c` in a clone. */
  const run = (given: readonly PatternRule[], files: Record<string, string>) => {
    const place = mkdtempSync(join(tmpdir(), "pattern-"));
    const git = (...args: string[]) => execFileSync("git", args, { cwd: place, stdio: "ignore" });
    git("init", "-q");
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(place, path, ".."), { recursive: true });
      writeFileSync(join(place, path), text);
    }
    git("add", "-A");
    const { status, stdout } = spawnSync("sh", ["-c", patternCommand(given)], { cwd: place, encoding: "utf8" });
    rmSync(place, { recursive: true });
    return { status, found: detectorNamed("pattern").read(stdout, { root: null, now, rules: given }).findings };
  };

  it("finds a text as it stands, and an expression, each in its files", () => {
    const { status, found } = run(rules, {
      "src/a.js": "let x;\nconsole.log(x);\n",
      "test/a.js": "console.log(1);\nnew Date();\n",
      "src/it's here.md": "it's\n",
      "src/b.js": "consoleXlog(x);\n",
      "src/☃ 50%25.js": "a:12:console.log(x);\n",
      "src/a.min.js": "console.log(x);\n",
      "package-lock.json": "it's\n",
      "History.md": "it's\n",
      "src/made.js": "// @generated\nconsole.log(x);\n",
    });
    expect(status).toBe(0);
    expect(found.map(({ rule, severity, path, line, message }) => [rule, severity, path, line, message])).toEqual([
      ["no-console", "warning", "src/a.js", 2, "Use the logger."],
      ["no-date", "error", "src/it's here.md", 1, "Ask the clock."],
      ["no-console", "warning", "src/☃ 50%25.js", 1, "Use the logger."],
      ["no-date", "error", "test/a.js", 2, "Ask the clock."],
    ]);
  });

  it("generated files use up none of a rule's lines", () => {
    const { status, found } = run(rules, {
      "src/0.js": `// @generated\n${"console.log(x);\n".repeat(600)}`,
      "src/a.js": "console.log(x);\n".repeat(501),
      "src/b.js": "console.log(x);\n",
    });
    expect(status).toBe(0);
    expect([new Set(found.map(({ path }) => path)), found.length]).toEqual([new Set(["src/a.js"]), 500]);
  });

  it("reads the lines of a step that an older Baton began", () => {
    const rows = ["no-date\terror\tsrc/a.js:7:\tnew Date()", "no-date\terror\tsrc/a.js\t9\tnew Date() // 1:2:3"];
    expect(places("pattern", rows.join("\n"))).toEqual([
      ["no-date", "error", "src/a.js", 7],
      ["no-date", "error", "src/a.js", 9],
    ]);
  });

  it("nothing found is a result, and an expression that git cannot read is none", () => {
    expect(run(rules, { "a.js": "fine\n" })).toEqual({ status: 0, found: [] });
    const broken = rules.map((one) => (one.regex === null ? one : { ...one, regex: "(" }));
    expect(run(broken, { "a.js": "fine\n" }).status).not.toBe(0);
  });

  const syntax: PatternRule = {
    id: "no-log",
    text: null,
    regex: null,
    ast: "console.log($A)",
    message: "Use the logger.",
    severity: "note",
    paths: ["src/**"],
  };
  /** Only the interface of the library: it finds the beginning of its pattern as text. */
  const library = [
    "exports.Lang = { JavaScript: 1, TypeScript: 2 };",
    "exports.parse = (kind, source) => ({ root: () => ({ findAll: (pattern) =>",
    "  source.split('\\n').flatMap((text, line) => text.includes(pattern.split('$')[0]) ? [{ range: () => ({ start: { line } }) }] : []) }) });",
  ].join("\n");

  it("syntax is searched by the repository's own library, in files of its languages", () => {
    const { status, found } = run([syntax, ...rules], {
      "node_modules/@ast-grep/napi/index.js": library,
      "src/a.ts": "let x;\nconsole.log(x);\n",
      "src/a.md": "console.log(x)\n",
      "lib/a.ts": "console.log(x);\n",
    });
    expect(status).toBe(0);
    expect(found.filter(({ rule }) => rule === "no-log").map(({ path, line }) => [path, line])).toEqual([
      ["src/a.ts", 2],
    ]);
  });

  it("a pattern needs one language that reads it, not all", () => {
    const typed = `${library}
const parse = exports.parse;
const refuse = () => { throw new Error("Multiple nodes"); };
exports.parse = (kind, source) => (kind === 1 ? { root: () => ({ findAll: refuse }) } : parse(kind, source));`;
    const files = { "node_modules/@ast-grep/napi/index.js": typed, "src/a.js": "x\n" };
    const both = run([syntax], { ...files, "src/b.ts": "console.log(x);\n" });
    expect([both.status, both.found.map(({ path }) => path)]).toEqual([0, ["src/b.ts"]]);
    expect(run([syntax], files).status).toBe(3);
  });

  it("without that library, or with a file that it cannot read, nothing is claimed", () => {
    expect(run([syntax], { "src/a.ts": "x\n" }).status).toBe(3);
    const broken = "exports.Lang = { TypeScript: 2 }; exports.parse = () => { throw new Error('no'); };";
    const files = { "node_modules/@ast-grep/napi/index.js": broken, "src/a.ts": "x\n" };
    expect(run([syntax], files).status).toBe(3);
  });

  it("texts of a rule reach no shell", () => {
    const hostile = { ...(rules[0] as PatternRule), text: "'; echo pwned; '", paths: ["$(echo pwned)"] };
    expect(run([hostile], { "a.js": "'; echo pwned; '\n" })).toEqual({ status: 0, found: [] });
    expect(run([{ ...hostile, paths: [] }], { "a.js": "'; echo pwned; '\n" }).found).toHaveLength(1);
    const code = { ...syntax, ast: "'; touch pwned; '$(touch pwned)", paths: [] };
    const files = { "node_modules/@ast-grep/napi/index.js": library, "a.js": "fine\n" };
    expect(run([code], files)).toEqual({ status: 0, found: [] });
  });
});

describe("agent", () => {
  const answer = (findings: object[]): string => `Words.\n\`\`\`json\n${JSON.stringify({ findings })}\n\`\`\``;

  it("its last JSON block is its report; without one it did not look", () => {
    const one = { path: "src/a.js", line: 3, severity: "blocking", text: "It throws." };
    const report = answer([one, { path: "/etc/passwd", severity: "minor", text: "Out." }]);
    expect(places("agent", report)).toEqual([
      ["asked", "warning", null, null],
      ["asked", "error", "src/a.js", 3],
    ]);
    for (const bad of ["Nothing.", answer([{ path: "a" }])]) expect(() => read("agent", bad)).toThrow("JSON block");
  });

  it("reads another part of the files each day, and each file in turn", () => {
    const place = mkdtempSync(join(tmpdir(), "agent-"));
    const git = (...args: string[]) => execFileSync("git", args, { cwd: place, stdio: "ignore" });
    git("init", "-q");
    for (let at = 0; at < 70; at += 1) writeFileSync(join(place, `f${String(at).padStart(2, "0")}.js`), "");
    git("add", "-A");
    const seen = new Set<string>();
    for (let day = 0; day < 12; day += 1) {
      const command = agentFilesCommand(["*.js"], day * 86_400_000);
      const { stdout } = spawnSync("sh", ["-c", command], { cwd: place, encoding: "utf8" });
      const files = stdout.split("\n").filter((path) => path !== "");
      expect(files.length).toBeGreaterThan(0);
      expect(files.length).toBeLessThanOrEqual(30);
      for (const file of files) seen.add(file);
    }
    rmSync(place, { recursive: true });
    expect(seen.size).toBe(70);
  });
});

describe("every detector", () => {
  it("has a name, a summary and a version of its own", () => {
    expect(new Set(detectors.map(({ name }) => name)).size).toBe(detectors.length);
    for (const { summary, version } of detectors) {
      expect(summary).toMatch(/[.]$/);
      expect(version).toBeGreaterThan(0);
    }
    expect(() => detectorNamed("sariff")).toThrow('Did you mean "sarif"?');
  });

  it("any text gives bounded findings or a clear refusal, the same each time", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...detectors),
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((one) => `{"version":"2.1.0","runs":[{"results":[${one}]}]}`),
        ),
        (detector, report) => {
          const once = (): string => {
            try {
              return JSON.stringify(detector.read(report, { root: null, now }));
            } catch (thrown) {
              expect(thrown).toMatchObject({ code: "BATON_REPORT_INVALID" });
              return "refused";
            }
          };
          return once() === once();
        },
      ),
      { numRuns: 300 },
    );
  });
});

it("lines of files: a file is read once while a report names it, and few are held", () => {
  const read: string[] = [];
  const lineAt = linesOf((path) => {
    read.push(path);
    return `${path} 1\n${path} 2\r\n`;
  });
  const paths = Array.from({ length: 20 }, (_, at) => `src/${at}.js`);
  for (const path of paths)
    for (const line of [1, 2, 9]) expect(lineAt(path, line)).toBe(line === 9 ? null : `${path} ${line}`);
  expect(read).toEqual(paths);
  expect([lineAt("src/19.js", 1), lineAt("src/0.js", 2)]).toEqual(["src/19.js 1", "src/0.js 2"]);
  expect(read.slice(20)).toEqual(["src/0.js"]);
});
