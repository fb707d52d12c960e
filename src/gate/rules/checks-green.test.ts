import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../config/schema.ts";
import { isOnlyAbsence } from "../absent.ts";
import type { CheckFact, CheckSuiteFact } from "../facts.ts";
import { type ChecksFacts, checksGreen } from "./checks-green.ts";

const sha = "a".repeat(40);
const actions = 15_368;
const stranger = 666;
const baton = 99;
const gates = defaultSettings.gates;
const late = gates.timeoutMinutes * 60_000;
let id = 0;
const at = (second: number): string => new Date(1_800_000_000_000 + second * 1_000).toISOString();
/** Each runs after the previous one has ended. */
const check = (change: Partial<CheckFact> = {}): CheckFact => {
  const number = change.id ?? ++id;
  return {
    name: "test",
    source: "check-run",
    appId: actions,
    sha,
    status: "completed",
    conclusion: "success",
    id: number,
    url: null,
    startedAt: at(number * 10),
    completedAt: change.status === "in_progress" ? null : at(number * 10 + 5),
    summary: "",
    ...change,
  };
};
const facts = (change: Partial<ChecksFacts> = {}): ChecksFacts => ({
  sha,
  checks: [check()],
  required: [],
  suites: [],
  ownAppId: baton,
  since: 0,
  ...change,
});
const judge = (change: Partial<ChecksFacts>, settings: Partial<typeof gates> = {}, now = 1_000) =>
  checksGreen(facts(change), { ...gates, ...settings }, now);
const status = (...given: Parameters<typeof judge>) => judge(...given).status;
const running: Partial<CheckFact> = { status: "in_progress", conclusion: null };

describe("U3: how a check ended", () => {
  it.each([
    ["success", "passed"],
    ["failure", "failed"],
    ["neutral", "failed"],
    ["cancelled", "failed"],
    ["skipped", "failed"],
    ["timed_out", "failed"],
    ["action_required", "failed"],
    ["stale", "failed"],
    ["startup_failure", "failed"],
    ["whatever comes next", "failed"],
    [null, "failed"],
  ])("a check that ends %s is %s, required or not", (conclusion, expected) => {
    const checks = [check({ conclusion: conclusion as CheckFact["conclusion"] })];
    expect(status({ checks })).toBe(expected);
    expect(status({ checks, required: [{ name: "test", appId: null }] })).toBe(expected);
  });

  it.each(["neutral", "skipped"] as const)(
    "%s passes only where a setting says so, and the verdict tells",
    (conclusion) => {
      const checks = [check({ conclusion })];
      const verdict = judge({ checks }, { [conclusion]: "pass" });
      expect(verdict.status).toBe("passed");
      expect(verdict.children[0]?.reason).toContain(`gates.${conclusion}: pass`);
      expect(status({ checks }, { [conclusion === "neutral" ? "skipped" : "neutral"]: "pass" })).toBe("failed");
    },
  );

  describe("skipped-and-neutral-fail-by-default", () => {
    it.each(["neutral", "skipped"] as const)(
      "%s does not count next to a success, and the verdict says so",
      (conclusion) => {
        const checks = [check(), check({ name: "deploy", conclusion })];
        for (const required of [
          [],
          [
            { name: "test", appId: null },
            { name: "deploy", appId: null },
          ],
        ]) {
          const verdict = judge({ checks, required });
          expect(verdict.status).toBe("passed");
          expect(verdict.children.find(({ name }) => name === "deploy")).toMatchObject({
            status: "skipped",
            reason: expect.stringContaining("does not count next to a success") as string,
          });
        }
      },
    );

    it.each([
      ["all skipped", [check({ conclusion: "skipped" }), check({ name: "deploy", conclusion: "skipped" })]],
      ["all neutral", [check({ conclusion: "neutral" })]],
      ["skipped and neutral", [check({ conclusion: "skipped" }), check({ name: "CodeQL", conclusion: "neutral" })]],
    ])("%s is never green, names the setting, and buys no repair", (_, checks) => {
      const verdict = judge({ checks });
      expect(verdict.status).toBe("failed");
      expect(verdict.reason).toMatch(/gates\.(skipped|neutral): pass/);
      expect(isOnlyAbsence(verdict)).toBe(true);
    });

    it("`gates.skipped: fail` is red next to a success, and buys no repair", () => {
      const verdict = judge(
        { checks: [check(), check({ name: "deploy", conclusion: "skipped" })] },
        { skipped: "fail" },
      );
      expect([verdict.status, isOnlyAbsence(verdict)]).toEqual(["failed", true]);
    });

    it.each(["DCO", "cla/google", "license/cla", "EasyCLA", "Lint PR title", "Semantic Pull Request"])(
      "%s is red, and buys no repair: only people can change it",
      (name) => {
        const verdict = judge({ checks: [check(), check({ name, conclusion: "failure" })] });
        expect([verdict.status, isOnlyAbsence(verdict)]).toEqual(["failed", true]);
      },
    );

    it.each([
      "dco-check",
      "ci/DCO",
      "probot/dco",
      "Developer Certificate of Origin",
      "Signed-off-by",
      "verification/cla-signed",
      "Contributor License Agreement",
      "CLAssistant / CLA",
      "PR Title",
      "pr-title",
      "Title check",
      "Lint PR / Validate PR title",
      "main / Lint PR",
      "Conventional Commits",
      "Check Commit Message",
      "commitlint",
      "semantic-pr",
      "Semantic PR",
      "WIP",
      "require-label",
      "Verify PR labels / check",
      "Milestone Check",
      "PullApprove",
      "policy-bot: main",
      "approvals",
      "Review required",
      "CODEOWNERS",
      "do-not-merge",
      "Merge Freeze",
      "Mergeable",
      "Require linked issue",
      "verify-pr-description",
      "Validate PR / check title",
      "PR Lint",
      "Branch name check",
      "gitlint",
      "Block fixup commits",
      "Signed commits",
      "jira-lint",
      "required-reviewers",
      "Task list completed",
      "Vercel – Authorization required",
      "tide",
    ])("log-tail-without-the-failure: %s is about people or words, wherever in its name that stands", (name) => {
      const failed = check({ name, conclusion: "failure" });
      const pending = check({ ...running, source: "status", appId: null, name });
      expect(isOnlyAbsence(judge({ checks: [check(), failed] }))).toBe(true);
      expect(isOnlyAbsence(judge({ checks: [check(), pending] }, {}, late))).toBe(true);
    });

    it.each([
      "test",
      "test (approval-service)",
      "unit tests / labels",
      "build title component",
      "title-generator",
      "milestones-ui",
      "branch predictor",
      "reviewers-api tests",
      "tide-tables",
      "classes",
      "dcoder",
      "lint",
      "Lint",
      "semantic analysis",
      "codecov/patch",
      "clang",
      "e2e / wip-flow",
      "Validate PR / unit tests",
      "check-pr",
      "Verify pull request / lint",
      "Lint PR / typecheck",
      "test (task-list)",
      "build / task-list",
      "task-list tests",
      "test (branch-names)",
      "jira-ticket-parser tests",
      "git-lint tests",
      "test (commit-signatures)",
      "Tests (fixup)",
      "cargo fixup",
      "lint (reviewers)",
      "hold",
      "merge-queue",
      "Merge Queue",
      "CI / merge-queue",
      "pytest (labels)",
      "jest (labels)",
      "eslint (titles)",
      "playwright (approvals)",
      "pip-freeze",
      "test (codeowners)",
    ])("%s is about the code, and repaired", (name) => {
      expect(isOnlyAbsence(judge({ checks: [check(), check({ name, conclusion: "failure" })] }))).toBe(false);
    });

    it.each<[string, Partial<ChecksFacts>]>([
      ["no runner began it", { checks: [check(), check({ name: "gpu", status: "queued", conclusion: null })] }],
      ["it was cancelled", { checks: [check(), check({ name: "x", conclusion: "cancelled" })] }],
      ["it went stale", { checks: [check(), check({ name: "x", conclusion: "stale" })] }],
      [
        "more was to come",
        {
          suites: [
            { sha, appId: actions, appName: "GitHub Actions", checkRuns: 1, status: "in_progress", conclusion: null },
          ],
        },
      ],
    ])("log-tail-without-the-failure: no change of the code helps where %s", (_, change) => {
      const verdict = judge(change, {}, late);
      expect([verdict.status, isOnlyAbsence(verdict)]).toEqual(["failed", true]);
    });

    it("what still runs at the end of the time may hang in the code: it is named, and repaired", () => {
      const verdict = judge({ checks: [check(), check({ ...running, name: "e2e" })] }, {}, late);
      expect(verdict.reason).toContain("`e2e` did not end within");
      expect(isOnlyAbsence(verdict)).toBe(false);
    });

    it("a failing test next to them is repaired", () => {
      const checks = [check({ conclusion: "failure" }), check({ name: "DCO", conclusion: "failure" })];
      expect(isOnlyAbsence(judge({ checks }))).toBe(false);
    });
  });

  describe("green-hides-red-of-same-name", () => {
    const red = { suiteId: 1, conclusion: "failure" as const };
    const green = { suiteId: 2 };
    it.each([
      ["red first", [check(red), check(green)], "failed"],
      ["green first", [check(green), check(red)], "failed"],
      ["one running", [check({ ...running, suiteId: 1 }), check(green)], "pending"],
      ["one cancelled", [check({ suiteId: 1, conclusion: "cancelled" }), check(green)], "failed"],
      [
        "three suites, the middle one red",
        [check({ suiteId: 1 }), check({ ...red, suiteId: 2 }), check({ suiteId: 3 })],
        "failed",
      ],
      ["both green", [check({ suiteId: 1 }), check(green)], "passed"],
      ["a re-run within the red suite", [check(red), check({ suiteId: 1 }), check(green)], "passed"],
    ] as const)("two suites of one App, %s: %s", (_, checks, expected) => {
      expect(status({ checks: [...checks] })).toBe(expected);
      expect(status({ checks: [...checks], required: [{ name: "test", appId: null }] })).toBe(expected);
      expect(status({ checks: [...checks], required: [{ name: "test", appId: actions }] })).toBe(expected);
    });
  });

  describe("green-hides-red-of-same-name, in one suite", () => {
    const red = { suiteId: 1, attempt: 1, conclusion: "failure" as const };
    const green = { suiteId: 1, attempt: 1 };
    it.each([
      ["two jobs of one name, red first", [check(red), check(green)], "failed"],
      ["green first", [check(green), check(red)], "failed"],
      ["one running", [check({ ...green, ...running }), check(green)], "pending"],
      ["one cancelled", [check({ ...red, conclusion: "cancelled" }), check(green)], "failed"],
      [
        "both run again",
        [check(red), check(green), check({ ...green, attempt: 2 }), check({ ...green, attempt: 2 })],
        "passed",
      ],
    ] as const)("%s", (_, checks, expected) => {
      expect(status({ checks: [...checks] })).toBe(expected);
      expect(status({ checks: [...checks], required: [{ name: "test", appId: actions }] })).toBe(expected);
    });

    it("green-hides-red-of-same-name: attempts that may not be read: red, and says why", () => {
      const verdict = judge({ checks: [check({ ...red, attempt: null }), check({ ...green, attempt: null })] });
      expect(verdict.status).toBe("failed");
      expect(verdict.reason).toContain("`actions: read`");
    });

    it("one re-run that may be either's: red, and says what to do", () => {
      const verdict = judge({ checks: [check(red), check(green), check({ ...green, attempt: 2 })] });
      expect(verdict.status).toBe("failed");
      expect(verdict.reason).toContain("re-run all jobs");
    });
  });

  it.each(["queued", "in_progress", "waiting", "pending", "requested"])(
    "a check that is %s is pending, then failed when the time is over",
    (state) => {
      const checks = [check({ status: state as CheckFact["status"], conclusion: null })];
      expect(status({ checks })).toBe("pending");
      expect(status({ checks }, {}, late - 1)).toBe("pending");
      expect(status({ checks }, {}, late)).toBe("failed");
    },
  );
});

describe("U1: which checks count", () => {
  it.each([
    ["a green check of another commit counts for nothing", [check({ sha: "b".repeat(40) })], "pending"],
    [
      "a red check of another commit hurts nothing",
      [check(), check({ sha: "b".repeat(40), conclusion: "failure" })],
      "passed",
    ],
    [
      "a later attempt that is green replaces a red one",
      [check({ id: 1, conclusion: "failure" }), check({ id: 2 })],
      "passed",
    ],
    [
      "a later attempt that is red replaces a green one",
      [check({ id: 1 }), check({ id: 2, conclusion: "failure" })],
      "failed",
    ],
    [
      "a later attempt that runs replaces a red one",
      [check({ id: 1, conclusion: "failure" }), check({ id: 2, ...running })],
      "pending",
    ],
    ["the order of the list does not matter", [check({ id: 2, conclusion: "failure" }), check({ id: 1 })], "failed"],
    [
      "the same name of another App is another check",
      [check({ id: 1, conclusion: "failure" }), check({ id: 2, appId: stranger })],
      "failed",
    ],
    [
      "a status of the same name is another check",
      [check({ id: 1, conclusion: "failure" }), check({ id: 2, source: "status" })],
      "failed",
    ],
    ["U4: Baton's own check is no evidence", [check({ appId: baton })], "pending"],
    ["U4: nor does its own red check hurt", [check(), check({ appId: baton, conclusion: "failure" })], "passed"],
  ] as [string, CheckFact[], string][])("%s", (_, checks, expected) => {
    expect(status({ checks })).toBe(expected);
  });
});

describe("U7: tries before the newest", () => {
  const red: Partial<CheckFact> = { conclusion: "failure" };
  const failed = (of: Partial<CheckFact> = {}) => check({ ...red, ...of });
  it.each([
    ["a red one, then green", () => [failed(), check()], "passed", "`test` succeeded on its second try."],
    ["a time-out, then green", () => [failed({ conclusion: "timed_out" }), check()], "passed", "on its second try."],
    ["red twice, then green", () => [failed(), failed(), check()], "passed", "on its third try."],
    ["red three times, then green", () => [failed(), failed(), failed(), check()], "passed", "on its try number 4."],
    ["green, red, green", () => [check(), failed(), check()], "passed", "on its third try."],
    ["the order of the list", () => [failed(), check()].toReversed(), "passed", "on its second try."],
    ["red again", () => [failed(), failed()], "failed", "`test` failed on its second try."],
    [
      "a status",
      () => [failed({ source: "status" }), check({ source: "status" })],
      "passed",
      "`test` succeeded on its second try.",
    ],
    ["another check is green at once", () => [failed(), check(), check({ name: "lint" })], "passed", "second try."],
  ] as const)("%s: the verdict tells", (_, checks, expected, words) => {
    for (const required of [[], [{ name: "test", appId: null }]]) {
      const verdict = judge({ checks: checks(), required });
      expect(verdict.status).toBe(expected);
      expect(verdict.reason).toContain(words);
      expect(verdict.reason).not.toContain("lint");
    }
  });

  it("a red one that is skipped the second time is told next to a success", () => {
    const checks = [failed({ name: "deploy" }), check({ name: "deploy", conclusion: "skipped" }), check()];
    const verdict = judge({ checks });
    expect(verdict.status).toBe("passed");
    expect(verdict.reason).toContain("`deploy` was skipped on its second try");
  });

  it("links each red try, and keeps the newest one as the check", () => {
    const url = "https://example.com/1";
    const [child] = judge({ checks: [failed({ id: 901, url }), check({ id: 902 })] }).children;
    expect(child?.evidence).toEqual([
      { label: "check", value: "902" },
      { label: "App", value: `${actions}` },
      { label: "earlier try", value: "901: failure", url },
    ]);
  });

  it.each([
    ["a first try", () => [check()]],
    ["green before", () => [check(), check()]],
    ["skipped before", () => [check({ conclusion: "skipped" }), check()]],
    ["a red one of another commit", () => [failed({ sha: "b".repeat(40) }), check()]],
    ["one that never ended", () => [check({ ...running, attempt: 1 }), check({ attempt: 2 })]],
  ] as const)("%s is no failure that a try hides", (_, checks) => {
    const verdict = judge({ checks: checks() });
    expect([verdict.status, verdict.reason]).toEqual(["passed", `The only check is green on ${sha.slice(0, 7)}.`]);
  });
});

describe("U2: required checks", () => {
  const byActions = [{ name: "test", appId: actions }];
  const byAny = [{ name: "test", appId: null }];
  it.each([
    ["the required App's green check", { required: byActions }, "passed"],
    [
      "another App's check of the required name satisfies nothing",
      { required: byActions, checks: [check({ appId: stranger })] },
      "pending",
    ],
    [
      "nor does a status that nobody's App wrote",
      { required: byActions, checks: [check({ appId: null, source: "status" })] },
      "pending",
    ],
    [
      "another App's later green does not hide the required App's red",
      { required: byActions, checks: [check({ conclusion: "failure" }), check({ appId: stranger })] },
      "failed",
    ],
    [
      "where any App may report it, one's later green does not hide another's red",
      { required: byAny, checks: [check({ conclusion: "failure" }), check({ appId: stranger })] },
      "failed",
    ],
    [
      "where any App may report it, a status does",
      { required: byAny, checks: [check({ appId: null, source: "status" })] },
      "passed",
    ],
    [
      "the others do not count",
      { required: byAny, checks: [check(), check({ name: "lint", conclusion: "failure" })] },
      "passed",
    ],
    [
      "a name that only looks alike does not count",
      { required: byAny, checks: [check({ name: "Test" }), check({ name: "test " })] },
      "pending",
    ],
    ["one that is missing beside one that is green", { required: [...byAny, { name: "e2e", appId: null }] }, "pending"],
    [
      "one that is missing beside one that is red waits, so that a repair sees all",
      { required: [...byAny, { name: "e2e", appId: null }], checks: [check({ conclusion: "failure" })] },
      "pending",
    ],
    [
      "U4: Baton's own, required, does not wait for itself",
      {
        required: [{ name: "Baton", appId: baton }, ...byAny],
        checks: [check(), check({ name: "Baton", appId: baton, ...running })],
      },
      "passed",
    ],
    [
      "U4: Baton's own, required by name only, does not wait for itself",
      {
        required: [{ name: "Baton", appId: null }],
        checks: [check(), check({ name: "Baton", appId: baton, ...running })],
      },
      "passed",
    ],
    [
      "U4: Baton's own name does not excuse a check of another App",
      {
        required: [{ name: "Baton", appId: null }],
        checks: [
          check({ name: "Baton", appId: stranger, conclusion: "failure" }),
          check({ name: "Baton", appId: baton }),
        ],
      },
      "failed",
    ],
    [
      "U4: only its own required leaves all the others to be green",
      { required: [{ name: "Baton", appId: baton }], checks: [check({ conclusion: "failure" })] },
      "failed",
    ],
  ] as [string, Partial<ChecksFacts>, string][])("%s", (_, change, expected) => {
    expect(status(change)).toBe(expected);
  });

  it("U3: one that never appears is pending, then failed, and the verdict names an impostor", () => {
    expect(status({ required: [{ name: "e2e", appId: null }] })).toBe("pending");
    expect(status({ required: [{ name: "e2e", appId: null }] }, {}, late)).toBe("failed");
    expect(judge({ required: byActions, checks: [check({ appId: stranger })] }).reason).toContain(
      "by another App than 15368 does not count",
    );
  });

  it.each([
    ["a name", [{ name: "e2e", app: null }], [check(), check({ name: "e2e", appId: stranger })], "passed"],
    [
      "a name and an App",
      [{ name: "e2e", app: actions }],
      [check(), check({ name: "e2e", appId: stranger })],
      "pending",
    ],
    ["what GitHub requires too", [{ name: "test", app: null }], [check()], "passed"],
  ] as const)("gates.required may be %s", (_, required, checks, expected) => {
    expect(status({ checks: [...checks], required: byActions }, { required: [...required] })).toBe(expected);
  });

  it("links each check, also one that does not count", () => {
    const url = "https://example.com/1";
    expect(judge({ checks: [check({ url })] }).children[0]?.evidence).toContainEqual(
      expect.objectContaining({ label: "check", url }),
    );
    const impostor = judge({ required: byActions, checks: [check({ url, appId: stranger })] });
    expect(impostor.children[0]?.evidence).toEqual([expect.objectContaining({ label: "does not count", url })]);
  });

  it("counts a check once that two rules require", () => {
    expect(judge({ required: byActions }, { required: [{ name: "test", app: null }] }).children).toHaveLength(1);
  });
});

describe("where nothing is required", () => {
  it.each([
    ["all must be green", [check(), check({ name: "lint", conclusion: "failure" })], {}, 1_000, "failed"],
    [
      "a red check waits for the rest, so that a repair sees all",
      [check({ conclusion: "failure" }), check({ name: "lint", ...running })],
      {},
      1_000,
      "pending",
    ],
    [
      "gates.ignore: a red check does not count",
      [check(), check({ name: "flaky", conclusion: "failure" })],
      { ignore: ["flaky"] },
      1_000,
      "passed",
    ],
    ["gates.ignore: only ignored checks are no evidence", [check()], { ignore: ["test"] }, 90_000, "failed"],
    ["no check yet", [], {}, 89_999, "pending"],
    ["no check at all", [], {}, 90_000, "failed"],
    ["gates.noChecks: pass", [], { noChecks: "pass" }, 90_000, "passed"],
    ["gates.noChecks: pass still waits for checks to appear", [], { noChecks: "pass" }, 1_000, "pending"],
    ["gates.appearSeconds", [], { appearSeconds: 10 }, 10_000, "failed"],
    ["gates.timeoutMinutes", [check(running)], { timeoutMinutes: 1 }, 60_000, "failed"],
    ["U4: Baton's own check alone is no evidence", [check({ appId: baton })], {}, 90_000, "failed"],
  ] as [string, CheckFact[], Partial<typeof gates>, number, string][])("%s", (_, checks, settings, now, expected) => {
    expect(status({ checks }, settings, now)).toBe(expected);
  });

  it("an ignored check that GitHub requires counts all the same", () => {
    expect(
      status(
        { required: [{ name: "test", appId: null }], checks: [check({ conclusion: "failure" })] },
        { ignore: ["test"] },
      ),
    ).toBe("failed");
  });
});

describe("for any facts", () => {
  const anyCheck = fc
    .record({
      name: fc.constantFrom("test", "lint", "e2e"),
      source: fc.constantFrom("check-run", "status"),
      appId: fc.constantFrom(actions, stranger, baton, null),
      sha: fc.constantFrom(sha, "b".repeat(40)),
      status: fc.constantFrom("queued", "in_progress", "completed"),
      conclusion: fc.constantFrom(
        "success",
        "failure",
        "neutral",
        "cancelled",
        "skipped",
        "timed_out",
        "action_required",
        "stale",
        null,
      ),
      id: fc.nat(50),
      url: fc.constant(null),
      startedAt: fc.constant(null),
      summary: fc.constant(""),
    })
    // Baton reports only under its own name.
    .map((one) => (one.appId === baton ? { ...one, name: "Baton" } : one)) as fc.Arbitrary<CheckFact>;
  const anyRequired = fc.array(
    fc.record({ name: fc.constantFrom("test", "e2e"), appId: fc.constantFrom(actions, null) }),
    { maxLength: 3 },
  );
  const anyNow = fc.constantFrom(0, 1_000, 90_000, late);

  it("passed means: something of this commit ended in success, and nothing that counts did not", () => {
    fc.assert(
      fc.property(fc.array(anyCheck, { maxLength: 8 }), anyRequired, anyNow, (checks, required, now) => {
        const verdict = judge({ checks, required }, {}, now);
        if (verdict.status !== "passed") return;
        const counted = verdict.children.filter(({ status: given }) => given !== "skipped");
        expect(counted.length).toBeGreaterThan(0);
        for (const child of counted) {
          const found = checks.filter(
            ({ id: known, name }) => `${known}` === child.evidence[0]?.value && name === child.name,
          );
          expect(
            found.some(
              (one) =>
                one.sha === sha && one.appId !== baton && one.status === "completed" && one.conclusion === "success",
            ),
          ).toBe(true);
        }
        for (const { name, appId } of required) {
          expect(
            checks.some(
              (one) =>
                one.name === name &&
                one.sha === sha &&
                ["success", "skipped", "neutral"].includes(one.conclusion ?? "") &&
                one.appId !== baton &&
                (appId === null || one.appId === appId),
            ),
          ).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("U1, U4: checks of other commits and of Baton itself change nothing", () => {
    const noise = fc.array(
      anyCheck.map((one): CheckFact => (one.sha === sha ? { ...one, appId: baton, name: "Baton" } : one)),
      { maxLength: 6 },
    );
    const appBound = fc.array(fc.record({ name: fc.constantFrom("test", "e2e"), appId: fc.constant(actions) }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(anyCheck, { maxLength: 6 }), noise, appBound, anyNow, (checks, others, required, now) => {
        expect(status({ checks: [...others, ...checks], required }, {}, now)).toBe(
          status({ checks, required }, {}, now),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["a suite that is running", { status: "in_progress" }, {}, 1_000, "pending"],
    ["a suite whose jobs wait for a runner", { status: "queued" }, {}, 1_000, "pending"],
    ["a suite that is complete", { status: "completed" }, {}, 1_000, "passed"],
    ["a suite that nobody fills", { status: "queued", checkRuns: 0 }, {}, 1_000, "passed"],
    ["Baton's own suite", { appId: baton }, {}, 1_000, "passed"],
    [
      "U6: workflows that wait for approval",
      { status: "completed", checkRuns: 0, conclusion: "action_required" },
      {},
      1_000,
      "pending",
    ],
    [
      "U6: workflows that nobody approves",
      { status: "completed", checkRuns: 0, conclusion: "action_required" },
      {},
      late,
      "failed",
    ],
    ["U6: approved, it has runs", { status: "completed", checkRuns: 1, conclusion: "success" }, {}, 1_000, "passed"],
    ["a suite of another commit", { sha: "c".repeat(40) }, {}, 1_000, "passed"],
    ["a suite that never completes", {}, {}, late, "failed"],
    ["what is required decides alone", {}, { required: [{ name: "test", appId: null }] }, 1_000, "passed"],
  ] as [string, Partial<CheckSuiteFact>, Partial<ChecksFacts>, number, string][])(
    "U5: %s",
    (_, suite, change, now, expected) => {
      const suites: CheckSuiteFact[] = [
        { appId: actions, appName: "GitHub Actions", sha, status: "in_progress", checkRuns: 1, ...suite },
      ];
      expect(status({ suites, ...change }, {}, now)).toBe(expected);
    },
  );

  it("nothing is pending for ever", () => {
    fc.assert(
      fc.property(fc.array(anyCheck, { maxLength: 8 }), anyRequired, (checks, required) => {
        expect(status({ checks, required }, {}, late)).not.toBe("pending");
      }),
    );
  });
});
