import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { logExcerpt } from "./log-excerpt.ts";

const bytesMax = 24 * 1024;
const good = Array.from({ length: 200 }, (_, index) => `2026-11-30T00:00:00.0000000Z ok ${index} - works`);
const table = Array.from({ length: 400 }, (_, index) => `file-${index}.js | ${"100 | ".repeat(14)} all lines covered`);

describe("log-tail-without-the-failure", () => {
  it.each([
    ["vitest", "AssertionError: expected 5 to equal 8"],
    ["actions", "2026-11-30T00:00:00.0000000Z ##[error]Process completed with exit code 1."],
    ["rust", "thread 'sum' panicked at src/lib.rs:12:5"],
    ["rustc", "error[E0308]: mismatched types"],
    ["go", "--- FAIL: TestSum (0.00s)"],
    ["pytest", "E       assert 5 == 8"],
    ["python", "Traceback (most recent call last):"],
    ["tap", "not ok 7 - sums"],
    ["npm", "npm ERR! code ELIFECYCLE"],
    ["java", "java.lang.NullPointerException: Exception in thread main"],
    ["tsc", "src/a.ts(3,5): error TS2322: Type 'string' is not assignable"],
  ])("the failure of %s is kept although a long table follows", (_, line) => {
    const text = logExcerpt([...good, line, "    at sum (src/sum.js:3:11)", ...table, ...table].join("\n"), bytesMax);
    expect(text).toContain(line);
    expect(text).toMatch(/… \d+ lines? left out …/);
    expect(bytesOf(text)).toBeLessThanOrEqual(bytesMax);
    // The end is there as well.
    expect(text).toContain("file-399.js");
  });

  it("keeps many failures, each with its line", () => {
    const failures = Array.from({ length: 30 }, (_, index) => `FAIL test/case-${index}.test.js`);
    const log = failures.flatMap((line) => [...good.slice(0, 40), line]);
    const text = logExcerpt([...log, ...table].join("\n"), bytesMax);
    for (const line of failures) expect(text).toContain(line);
  });

  it("a short log is whole", () => {
    expect(logExcerpt("one\r\ntwo", bytesMax)).toBe("one\ntwo");
  });

  it("is bounded and says what it left out, whatever is in the log", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ maxLength: 700 }), fc.constantFrom("##[error]x", "FAIL a", "ok", "💥 Error: ü"))),
        fc.integer({ min: 600, max: 4_000 }),
        (lines, max) => {
          const log = lines.join("\n");
          const text = logExcerpt(log, max);
          expect(bytesOf(text)).toBeLessThanOrEqual(max);
          if (bytesOf(log) > max) expect(text).not.toBe(log);
        },
      ),
    );
  });
});

/**
 * As `GET /actions/jobs/{job_id}/logs` returns them:
 * https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
 */
const stamp = "2026-11-30T08:00:00.5000000Z ";
const passing = Array.from({ length: 300 }, (_, index) => `${stamp}ok ${index} some passing thing with text`);
const coverage = Array.from(
  { length: 700 },
  (_, index) => `${stamp}src/file${index}.ts | 100 | 100 | 100 | 100 | covered`,
);

describe("log-tail-without-the-failure: in a job's log as GitHub gives it, with a time before each line", () => {
  it.each<[string, ...string[]]>([
    // https://pkg.go.dev/testing
    ["cmake", "CMake Error at CMakeLists.txt:3 (find_package):"],
    ["bun", "(fail) sum > adds [0.12ms]"],
    ["erlang", "sum_tests:9: add_test...*failed*"],
    ["testthat", "── Failure (test-sum.R:3:3): adds ──────"],
    ["julia", "Test Failed at /src/runtests.jl:3"],
    ["prove", "Dubious, test returned 1 (wstat 256, 0x100)"],
    ["pre-commit", "trim trailing whitespace.................................................Failed"],
    ["vstest", "  X Adds [12ms]"],
    ["nx", "NX   Ran target test for project shop and 3 task(s) they depend on (failed)"],
    ["a limit of a test", "    Test timeout of 30000ms exceeded."],
    ["a limit of a job", "The job running on runner X has exceeded the maximum execution time of 10 minutes."],
    ["a job that was stopped", "The operation was canceled."],
    ["valgrind", "==123== Invalid read of size 4"],
    ["a sanitizer that warns", "WARNING: ThreadSanitizer: data race (pid=123)"],
    ["cargo deny", "error[vulnerability]: Out-of-bounds read"],
    ["dotnet format", "a.cs(3,5): error WHITESPACE: Fix whitespace formatting."],
    ["cucumber", "         got: 5 (RSpec::Expectations::ExpectationNotMetError)"],
    ["git", "fatal: not a git repository"],
    ["apt", "E: Unable to locate package foo"],
    ["sqlfluff", "L:   3 | P:   5 | LT01 | Expected only single space"],
    ["npm audit", "3 high severity vulnerabilities"],
    ["go test", "--- FAIL: TestSum (0.00s)", "    sum_test.go:9: got 5, want 8"],
    ["a subtest of go", "    --- FAIL: TestSum/x (0.00s)", "        sum_test.go:9: got 5, want 8"],
    ["go build", "./sum.go:3:5: undefined: total"],
    ["gofmt", "sum.go needs gofmt"],
    ["golangci-lint", "sum.go:3:5: Error return value is not checked (errcheck)"],
    // https://vitest.dev/guide/reporters
    ["vitest", " FAIL  src/sum.test.ts > adds", "   expected 5 to be 8"],
    ["vitest, verbose", " ✗ adds two numbers", "   expected 5 to be 8"],
    // https://jestjs.io/docs/snapshot-testing
    ["jest", "  ● sum › adds", "    Expected: 8", "    Received: 5"],
    ["jest's threshold", 'Jest: "global" coverage threshold for lines (80%) not met: 50%'],
    // https://mochajs.org/#spec
    ["mocha", "  1) sum adds:", "      expected 5 to equal 8"],
    // https://nodejs.org/api/test.html
    ["node:test", "✖ adds (1.2ms)", "  5 !== 8"],
    ["tap", "not ok 3 - sum adds", "  operator: equal"],
    ["playwright", "  1) [chromium] › sum.spec.ts:3:1 › adds ─────", "    Expected: 8"],
    // https://docs.pytest.org/en/stable/how-to/output.html
    ["pytest", "E       assert 5 == 8", "E        +  where 5 = sum(2, 3)"],
    ["pytest's summary", "FAILED tests/test_sum.py::test_sum - assert 5 == 8"],
    ["unittest", "FAIL: test_sum (tests.test_sum.SumTest)"],
    ["coverage.py", "Coverage failure: total of 50 is less than fail-under=80"],
    ["rspec", "  1) Sum adds", "     Failure/Error: expect(sum).to eq 8"],
    ["minitest", "  1) Failure:", "SumTest#test_adds [test/sum_test.rb:9]:"],
    // https://maven.apache.org/surefire/maven-surefire-plugin/
    ["maven", "[ERROR] Tests run: 1, Failures: 1", "[ERROR]   SumTest.adds:9 expected: <8> but was: <5>"],
    ["gradle", "SumTest > adds() FAILED", "    org.opentest4j.AssertionFailedError: expected: <8>"],
    ["sbt", "[info] - adds *** FAILED ***", "[info]   5 did not equal 8 (SumSpec.scala:9)"],
    ["phpunit", "1) SumTest::testAdds", "Failed asserting that 5 matches expected 8."],
    ["dotnet", "  Failed SumTest.Adds [3 ms]", "   Assert.Equal() Failure"],
    ["xunit", "[xUnit.net 00:00:01.23]     SumTest.Adds [FAIL]"],
    // https://doc.rust-lang.org/cargo/commands/cargo-test.html
    ["cargo test", "test sum ... FAILED"],
    ["rust", "thread 'main' panicked at src/lib.rs:3:5:", "assertion `left == right` failed"],
    ["clippy", "error: this could be a `const fn`"],
    ["rustfmt", "Diff in /home/runner/work/shop/src/lib.rs:3:"],
    ["bazel", "//a:sum_test   FAILED in 0.3s"],
    ["gtest", "[  FAILED  ] Sum.Adds (0 ms)"],
    ["gtest's place", "sum_test.cc:9: Failure", "Expected equality of these values:"],
    ["ctest", "1/3 Test #1: sum ..............***Failed    0.02 sec"],
    ["gcc", "a.c:3:5: error: 'x' undeclared (first use in this function)"],
    ["ld", "a.c:(.text+0x9): undefined reference to `total'"],
    // https://www.gnu.org/software/make/manual/html_node/Error-Messages.html
    ["make", "make: *** [Makefile:3: test] Error 2"],
    ["make in a folder", "make[2]: *** [CMakeFiles/sum.dir/build.make:76: sum.o] Error 1"],
    // https://eslint.org/docs/latest/use/formatters/#stylish
    ["eslint", "/src/a.ts", "  3:5  error  'x' is not defined  no-undef"],
    ["stylelint", "  3:5  ✖  Unexpected empty block  block-no-empty"],
    [
      "prettier",
      "[warn] src/a.ts",
      "[warn] Code style issues found in the above file. Run Prettier with --write to fix.",
    ],
    ["tsc", "src/a.ts(3,5): error TS2304: Cannot find name 'x'."],
    ["black", "would reformat a.py"],
    ["ruff", "a.py:3:1: F401 [*] `os` imported but unused"],
    ["mypy", 'a.py:3: error: Incompatible types in assignment (expression has type "str")'],
    ["ktlint", "a.kt:3:1: Unexpected indentation (4)"],
    ["rubocop", "lib/a.rb:3:5: C: Style/StringLiterals: Prefer single-quoted strings"],
    ["kotlin", "e: file:///home/runner/work/a.kt:3:5 Unresolved reference 'total'"],
    ["dart", "00:01 +0 -1: test/sum_test.dart: adds [E]", "  Expected: <8>"],
    ["swift", "✘ Test adds() recorded an issue at SumTests.swift:9:5: Expectation failed: 5 == 8"],
    ["perl", "#   Failed test 'adds'", "#   at t/sum.t line 9."],
    ["webpack", "ERROR in ./src/a.ts 3:5-10", "Module not found: Can't resolve './b'"],
    ["npm", "npm error code ELIFECYCLE"],
    ["yarn", "error Command failed with exit code 1."],
    ["docker", 'ERROR: failed to solve: process "/bin/sh -c npm test" did not complete successfully'],
    ["terraform", "│ Error: Unsupported argument"],
    ["a shell", "/home/runner/work/_temp/x.sh: line 1: tox: command not found"],
    ["a kill", "/home/runner/work/_temp/x.sh: line 1:  2211 Killed                  node build.js"],
    ["turbo", "web:test:  FAIL  src/sum.test.ts > adds"],
    ["colors", "\u001b[31mFAIL\u001b[39m src/sum.test.ts", "\u001b[31mexpected 5 got 8\u001b[39m"],
    [
      "colors before what stands first",
      "\u001b[1m\u001b[31m  \u001b[1m● \u001b[22msum › adds\u001b[39m",
      "    Expected: 8",
    ],
  ])("of %s", (_, ...lines) => {
    for (const before of [stamp, ""]) {
      const log = [...passing, ...lines.map((line) => before + line), ...coverage].join("\n");
      const text = logExcerpt(log, bytesMax);
      for (const line of lines) expect(text).toContain(line);
      expect(bytesOf(text)).toBeLessThanOrEqual(bytesMax);
    }
  });

  it("behind progress that is written over itself, and in a line that is long before it fails", () => {
    const progress = Array.from({ length: 200 }, (_, index) => `downloading ${index}%`).join("\r");
    for (const line of [
      `${stamp}${progress}\rAssertionError: expected 5 to equal 8`,
      `${stamp}${"x".repeat(800)} AssertionError: expected 5 to equal 8`,
      `${stamp}${"a.b(".repeat(9_000)}\u001b[31mAssertionError: expected 5 to equal 8${"y".repeat(9_000)}`,
      `${stamp}{"level":50,"stack":"${"\\n at f".repeat(300)}","msg":"TypeError: expected 5 to equal 8"}`,
    ]) {
      const text = logExcerpt([...passing, line, ...coverage].join("\n"), bytesMax);
      expect(text).toContain("Error: expected 5 to equal 8");
      expect(bytesOf(text)).toBeLessThanOrEqual(bytesMax);
    }
  });

  it.each([
    ["a test that says what it expects", "✓ throws an error: of the right kind"],
    ["a count of none", "[INFO] Tests run: 9, Failures: 0, Errors: 0"],
    ["what jest shows of a console", "  ● Console"],
    ["a test that is known to fail", "not ok 3 - later # TODO"],
  ])("a failure has its room next to many lines of %s", (_, noise) => {
    const many = Array.from({ length: 600 }, () => `${stamp}${noise}`);
    const text = logExcerpt([...many, `${stamp}--- FAIL: TestSum (0.00s)`, ...many, ...coverage].join("\n"), bytesMax);
    expect(text).toContain("--- FAIL: TestSum");
  });

  it("the time is linear in a line's length", () => {
    for (const part of ["w", "error A", "Undefined ", "1", " ", "[", "a.b:1:"])
      expect(bytesOf(logExcerpt(part.repeat(400_000), bytesMax))).toBeLessThanOrEqual(bytesMax);
  }, 60_000);
});
